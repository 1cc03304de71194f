"""What the process of the server and those that compute for it say to each other over a socket: frames.

A frame is its length, what it is, the number of the job that it is about, and its content. Both ends are this program:
what is no answer for the page is pickled.
"""

from __future__ import annotations

import pickle
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

_HEAD = struct.Struct("!IBQ")
_LENGTH = struct.Struct("!I")


class Say(IntEnum):
    """To those that compute: JOB, END it, MORE of its answers can come, MODELS that are known, MOVE to another device.
    From them: READY, MOVED, an ANSWER that is not the last, OVER, and what belongs into the LOG."""

    JOB = 1
    END = 2
    MORE = 3
    MODELS = 4
    MOVE = 5
    READY = 6
    MOVED = 7
    ANSWER = 8
    OVER = 9
    LOG = 10


@dataclass(frozen=True)
class Place:
    """Where a process computes. kinds: "module:function", which returns all kinds of jobs. own: as of
    `app.work.shared.Work`. workers: how many processes share the machine. runs: the folder of all runs, as EDM_RUNS
    names it. models: for `edm.models.receive`.
    """

    kinds: str
    device: str
    own: bool
    workers: int
    runs: str | None
    models: tuple


@dataclass(frozen=True)
class Task:
    """A job that is to be computed. text: the job as it is sent. visitor: a number for whose it is, who has computed so
    many seconds lately."""

    text: str
    visitor: int
    lately: float


@dataclass(frozen=True)
class Over:
    """A job has ended. seconds: for which it has computed; lately: what its visitor has there, in all.

    refused: a sentence for whoever asked; failed: the same of a defect, which has been logged. files: that its answer
    depends on, if it may be kept (`Job.files`).
    """

    seconds: float
    lately: float
    refused: str | None = None
    failed: str | None = None
    files: dict[str, str | None] | None = None


def frame(say: Say, number: int = 0, content: bytes = b"") -> bytes:
    return _HEAD.pack(len(content), say, number) + content


def pickled(say: Say, number: int, thing) -> bytes:
    return frame(say, number, pickle.dumps(thing))


def over(number: int, what: Over, answer: bytes = b"") -> bytes:
    """The end of a job, with its last answer."""
    told = pickle.dumps(what)
    return frame(Say.OVER, number, _LENGTH.pack(len(told)) + told + answer)


def of_over(content: bytes) -> tuple[Over, bytes]:
    """(what is told of the end of a job, its last answer or nothing)."""
    (length,) = _LENGTH.unpack_from(content)
    end = _LENGTH.size + length
    return pickle.loads(content[_LENGTH.size : end]), content[end:]


class Inbox:
    """Bytes as they come, as frames."""

    def __init__(self):
        self._kept = bytearray()

    def frames(self, data: bytes) -> Iterator[tuple[Say, int, bytes]]:
        """Those that are whole now."""
        kept = self._kept
        kept += data
        begin = 0
        while len(kept) >= begin + _HEAD.size:
            length, say, number = _HEAD.unpack_from(kept, begin)
            end = begin + _HEAD.size + length
            if len(kept) < end:
                break
            yield Say(say), number, bytes(memoryview(kept)[begin + _HEAD.size : end])
            begin = end
        del kept[:begin]


def read(end: socket.socket) -> Iterator[tuple[Say, int, bytes]]:
    """All frames that come, until the other side is gone."""
    inbox = Inbox()
    while True:
        try:
            data = end.recv(1 << 16)
        except OSError:
            return
        if not data:
            return
        yield from inbox.frames(data)
