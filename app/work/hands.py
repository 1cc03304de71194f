"""A process that computes, as the server sees it."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress
from typing import Protocol

from app.work import forks
from app.work.frames import Inbox, Place, Say
from app.work.orders import Order


class Hears(Protocol):
    """Who is told what a process says, and that it has ended."""

    def heard(self, hand: Hand, say: Say, number: int, content: bytes) -> None: ...
    def lost(self, hand: Hand) -> None: ...


class Hand(asyncio.Protocol):
    """A process that computes. orders: what it has been given, the earliest first. known: models that it was told of.

    leaving: it ends once it has done what it has. moved: what waits for its answer to a new device.
    """

    def __init__(self, office: Hears):
        self._office, self._inbox = office, Inbox()
        self.process, self.transport = None, None
        self.ready = self.leaving = self._ended = False
        self.orders: dict[int, Order] = {}
        self.known, self.moved = (), None

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        for say, number, content in self._inbox.frames(data):
            self._office.heard(self, say, number, content)

    def connection_lost(self, error):
        self._office.lost(self)

    def say(self, data: bytes) -> None:
        if self.transport is not None:
            self.transport.write(data)

    async def begin(self, loop: asyncio.AbstractEventLoop, place: Place) -> None:
        """Let there be the process. What ends this one need not wait for that."""
        mine, theirs = socket.socketpair()
        begun: asyncio.Future = loop.create_future()

        def begin():
            try:
                self.process, error = forks.begin(_work, theirs, place, name="work"), None
            except Exception as failure:
                error = failure
            theirs.close()
            if self._ended:
                self.end()
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(tell, error)

        def tell(error):
            if begun.cancelled():
                mine.close()
            elif error is None:
                begun.set_result(None)
            else:
                mine.close()
                begun.set_exception(error)

        threading.Thread(target=begin, name="begins", daemon=True).start()
        await begun
        await loop.create_connection(lambda: self, sock=mine)

    def end(self) -> None:
        """At once, whatever it does."""
        self._ended = True
        if self.transport is not None:
            self.transport.abort()
        if self.process is not None:
            self.process.kill()


def _work(end, place):
    """What such a process runs."""
    from app.work.worker import work

    work(end, place)
