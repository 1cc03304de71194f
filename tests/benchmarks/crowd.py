"""Visitors who move a knob, all of them in this one process: what is answered, how soon, and what is lost.

Each is a visit of its own, with a move due every so many seconds at a phase of its own. As on the page
(assets/page/shared/latest.js), a visitor has one question on its way at most, and asks for the newest state when the
answer is there; a state that has waited while a newer one came is overtaken, and nobody misses it. The time of a move
counts from when it was due to when its finished picture had come whole. Lost is a move that was asked for and got no
finished picture that is right: an error, another's serial, too few particles or levels, numbers that are not finite,
another state's levels, no answer in `PATIENCE`; and of some, chosen by chance, numbers that are not the library's.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import random
import sys
import time
from dataclasses import asdict, dataclass, field

import numpy as np

from tests.benchmarks.protocol import PATIENCE, Fault, Lines, Queue

PROTOCOLS = {"lines": Lines, "queue": Queue}
SAMPLES, STEPS = 400, 40
SIGMA_MAX, SIGMA_MIN = 80, 0.002
COMPARED, TOLERANCE = 8, 1e-5  # moves that are computed here again; of the largest number of their level
FAULTS = (Fault, OSError, EOFError, ValueError, KeyError, TypeError)


@dataclass
class Tally:
    """One visitor's moves: `due` when a hand makes one, `take` when they can ask; then it is answered or lost."""

    took: list[float] = field(default_factory=list)  # seconds of each move that was answered
    asked: int = 0
    overtaken: int = 0  # before they were asked for
    faults: list[str] = field(default_factory=list)  # why moves were lost
    _newest: tuple[int, float] | None = None

    def due(self, move: int, when: float) -> None:
        self.overtaken += self._newest is not None
        self._newest = move, when

    def take(self) -> tuple[int, float] | None:
        """The newest move that has not been asked for, and when it was due."""
        newest, self._newest = self._newest, None
        self.asked += newest is not None
        return newest


@dataclass(frozen=True)
class Crowd:
    """visitors: how many. every: seconds between two moves of one. protocol: of `PROTOCOLS`."""

    address: str
    protocol: str = "lines"
    model: str = "eight_gaussians"
    visitors: int = 30
    seconds: float = 60
    every: float = 0.5
    seed: int = 0

    def rho(self, visitor: int, move: int) -> float:
        """Of the state that a visitor's move asks for, which no other move does."""
        return round(5 + 1e-4 * ((move + 1) * self.visitors + visitor), 4)

    def message(self, visitor: int, move: int) -> dict:
        values = {"count": str(SAMPLES), "steps": str(STEPS), "solver": "euler", "rho": repr(self.rho(visitor, move))}
        return {"serial": move + 2, "values": {"model": self.model, **values}, "field": None}


def levels(rho: float) -> np.ndarray:
    """Equation 5 of the paper, with the σ = 0 at the end."""
    ends = SIGMA_MAX ** (1 / rho), SIGMA_MIN ** (1 / rho)
    return np.append((np.linspace(*ends, STEPS)) ** rho, 0)


def states_of(text: str, serial: int, rho: float) -> np.ndarray:
    """The states [STEPS + 1, SAMPLES, 2] of an answer that is whole and right. Raises Fault for any other."""
    answer = json.loads(text)
    if answer["serial"] != serial:
        raise Fault(f"serial {answer['serial']} in the answer to {serial}")
    if "error" in answer:
        raise Fault(answer["error"])
    if not answer["finished"]:
        raise Fault("it ends with a preview")
    body = answer["body"]
    if len(body["levels"]) != STEPS + 1 or not np.allclose(body["levels"], levels(rho), rtol=1e-5, atol=0):
        raise Fault("the levels of another state")
    run = body["run"]
    try:
        numbers = np.frombuffer(base64.b64decode(run["x"], validate=True), "<f4")
    except binascii.Error:
        raise Fault("particles that are cut off") from None
    shape = STEPS + 1, SAMPLES, 2
    if run["index"] != list(range(STEPS + 1)) or run["count"] != SAMPLES or numbers.size != np.prod(shape):
        raise Fault(f"{run['count']} particles at {len(run['index'])} levels, in {numbers.size} numbers")
    if not np.isfinite(numbers).all():
        raise Fault("numbers that are not finite")
    return numbers.reshape(shape)


