"""A visitor without a browser: what the page's scripts send to a server, and what it answers, over plain HTTP.

The one place in tests that knows how the page's events travel.
"""

from __future__ import annotations

import json
import signal
import uuid
from contextlib import contextmanager
from urllib.parse import urlencode

import httpx
from gradio_client.utils import apply_diff

from tests.browser.conftest import start_server


class Visitor:
    """Somebody at an address."""

    def __init__(self, address: str = "", client: httpx.Client | None = None):
        """client: that knows the address, and has logged in where one has to."""
        self._client = client or httpx.Client(base_url=address, timeout=60)
        self._session, self._serial = uuid.uuid4().hex, 0
        self._events: dict[str, list[int]] = {}
        for one in self._client.get("/config").raise_for_status().json()["dependencies"]:
            for _, event in one["targets"]:
                self._events.setdefault(event, []).append(one["id"])

    def open(self, query: str = "") -> dict:
        """What the page is told of an address: {values, pinned, view, notice, show, models}."""
        (text,) = self._said(self._events["load"][0], None, query)
        return json.loads(text)["opened"]

    def ask(self, event: str, **message) -> dict:
        """The last answer to an event of the page. Raises ValueError with the sentence of one that was refused."""
        body, error = self.told(event, **message)
        if error is not None:
            raise ValueError(error)
        return body

    def told(self, event: str, **message) -> tuple[dict | None, str | None]:
        """The same as (answer, None), or (None, sentence) of one that was refused."""
        self._serial += 1
        *_, text = self._said(self._events[event][0], {**message, "serial": self._serial})
        answer = json.loads(text)
        if "error" in answer:
            return None, answer["error"]
        assert answer["finished"] and answer["serial"] == self._serial
        return answer["body"], None

    def shown(self, query: str) -> dict:
        """What the instrument answers that an address shows."""
        opened = self.open(query)
        values = {name: _text(value) for name, value in opened["show"]["values"].items()}
        return self.ask(opened["show"]["name"], values=values, yours=opened["values"])

    def bring(self, name: str, content: bytes, **query) -> dict:
        """Upload a file. Returns what the server says of it."""
        address = f"/explorer-uploads?{urlencode(query)}"
        return self._client.post(address, files={"files": (name, content)}).raise_for_status().json()

    def _said(self, number, message, query=""):
        """The texts that an event puts out, one after the other."""
        body = {"fn_index": number, "data": [], "event_data": message, "session_hash": self._session}
        headers = {"Referer": f"{self._client.base_url}{query}"}
        params = dict(httpx.QueryParams(query.removeprefix("?")))
        joined = self._client.post("/gradio_api/queue/join", params=params, json=body, headers=headers)
        event, data = joined.raise_for_status().json()["event_id"], None
        with self._client.stream("GET", "/gradio_api/queue/data", params={"session_hash": self._session}) as answers:
            for line in answers.iter_lines():
                told = json.loads(line.removeprefix("data:")) if line.startswith("data:") else {}
                if told.get("event_id") != event or "output" not in told:
                    continue
                assert told.get("success", True), told
                came = told["output"].get("data", [])
                if told["msg"] == "process_generating" and data is not None:
                    came = [apply_diff(before, change) for before, change in zip(data, came, strict=True)]
                if came and came != data:
                    data = came
                    yield data[0]
                if told["msg"] == "process_completed":
                    return


def _text(value) -> str:
    """A setting as an address holds it."""
    if isinstance(value, list):
        return ",".join(map(_text, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


@contextmanager
def visiting(folder):
    """A Visitor of a server of the runs in a folder."""
    process, address = start_server("--runs", str(folder))
    try:
        yield Visitor(address)
    finally:
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=20)
    assert "Traceback" not in said, said
