"""Who computes what: the processes that compute, and the jobs that wait for one of them. All of it in one thread, that
of an event loop.

A job goes to where the least lies before it, and waits here while that is much; what gives way to it there does not
count. So whoever has computed the least lately is next, wherever a process is free first.
"""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import threading
import time
from collections.abc import Callable

from cachetools import LRUCache

from app.sentences.faults import Told
from app.work.frames import Place, Say, Task, frame, of_over, pickled
from app.work.hands import Hand
from app.work.orders import Answers, Durations, Order
from app.work.slots import Ledger, gives_way
from app.work.tickets import Ended
from edm.base.errors import Refused

AHEAD = 0.03  # seconds of work that may lie in a process before a job, so that it never waits for us
HOME = 0.02  # seconds of it for which a job is still given to the process that knows its visitor
OWN = 0.025  # seconds that older jobs of the same visitor count, which do not give way to theirs
LOOK = 0.03  # seconds between two looks at what waits
PATIENCE = 2  # processes that die before they are ready, one after the other, before those who wait are told
DEADLY = (
    "This has ended the process that computed it, and another one: it may need more memory than there is; take fewer "
    "samples or steps, or a smaller network."
)
NOBODY = "The processes that compute cannot be started; the server's log says more."


class Office:
    """Lives in the thread of `loop`, but for `device` and `settled`. The arguments are those of `Processes`.

    settled: set once the device is known.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        kinds: str,
        device: str,
        workers: int,
        own: bool,
        registered: Callable[[], tuple],
        answers: Answers,
    ):
        self._loop, self._kinds, self._workers, self._own = loop, kinds, workers, own
        self._registered, self._answers = registered, answers
        self.device, self.settled = device, threading.Event()
        self._hands: list[Hand] = []
        self._waiting: list[Order] = []
        self._ledger, self._durations = Ledger(), Durations()
        self._homes: LRUCache = LRUCache(10_000)  # visitor -> the process that had their last job
        self._visitors: LRUCache = LRUCache(10_000)  # visitor -> number
        self._met, self._failures, self._closing, self._timer = 0, 0, False, None
        self._begun: set = set()

    # what is asked

    def take(self, order: Order) -> None:
        self._waiting.append(order)
        self._dispatch()

    def more(self, order: Order) -> None:
        """An answer was read; further ones can come."""
        for hand in self._hands:
            if order.number in hand.orders:
                hand.say(frame(Say.MORE, order.number))

    def leave(self, order: Order, why: type[BaseException]) -> None:
        """Nobody waits for its answers any more."""
        self._end(order, None, why())
        if order in self._waiting:
            self._waiting.remove(order)
        for hand in self._hands:
            if order.number in hand.orders:
                hand.say(frame(Say.END, order.number))

    async def move(self, device: str) -> None:
        """Compute on another device. Raises Refused."""
        while True:
            if self._hopeless:
                raise Refused(NOBODY)
            ready = [hand for hand in self._hands if hand.ready and hand.moved is None]
            if not ready:
                await asyncio.sleep(LOOK)
                continue
            ready[0].moved = self._loop.create_future()
            ready[0].say(frame(Say.MOVE, content=device.encode()))
            try:
                name, refused = await ready[0].moved
            except ConnectionError:
                continue
            if refused is not None:
                raise Refused(refused)
            self._settle(name)
            return

    async def close(self) -> list:
        """Every job ends, and every process; returns the processes, which are about to."""
        self._closing = True
        for order in [*self._waiting, *(order for hand in self._hands for order in hand.orders.values())]:
            self._end(order, None, Ended())
        for task in self._begun:
            task.cancel()
        ending = list(self._hands)
        for hand in ending:
            hand.end()
        return [hand.process for hand in ending if hand.process is not None]

    # the processes

    def fit(self) -> None:
        """Let there be as many processes as there should be."""
        if self._closing:
            return
        wanted = self._workers if self.device in ("cpu", "auto") else 1
        staying = [hand for hand in self._hands if not hand.leaving]
        for _ in range(wanted - len(staying)):
            hand = Hand(self)
            self._hands.append(hand)
            task = self._loop.create_task(self._begin(hand))
            self._begun.add(task)
            task.add_done_callback(self._begun.discard)
        for hand in sorted(staying, key=lambda one: one.ready)[: max(len(staying) - wanted, 0)]:
            hand.leaving = True
            self._dismiss(hand)

    @property
    def _hopeless(self) -> bool:
        """Whether no process is there, and several could not begin."""
        return self._failures >= PATIENCE and not any(one.ready for one in self._hands)

    async def _begin(self, hand):
        await asyncio.sleep(min(2.0**self._failures - 1, 30))
        hand.known = self._registered()
        place = Place(self._kinds, self.device, self._own, self._workers, os.environ.get("EDM_RUNS"), hand.known)
        try:
            await hand.begin(self._loop, place)
        except Exception as error:
            logging.getLogger(__name__).error("a process that computes could not be started: %s", error)
            self.lost(hand)

    def _dismiss(self, hand):
        if hand.leaving and not hand.orders and hand.transport is not None:
            hand.transport.close()

    def lost(self, hand: Hand) -> None:
        """A process has ended. Its jobs are for others."""
        self._hands.remove(hand)
        if hand.moved is not None and not hand.moved.done():
            hand.moved.set_exception(ConnectionError())
        if self._closing or hand.leaving:
            return
        logging.getLogger(__name__).warning("a process that computes has died; another takes its place")
        self._failures = 0 if hand.ready else self._failures + 1
        blamed = [order for order in hand.orders.values() if order.young] or list(hand.orders.values())
        for order in hand.orders.values():
            order.deaths += 1
            order.blamed += order in blamed
            order.passed, order.since = 0, time.monotonic()
            if order.deadly:
                self._end(order, None, Told(DEADLY))
            elif not order.over:
                self._waiting.append(order)
        if self._hopeless:
            self.settled.set()  # who asks for the device need not wait
            for order in self._waiting:
                self._end(order, None, Told(NOBODY))
            self._waiting.clear()
        self.fit()
        self._dispatch()

    def heard(self, hand: Hand, say: Say, number: int, content: bytes) -> None:
        """What a process says."""
        order = hand.orders.get(number)
        if say == Say.OVER:
            del hand.orders[number]
            self._over(order, *of_over(content))
            self._dismiss(hand)
            self._dispatch()
        elif say == Say.ANSWER and order is not None:
            order.passed += 1
            if order.passed > order.given and not order.over:
                order.given += 1
                order.put(content, None, False)
            else:
                hand.say(frame(Say.MORE, number))
        elif say == Say.READY:
            hand.ready, self._failures = True, 0
            if not self.settled.is_set():
                self._settle(content.decode())
            elif content.decode() != self.device:
                hand.say(frame(Say.MOVE, content=self.device.encode()))
            self._dismiss(hand)
            self._dispatch()
        elif say == Say.MOVED:
            moved, hand.moved = hand.moved, None
            if moved is not None:
                moved.set_result(pickle.loads(content))
        elif say == Say.LOG:
            record = logging.makeLogRecord(pickle.loads(content))
            logging.getLogger(record.name).handle(record)

    def _settle(self, device):
        """Compute there from now on."""
        for hand in self._hands:
            if hand.ready:
                hand.say(frame(Say.MOVE, content=device.encode()))
        self.device = device
        self.settled.set()
        self.fit()

    # the jobs

    def _over(self, order, over, answer):
        self._ledger.add(order.visitor, over.seconds)
        self._ledger.learn(order.visitor, over.lately)  # threads of its own may have computed for it, too
        if answer or over.seconds > self._durations.of(order.sort):
            self._durations.learn(order.sort, over.seconds)
        if answer and over.files is not None:
            self._answers.keep(order.text, answer, over.files)
        error = Refused(over.refused) if over.refused is not None else None
        self._end(order, answer or None, Told(over.failed) if over.failed is not None else error)

    def _end(self, order, answer, error):
        if not order.over:
            order.over = True
            order.put(answer, error, True)

    def _dispatch(self):
        """Give away what waits, first to those who have computed the least lately."""
        hands = [hand for hand in self._hands if hand.ready and not hand.leaving]
        for order in sorted(self._waiting, key=lambda one: (self._ledger.lately(one.visitor), one.number)):
            hand = self._chosen(order, hands)
            if hand is not None:
                self._waiting.remove(order)
                self._give(order, hand)
        if self._waiting and hands and self._timer is None:
            self._timer = self._loop.call_later(LOOK, self._look)

    def _look(self):
        self._timer = None
        self._dispatch()

    def _chosen(self, order, hands) -> Hand | None:
        ahead = {hand: self._ahead(order, hand) for hand in hands if order.beside(hand.orders.values())}
        least = min(ahead.values(), default=AHEAD + 1)
        if least > AHEAD:
            return None
        home = self._homes.get(order.visitor)
        if home in ahead and ahead[home] <= min(least + HOME, AHEAD):
            return home
        return min(ahead, key=lambda hand: (ahead[hand], len(hand.orders)))

    def _ahead(self, order, hand) -> float:
        """Seconds of work that lie in a process before a job."""
        mine, seconds, own = self._ledger.lately(order.visitor), 0.0, 0.0
        for k, other in enumerate(hand.orders.values()):
            if other.over:
                continue
            theirs = self._ledger.lately(other.visitor)
            if other.fresh and (not gives_way(theirs, 0.0, mine) if k == 0 else theirs <= mine):
                seconds += self._durations.of(other.sort)
            elif other.visitor == order.visitor:
                own = OWN
        return seconds + own

    def _give(self, order, hand):
        registered = self._registered()
        if registered is not hand.known:
            hand.known = registered
            hand.say(pickled(Say.MODELS, 0, registered))
        visitor = self._visitors.get(order.visitor)
        if visitor is None:
            self._met += 1
            visitor = self._visitors[order.visitor] = self._met
        order.since = time.monotonic()
        hand.orders[order.number] = order
        self._homes[order.visitor] = hand
        hand.say(pickled(Say.JOB, order.number, Task(order.text, visitor, self._ledger.lately(order.visitor))))
