"""How the page's questions travel, for visitors without a browser: many in one process, which must cost little itself.

`Lines` is the page's protocol of today. `Queue` is what it was at the commit that everything is compared with, where
Gradio's queue carried the events; it is here for the column "before" alone.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

PATIENCE = 12  # seconds without an answer after which the page, too, has asked twice and says that nobody answers


class Fault(Exception):
    """An answer that is none: why, in a few words."""


class Http:
    """One connection of HTTP/1.1, kept open from question to question."""

    def __init__(self, address: str, cookies: str = ""):
        self._host, self._port = urlsplit(address).hostname, urlsplit(address).port
        self._cookies = f"Cookie: {cookies}\r\n" if cookies else ""
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def lines(self, method: str, path: str, document=None) -> AsyncIterator[bytes]:
        """The lines of an answer's body, as they come. Raises Fault or OSError."""
        body = b"" if document is None else json.dumps(document).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\nContent-Length: {len(body)}\r\n"
        writer = await self._ready()
        writer.write(f"{head}{self._cookies}Content-Type: application/json\r\n\r\n".encode() + body)
        length = await self._head()
        rest = b""
        parts = self._chunks() if length is None else self._whole(length)
        async for part in parts:
            *whole, rest = (rest + part).split(b"\n")
            for line in whole:
                yield line
        if rest:
            yield rest

    def close(self) -> None:
        """The next question opens another connection."""
        if self._writer:
            self._writer.close()
        self._reader = self._writer = None

    async def _ready(self) -> asyncio.StreamWriter:
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port, limit=1 << 22)
        return self._writer

    async def _head(self) -> int | None:
        """The length of the body; None of one that comes in chunks."""
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        if " 200 " not in f"{head[0]} ":
            raise Fault(head[0])
        found = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        return None if found.get("transfer-encoding") == "chunked" else int(found["content-length"])

    async def _chunks(self):
        while size := int(await self._reader.readuntil(b"\n"), 16):
            yield (await self._reader.readexactly(size + 2))[:-2]
        await self._reader.readuntil(b"\n")

    async def _whole(self, length):
        yield await self._reader.readexactly(length)


class Lines:
    """A visit that asks by `POST /explorer-ask/{event}`, and is answered in lines of JSON."""

    def __init__(self, address: str, cookies: str = ""):
        self._visit, self._http = uuid.uuid4().hex, Http(address, cookies)

    async def come(self) -> None:
        """Nothing is open while nothing is asked."""

    async def ask(self, event: str, message: dict) -> str:
        """The last answer, as JSON text. message: with its serial. Raises Fault, OSError or EOFError."""
        last = None
        try:
            async with asyncio.timeout(PATIENCE):
                async for line in self.lines(event, message):
                    last = line
        except BaseException:
            self._http.close()  # whatever else comes there answers something that nobody waits for
            raise
        if last is None:
            raise Fault("no answer")
        return last.decode()

    def lines(self, event: str, message: dict) -> AsyncIterator[bytes]:
        """All answers, as they come."""
        return self._http.lines("POST", f"/explorer-ask/{event}", {"visit": self._visit, **message})

    def leave(self) -> None:
        self._http.close()


class Queue:
    """A visit that asks by Gradio's queue: events are joined on one connection, and answered on another."""

    def __init__(self, address: str):
        self._visit, self._http, self._stream = uuid.uuid4().hex, Http(address), Http(address)
        self._answers: asyncio.Queue[str] = asyncio.Queue()
        self._listening: asyncio.Task | None = None
        self._numbers: dict[str, list[int]] = {}

    async def come(self) -> None:
        """As the page does: with the event that keeps the stream of answers open."""
        (config,) = [line async for line in self._http.lines("GET", "/config")]
        for one in json.loads(config)["dependencies"]:
            for _, event in one["targets"]:
                self._numbers.setdefault(event, []).append(one["id"])
        await self._join(self._numbers["load"][1])
        self._listening = asyncio.create_task(self._listen())

    async def ask(self, event: str, message: dict) -> str:
        """As `Lines.ask`."""
        while not self._answers.empty():
            self._answers.get_nowait()  # to what was given up
        async with asyncio.timeout(PATIENCE):
            await self._join(self._numbers[event][0], message)
            return await self._answers.get()

    def leave(self) -> None:
        if self._listening:
            self._listening.cancel()
        self._http.close()
        self._stream.close()

    async def _join(self, number, message=None):
        body = {"data": [], "fn_index": number, "session_hash": self._visit, "event_data": message}
        async for _ in self._http.lines("POST", "/gradio_api/queue/join", body):
            pass

    async def _listen(self):
        async for line in self._stream.lines("GET", f"/gradio_api/queue/data?session_hash={self._visit}"):
            if line.startswith(b'data: {"msg":"process_completed"'):
                for text in json.loads(line[6:])["output"].get("data") or ():
                    self._answers.put_nowait(text)
