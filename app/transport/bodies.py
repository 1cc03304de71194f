"""What may be sent: one JSON object of bounded size and depth; to Gradio, with the names that it needs and no others.

What Gradio reads is what was looked at: the body is written anew, so that no second key of the same name, no other
encoding and nothing beside the known names can say something else.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from starlette.concurrency import run_in_threadpool

from app.sentences.denials import Denied
from edm.base.errors import Refused, shown

MOST_BYTES, MOST_DEPTH = 1 << 20, 40
LARGE = 1 << 16  # bytes from which looking takes long enough to be done beside the event loop
SECONDS = 30.0  # in which a body has to be here
_ID = re.compile(r"[\w-]{1,64}", re.ASCII)
_LENGTH = re.compile(r"[0-9]{1,18}")
_FILE = {"path", "_type", "meta", "url", "orig_name", "mime_type", "is_stream"}  # Gradio looks for any `path`
_NAMES = {  # of a body, for each kind of address
    "join": ("data", "event_data", "fn_index", "trigger_id", "session_hash"),
    "call": ("data", "session_hash"),
    "cancel": ("event_id", "fn_index", "session_hash"),
}


@dataclass(frozen=True)
class _Event:
    inputs: int
    name: str | None  # under which it can be called without the page


class Events:
    """What can be called. dependencies: the events, as Gradio describes them to its clients. checks: by the name of an
    event, what raises Refused for inputs that it cannot have."""

    def __init__(self, dependencies: list[dict], checks: Mapping[str, Callable] = MappingProxyType({})):
        self._checks = checks
        self._events = {
            one["id"]: _Event(len(one["inputs"]), one["api_name"] if one["api_visibility"] == "public" else None)
            for one in dependencies
            if not any(event == "unload" for _, event in one["targets"])  # Gradio itself calls it
        }
        self.names = {event.name for event in self._events.values() if event.name}

    async def passed(self, kind: str, scope, receive):
        """(scope, receive) with the checked body of a request in place of its own. Raises Denied."""
        raw = await read(scope, receive, MOST_BYTES)
        name = scope["path"].rpartition("/")[2]
        checked = run_in_threadpool(self.checked, kind, raw, name) if len(raw) > LARGE else None
        body = await checked if checked else self.checked(kind, raw, name)
        own = (b"content-length", b"content-type", b"content-encoding", b"transfer-encoding")
        headers = [pair for pair in scope["headers"] if pair[0] not in own]
        headers += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        sent = False

        async def once():
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        return {**scope, "headers": headers}, once

    def checked(self, kind: str, raw: bytes, name: str = "") -> bytes:
        """The body that Gradio shall read. Raises Denied with a sentence."""
        document = parsed(raw)
        document = {key: document[key] for key in _NAMES[kind] if document.get(key) is not None}
        for key in ("session_hash", "event_id"):
            value = document.get(key, "x")
            if not isinstance(value, str) or not _ID.fullmatch(value):
                raise Denied(400, f"{key} = {shown(value, 80)}: must be up to 64 letters, digits, - and _")
        if kind == "call":
            event = next(event for event in self._events.values() if event.name == name)
        else:
            event = self._called(document.get("fn_index"))
        if kind != "call" and "session_hash" not in document:
            raise Denied(400, "session_hash is missing: any text of up to 64 letters and digits, one for each visit")
        if kind == "cancel" and "event_id" not in document:
            raise Denied(400, "event_id is missing: which event is to be cancelled")
        trigger = document.get("trigger_id", 0)
        if type(trigger) is not int or not 0 <= trigger < 1 << 31:
            raise Denied(400, f"trigger_id = {shown(trigger, 80)}: must be a whole number")
        if kind != "cancel":
            data = document.get("data")
            if not isinstance(data, list) or len(data) != event.inputs:
                raise Denied(400, f"data = {shown(data, 80)}: must be a list of length {event.inputs}")
            if kind == "call" and name in self._checks:
                try:
                    self._checks[name](*data)
                except Refused as refusal:
                    raise Denied(400, str(refusal)) from None
        try:
            return json.dumps(document, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise Denied(400, "the request holds half of a character (a lone surrogate)") from None

    def _called(self, number) -> _Event:
        if type(number) is not int or number not in self._events:
            raise Denied(404, f"fn_index = {shown(number, 80)}: there is no such event; reload the page")
        return self._events[number]


async def read(scope, receive, most: int) -> bytes:
    """The body of a request. Raises Denied if it is larger, or takes too long."""
    refused = Denied(413, f"this request is larger than {most / 1e6:.1g} MB, the most there can be")
    length = dict(scope["headers"]).get(b"content-length", b"0").decode("latin-1")
    if not _LENGTH.fullmatch(length) or int(length) > most:
        raise refused
    parts, total = [], 0
    try:
        async with asyncio.timeout(SECONDS):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise Denied(400, "the request was interrupted")
                parts.append(message.get("body", b""))
                total += len(parts[-1])
                if total > most:
                    raise refused
                if not message.get("more_body"):
                    return b"".join(parts)
    except TimeoutError:
        raise Denied(408, "the request took too long; try again") from None


def parsed(raw: bytes) -> dict:
    """A JSON object of bounded depth that names no file. Raises Denied."""
    document = _json(raw)
    if document is None:
        raise Denied(400, "the request could not be read: it is not JSON")
    stack = [(document, 1)]
    while stack:
        value, depth = stack.pop()
        if isinstance(value, str):
            # some of Gradio's components read JSON in texts
            value = _json(value) if value.lstrip()[:1] in ("{", "[", '"') else None
        if not isinstance(value, (dict, list, str)):
            continue
        if depth > MOST_DEPTH:
            raise Denied(400, f"the request is nested more than {MOST_DEPTH} deep")
        if isinstance(value, dict):
            if named := _FILE.intersection(value):
                raise Denied(403, f"files and addresses cannot be named here ({min(named)}); upload what you bring")
            value = value.values()
        stack += [(one, depth + 1) for one in ([value] if isinstance(value, str) else value)]
    if not isinstance(document, dict):
        raise Denied(400, "a request is a JSON object, {…}")
    return document


def _json(text):
    """What a text says; None if it is not JSON. Raises Denied where another reader might get further."""
    try:
        return json.loads(text)
    except RecursionError:
        raise Denied(400, f"the request is nested more than {MOST_DEPTH} deep") from None
    except ValueError:
        return None
