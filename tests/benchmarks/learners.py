"""A class in a lesson, without browsers: each learner opens a step, sees its picture, answers, and is told what comes
of it; then moves a knob, and has that measured again; then the next step. All listen to the teacher meanwhile.

A move counts from when it was due to when its last answer had come whole. The first reveal of a step is the same for
all; after the knob each third of them has settings of its own. Lost is a move that got an error, or nothing.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections import Counter, defaultdict
from contextlib import suppress
from functools import partial
from urllib.parse import parse_qsl

import httpx
import numpy as np

from edm import lessons
from edm.base.errors import Refused, shown
from tests.benchmarks.crowd import FAULTS
from tests.benchmarks.protocol import Fault, Lines
from tests.benchmarks.served import served

CLASS, TEACHER = "chalk and slate", "red pencil"
PAUSE = 2.0  # seconds between two moves of a learner: they read
KNOB = {0: "9", 1: "14", 2: "24"}  # N, after the knob was moved


class Learner:
    """One visit. took: kind of move -> seconds of each. faults: why moves were lost."""

    def __init__(self, address: str, number: int, took: dict[str, list[float]], faults: Counter):
        answer = httpx.post(f"{address}login", data={"username": f"learner{number}", "password": CLASS}, timeout=60)
        cookies = "; ".join(f"{name}={value}" for name, value in answer.raise_for_status().cookies.items())
        self._ways = {way: Lines(address, cookies) for way in ("asks", "listens")}
        self._number, self._serial, self._took, self._faults = number, 0, took, faults

    async def listen(self) -> None:
        """To what the class is told."""
        async for _ in self._ways["listens"].lines("class", {"serial": 1}):
            pass

    async def ask(self, event: str, **message) -> dict:
        self._serial += 1
        text = await self._ways["asks"].ask(event, {"serial": self._serial, **message})
        answer = json.loads(text)
        if "error" in answer:
            raise Fault(f"{event}: {answer['error']}")
        return answer["body"]

    async def learn(self, name: str, start: float, end: float) -> None:
        """Go through the lesson, again and again, from start to end."""
        lesson = await self.ask("lesson", name=name)
        due = start + random.Random(self._number).random() * PAUSE
        while True:
            for k, step in enumerate(lesson["steps"], 1):
                opened = {key: text for key, text in parse_qsl(step["open"]) if "." not in key and key != "show"}
                moved = opened | {"steps": KNOB[self._number % len(KNOB)]}
                for kind, move in {
                    "step": partial(self._opened, name, k, opened),
                    "answer": partial(self._told, name, k, step, opened),
                    "knob": partial(self.ask, "ask", values=moved, field=None),
                    "measured again": partial(self._told, name, k, step, moved),
                }.items():
                    if due > end:
                        return
                    await asyncio.sleep(max(0.0, due - time.perf_counter()))
                    try:
                        await move()
                        self._took[kind].append(time.perf_counter() - due)
                    except FAULTS as error:
                        self._faults[str(error) or type(error).__name__] += 1
                    due = max(due + PAUSE, time.perf_counter())

    async def _opened(self, name, k, shown):
        await self.ask("open", query=f"?lesson={name}&step={k}")
        await self.ask("ask", values=shown, field=None)

    async def _told(self, name, k, step, shown):
        if step["ask"]:
            await self.ask("predict", lesson=name, step=k, answer=self._number % 2)
        if not (await self.ask("reveal", step=step, values=shown))["told"] and step["reveal"]:
            raise Fault("nothing was told")

    def leave(self) -> None:
        for way in self._ways.values():
            way.leave()


async def lesson(address: str, name: str, count: int, seconds: float):
    """(seconds of each move by its kind, what went wrong) of so many learners."""
    took, faults = defaultdict(list), Counter()
    learners = [Learner(address, number, took, faults) for number in range(count)]
    listening = [asyncio.create_task(learner.listen()) for learner in learners]
    start = time.perf_counter() + 1
    await asyncio.gather(*(learner.learn(name, start, start + seconds) for learner in learners))
    faults["the class' channel was cut"] += sum(one.done() for one in listening)
    for one in listening:
        one.cancel()
    with suppress(asyncio.CancelledError):
        await asyncio.gather(*listening, return_exceptions=True)
    for learner in learners:
        learner.leave()
    return took, +faults


def one_line(options) -> None:
    """One line, of the code that is here; each kind of move goes to stderr. Raises Refused for an unknown lesson."""
    if options.lesson not in lessons.names():
        raise Refused(f"--lesson {shown(options.lesson)}: there are {', '.join(lessons.names())}")
    passwords = ("--classroom", "--password", CLASS, "--teacher-password", TEACHER)
    with served(more=passwords) as (_, address):
        took, faults = asyncio.run(lesson(address, options.lesson, options.count, options.seconds or 60))
    every = 1000 * np.array([one for each in took.values() for one in each])
    if not len(every):
        print(f"no move was answered: {faults}", file=sys.stderr)
        return
    p50, p95 = np.quantile(every, (0.5, 0.95))
    times = f"p50 {p50:.0f} ms, p95 {p95:.0f} ms"
    print(f"{options.count} learners in {options.lesson}: {len(every)} moves, {times}, lost {sum(faults.values())}")
    for kind, each in took.items():
        p50, p95 = 1000 * np.quantile(each, (0.5, 0.95))
        print(f"{kind}: {len(each)}, p50 {p50:.0f} ms, p95 {p95:.0f} ms", file=sys.stderr)
    for why, number in faults.most_common():
        print(f"lost {number}: {why}", file=sys.stderr)
