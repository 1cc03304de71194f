"""What scripts ask for (`/sample`): in turn with all others, a few at once, within bounds, while they wait for it."""

from __future__ import annotations

import asyncio
import math
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import torch

from app.transport.presence import Left, attended, present
from app.work.jobs import Job, Pool, body_of
from app.work.measures import measured, plain, reference_steps
from app.work.shared import Work
from app.work.tickets import Ticket
from app.work.watch import Watch
from edm import models, runner
from edm.base import documents
from edm.base.errors import Refused, shown
from edm.base.flat import unflatten
from edm.experiments.experiment import Experiment
from edm.sampling.denoisers import on
from edm.sampling.path import path_of
from edm.solvers import SOLVERS

AT_ONCE = 2  # of one visitor
MOST_WAITING = 30  # of one visitor, beside those
MOST_SECONDS = 20.0  # of computing
MOST_NUMBERS = 4_000_000  # in an answer
SEVERAL = 256, 16  # points, and images, whose evaluation is timed
LOOP = 1e-4  # seconds of a step beside its evaluation
THREADS = 64
PAUSE = 0.05  # seconds between two looks for a place


class Numbers(Job):
    """The samples of an experiment as plain numbers, and their measures. Raises Refused if that would take too long."""

    kind: ClassVar[str] = "numbers"

    experiment: Experiment

    def compute(self, work: Work, watch: Watch) -> Iterator[tuple[dict, bool]]:
        check_cost(self.experiment, work, watch)
        yield plain(self.experiment, work, watch), True


class Scripts:
    """Answers scripts. key: a gr.Request -> who has sent it."""

    def __init__(self, pool: Pool, key: Callable):
        self._pool, self._key = pool, key
        self._running, self._waiting = Counter(), Counter()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="scripts")

    async def sample(self, settings: dict, request) -> dict:
        """The samples of an experiment document, and their measures (see `Numbers`).

        Raises Refused for what cannot be or would take too long, and Left once nobody waits for it.
        """
        job = Numbers(experiment=asked(settings))
        visitor, gone = self._key(request), threading.Event()
        if self._waiting[visitor] >= MOST_WAITING:
            raise Refused(f"{MOST_WAITING} requests of yours are waiting already; send the next when some are over")

        def leave():
            if gone.is_set():
                raise Left("nobody waits for this")

        def numbers():
            return body_of(self._pool.run(job, Ticket(visitor, (leave,))))

        task = asyncio.ensure_future(self._placed(visitor, leave, numbers))
        return await attended(task, present(request), gone)

    async def _placed(self, visitor, leave, compute):
        self._waiting[visitor] += 1
        try:
            while self._running[visitor] >= AT_ONCE:
                await asyncio.sleep(PAUSE)
                leave()
        finally:
            self._waiting -= Counter([visitor])  # which forgets who has none
        self._running[visitor] += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, compute)
        finally:
            self._running -= Counter([visitor])


def asked(settings) -> Experiment:
    """The settings that a script sends: fields by their names, in their groups, or both. Raises Refused."""
    if not isinstance(settings, dict):
        raise Refused(f'settings are names and values, like {{"model": "spiral", "steps": 10}}, not {shown(settings)}')
    return Experiment.parse(unflatten(documents.plain(settings, "the request"), Experiment))


def check_cost(experiment: Experiment, work: Work, watch: Watch) -> None:
    """Raises Refused, with the estimate, if sampling and measuring take more than a script may have."""
    model, count, sampling = models.of(experiment), runner.count(experiment), experiment.sampling
    path = path_of(sampling, model.denoiser)
    parts = [(torch.float32, SOLVERS[sampling.solver].evaluations(path.steps), count)]
    if not path.stochastic:  # the error is against a fine solution
        fine = SOLVERS["heun"].evaluations(reference_steps(model))
        parts.append((torch.float64, fine, measured(model, count)))
    seconds = 0.0
    for kind, evaluations, samples in parts:
        key = "seconds", model.identity, len(experiment.points or ()), kind
        first, further = work.remember(key, lambda kind=kind: _seconds(model, kind, work, watch))
        seconds += evaluations * (first + further * (samples - 1))
    if seconds > MOST_SECONDS:
        told = " and ".join(f"{evaluations:,} evaluations of {samples:,} samples" for _, evaluations, samples in parts)
        raise Refused(
            f"this would take about {seconds:,.0f} s ({told}), and a script may have {MOST_SECONDS:g} s: lower count "
            "or steps, or use `python -m edm sample`"
        )
    numbers = count * math.prod(model.shape)
    if numbers > MOST_NUMBERS:
        raise Refused(f"the answer would have {numbers:,} numbers, and may have {MOST_NUMBERS:,}: lower count")


def _seconds(model, kind, work, watch) -> tuple[float, float]:
    """Of an evaluation of one sample here, in float32 or float64, and what each further one adds."""
    denoiser, many = watch(on(model.denoiser, work.device)), SEVERAL[len(model.shape) == 3]

    def once(number):
        x = torch.zeros(number, *model.shape, dtype=kind, device=work.device)
        labels = [torch.zeros(number, dtype=torch.long, device=work.device)] if model.trained and model.classes else []
        begun = time.perf_counter()
        denoiser(x, 1.0, *labels).cpu()
        return time.perf_counter() - begun

    with watch.turn(), torch.no_grad():
        one, several = (statistics.median(once(number) for _ in range(3)) for number in (1, many))
    return one + LOOP, max(several - one, 0) / (many - 1)