async def visit(crowd: Crowd, client, number: int, start: float, tally: Tally, keep) -> None:
    """One visitor's moves, from `start` on. keep: ((visitor, move), states) -> None, of each that is right."""
    phase = random.Random(f"{crowd.seed} {number}").random() * crowd.every
    news, over = asyncio.Event(), False

    async def hand():
        nonlocal over
        for k in range(round(crowd.seconds / crowd.every)):
            due = start + phase + k * crowd.every
            await asyncio.sleep(due - time.perf_counter())
            tally.due(k, due)
            news.set()
        over = True
        news.set()

    moving = asyncio.create_task(hand())
    while True:
        if newest := tally.take():
            await _asked(crowd, client, number, *newest, tally, keep)
        elif over:
            return await moving
        else:
            news.clear()
            await news.wait()


async def _asked(crowd, client, number, move, due, tally, keep):
    """One move that is asked for, and what becomes of it."""
    message = crowd.message(number, move)
    try:
        text = await client.ask("ask", message)
        now = time.perf_counter()
        states = states_of(text, message["serial"], crowd.rho(number, move))
    except TimeoutError:
        tally.faults.append(f"no answer in {PATIENCE} s")
    except FAULTS as error:
        tally.faults.append(str(error) or type(error).__name__)
    else:
        tally.took.append(now - due)
        keep((number, move), states)


async def visits(crowd: Crowd, keep, begun) -> list[Tally]:
    """All of them. begun: called once everybody is there and has a first picture, as the clock starts."""
    clients = [PROTOCOLS[crowd.protocol](crowd.address) for _ in range(crowd.visitors)]
    for number, client in enumerate(clients):
        await client.come()
        states_of(await client.ask("ask", crowd.message(number, -1)), 1, crowd.rho(number, -1))
    tallies = [Tally() for _ in clients]
    begun()
    start = time.perf_counter()
    each = zip(range(crowd.visitors), clients, tallies, strict=True)
    await asyncio.gather(*(visit(crowd, client, number, start, tally, keep) for number, client, tally in each))
    for client in clients:
        client.leave()
    return tallies


class Kept:
    """A few of many answers, each as likely as any other."""

    def __init__(self, seed: int):
        self.found: list[tuple[tuple[int, int], np.ndarray]] = []
        self._dice, self._seen = random.Random(seed), 0

    def __call__(self, key, states) -> None:
        self._seen += 1
        if len(self.found) < COMPARED:
            self.found.append((key, states))
        elif (place := self._dice.randrange(self._seen)) < COMPARED:
            self.found[place] = key, states


def unlike(crowd: Crowd, kept: Kept) -> int:
    """How many of the kept answers are not what the library computes."""
    import edm  # torch, too, which has no business in here while the clock runs

    denoiser, seeds, wrong = edm.models.load(crowd.model).denoiser, edm.seeds(0, SAMPLES), 0
    for key, states in kept.found:
        sampling = edm.Sampling(solver="euler", steps=STEPS, rho=crowd.rho(*key))
        found = edm.sample(denoiser, edm.latents(seeds, denoiser.shape), sampling, seeds=seeds)
        own = np.stack([state.x.numpy() for state in found])
        wrong += bool((abs(states - own).max((1, 2)) > TOLERANCE * abs(own).max((1, 2))).any())
    return wrong


def main():
    """argv: a `Crowd` as JSON. Says when the clock starts, and then what became of the moves."""
    crowd, marks = Crowd(**json.loads(sys.argv[1])), []

    def begun():
        print(json.dumps({"begun": True}), flush=True)
        marks.extend((time.perf_counter(), time.process_time()))

    kept = Kept(crowd.seed)
    tallies = asyncio.run(visits(crowd, kept, begun))
    wall, own = time.perf_counter() - marks[0], time.process_time() - marks[1]
    print(json.dumps({"tallies": [asdict(tally) for tally in tallies], "share": own / wall}), flush=True)
    print(json.dumps({"compared": len(kept.found), "unlike": unlike(crowd, kept)}))


if __name__ == "__main__":
    main()
