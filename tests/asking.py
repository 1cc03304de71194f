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

from app.visitors.room import Sender
from tests import loop
from tests.browser.conftest import start_server


class Visitor:
    """Somebody at an address."""

    def __init__(self, address: str = "", client: httpx.Client | None = None):
        """client: that knows the address, and has logged in where one has to."""
        self._client = client or httpx.Client(base_url=address, timeout=60)
        self.address = str(self._client.base_url)
        self.visit, self._serial = uuid.uuid4().hex, 0

    def open(self, query: str = "") -> dict:
        """What the page is told of an address: {values, pinned, view, notice, show, models}."""
        return self.ask("open", query=query)

    def ask(self, event: str, **message) -> dict:
        """The last answer to an event of the page. Raises ValueError with the sentence of one that was refused."""
        body, error = self.told(event, **message)
        if error is not None:
            raise ValueError(error)
        return body

    def told(self, event: str, **message) -> tuple[dict | None, str | None]:
        """The same as (answer, None), or (None, sentence) of one that was refused."""
        with self.said(event, **message) as answers:
            *_, answer = answers
        assert answer["finished"] and answer["serial"] == self._serial
        return answer.get("body"), answer.get("error")

    @contextmanager
    def said(self, event: str, **message):
        """All answers, as they come; leaving the context leaves the server with them."""
        self._serial += 1
        content = {"visit": self.visit, "serial": self._serial, **message}
        with self._client.stream("POST", f"/explorer-ask/{event}", json=content) as answer:
            if answer.status_code != 200:
                answer.read()
                raise ValueError(answer.json()["sentence"])
            yield map(json.loads, answer.iter_lines())

    def shown(self, query: str) -> dict:
        """What the instrument answers that an address shows."""
        opened = self.open(query)
        values = {name: _text(value) for name, value in opened["show"]["values"].items()}
        return self.ask(opened["show"]["name"], values=values, yours=opened["values"])

    def bring(self, name: str, content: bytes, **query) -> dict:
        """Upload a file. Returns what the server says of it."""
        address = f"/explorer-uploads?{urlencode(query)}"
        return self._client.post(address, files={"files": (name, content)}).raise_for_status().json()


def said(wiring, event: str, message, visit: str = "anna") -> list[dict]:
    """All that is answered to an event, without a server."""
    return [json.loads(line) for line in loop.items(wiring.ask(event, message, Sender(None, None, visit)))]


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
