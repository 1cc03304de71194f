"""A process that computes for the server: jobs as they are sent, each in a thread, in turns (`app.work.slots`)."""

from __future__ import annotations

import logging
import os
import pickle
import signal
import socket
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from pkgutil import resolve_name

import torch

from app.sentences import faults
from app.work.beside import THREADS
from app.work.frames import Over, Place, Say, Task, frame, over, pickled, read
from app.work.jobs import answer, name_of, received
from app.work.shared import Work
from app.work.slots import CORES, Slots
from app.work.tickets import Ended, Ticket
from app.work.watch import Watch
from edm import models
from edm.base import devices
from edm.base.errors import Refused

AHEAD = 2  # answers that are not the last may be under way to who reads them; then the job waits, and takes no place
SEND_BUFFER = 1 << 20  # bytes


def work(end: socket.socket, place: Place) -> None:
    """What the process does, until the other end of the socket is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    worker = Worker(end, place)
    logging.getLogger().addHandler(worker.log)
    worker.serve()
    os._exit(0)  # whatever is still computed, nobody waits for it


class Worker:
    """end: of the socket to the server."""

    def __init__(self, end: socket.socket, place: Place):
        torch.set_num_threads(1)  # see `app.server.application`
        if place.runs is None:
            os.environ.pop("EDM_RUNS", None)
        else:
            os.environ["EDM_RUNS"] = place.runs
        self._end, self._place, self._sending = end, place, threading.Lock()
        self._kinds = resolve_name(place.kinds)()
        self._work = Work(devices.device(place.device), megabytes=0, own=place.own)
        self._work.slots = Slots(self._places())
        self._tickets: dict[int, tuple[Ticket, threading.Semaphore]] = {}
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="jobs")
        self.log = _Log(lambda record: self._send(pickled(Say.LOG, 0, record)))
        models.receive(place.models)

    def serve(self) -> None:
        self._send(frame(Say.READY, content=name_of(self._work.device).encode()))
        for say, number, content in read(self._end):
            if say == Say.JOB:
                task = pickle.loads(content)
                ticket, room = self._tickets[number] = Ticket(task.visitor), threading.Semaphore(AHEAD)
                self._threads.submit(self._computed, number, task, ticket, room)
            elif say in (Say.END, Say.MORE) and (found := self._tickets.get(number)):
                ticket, room = found
                if say == Say.END:
                    ticket.end()
                room.release()
            elif say == Say.MODELS:
                models.receive(pickle.loads(content))
            elif say == Say.MOVE:
                self._move(content.decode())

    def _move(self, device):
        refused = None
        try:
            self._work.move(devices.device(device))
            self._work.slots.resize(self._places())
        except Refused as error:
            refused = str(error)
        self._send(pickled(Say.MOVED, 0, (name_of(self._work.device), refused)))

    def _places(self) -> int:
        """One process after the other computes on a CPU; on a GPU, many threads of the same."""
        on_cpu = torch.device(self._work.device).type == "cpu"
        return max(1, CORES // self._place.workers) if on_cpu else max(2, CORES)

    def _computed(self, number: int, task: Task, ticket: Ticket, room: threading.Semaphore):
        """In a thread: the job, and its end."""
        slots = self._work.slots
        before, last, told = slots.spent, b"", {}
        slots.ledger.learn(task.visitor, task.lately)
        try:
            job = received(task.text, self._kinds)
            told["files"] = job.files()
            for body, finished in job.compute(self._work.now(), Watch(ticket, slots)):
                if finished:
                    last = answer(body)
                    continue
                room.acquire()
                ticket.check()
                self._send(frame(Say.ANSWER, number, answer(body, False)))
        except Ended:
            last, told = b"", {}
        except Exception as error:
            last, told = b"", {"refused" if isinstance(error, Refused) else "failed": faults.told(error)}
        del self._tickets[number]
        spent, lately = slots.spent - before, slots.ledger.lately(task.visitor)
        self._send(over(number, Over(spent, lately, **told), last))

    def _send(self, data):
        with self._sending:
            try:
                self._end.sendall(data)
            except OSError:  # the server is gone
                os._exit(0)


class _Log(logging.Handler):
    """What is logged here is logged by the server."""

    def __init__(self, send):
        super().__init__()
        self._send = send

    def emit(self, record):
        trace = "".join(traceback.format_exception(*record.exc_info)).rstrip() if record.exc_info else None
        told = {"msg": record.getMessage(), "exc_text": trace, "levelno": record.levelno, "levelname": record.levelname}
        self._send({"name": record.name, **told})
