"""The computing behind the Sampler tab: results as message bodies, cached by content, and their measures."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing

import torch
from cachetools import LRUCache

from app import snippets
from app.figures import pack
from app.slots import Slots, visitor_of
from edm import diagnostics, models, runner
from edm.base.errors import Refused
from edm.experiments.experiment import Experiment
from edm.sampling.loop import last, sample
from edm.sampling.noise import seeds
from edm.sampling.path import path_of

PREVIEW_SECONDS = 0.12  # between pictures of an unfinished run
MEASURED_SAMPLES = 1000  # the measures look at this many samples at the most
MEASURED_IMAGES, HEAVY_REFERENCE_STEPS = 8, 96  # of trained image models, where an evaluation costs milliseconds
FIELD_COLUMNS, FIELD_ROWS = 27, 17
WINDOW = 1.3  # half height of the picture in units of the data's reach
FOLLOW_WINDOW = 2.6  # the same in units of √(σ² + σ_data²)


class Work:
    """All results of one server. Thread-safe: its caches are locked, everything else is pure.

    own: who looks owns this machine, and may see where things lie (`app.snippets.complete`).
    """

    def __init__(self, device, megabytes: int = 256, own: bool = True):
        self.device, self.own = device, own
        self._lock = threading.Lock()
        self._results: LRUCache = LRUCache(megabytes << 20, getsizeof=len)
        self._known: LRUCache = LRUCache(512)
        self.slots = Slots(max(2, os.cpu_count() or 1))

    def results(self, experiment: Experiment, field: dict | None, guard: Callable) -> Iterator[tuple[str, bool]]:
        """(message body, finished?) of the experiment: previews while it runs, then the whole.

        field: {"aspect": w/h, "follow": bool} where arrows are wanted. guard: wraps the denoiser, to stop it.
        """
        key = json.dumps([_identity(experiment), field])
        with self._lock:
            cached = self._results.get(key)
        if cached:
            yield cached, True
            return
        model = models.of(experiment)
        started = time.perf_counter()
        for states, ended in self.paced(runner.states(experiment, self.device, guard), visitor_of(guard)):
            if not ended:
                yield json.dumps(self._body(experiment, model, states, started)), False
        body = self._body(experiment, model, states, started)
        if field and model.shape == (2,):
            with self.slots.turn(visitor_of(guard)):
                body["field"] = self._field(experiment, model, states, field, guard)
        text = json.dumps(body)
        with self._lock:
            if len(text) <= self._results.maxsize:
                self._results[key] = text
            self._known["final", _identity(experiment)] = states[-1].x.cpu()
        yield text, True

    def paced(self, items: Iterable, visitor=None) -> Iterator[tuple[list, bool]]:
        """(all items so far, is it the end?) whenever it is time for a picture. Computes in the visitor's turn."""
        done: list = []
        items, ended = iter(items), False
        while not ended:
            # never wait for the reader of a preview inside a slot: a visitor who leaves would keep it for ever
            with self.slots.turn(visitor):
                due = time.perf_counter() + PREVIEW_SECONDS
                while not ended:
                    try:
                        done.append(next(items))
                    except StopIteration:
                        ended = True
                    if time.perf_counter() > due:
                        break
            yield done, ended

    def _body(self, experiment, model, states, started) -> dict:
        path = path_of(experiment.sampling, model.denoiser)
        body = {
            "model": model.name,
            "title": model.title,
            "sigmaData": model.sigma_data,
            "levels": path.sigmas,
            "notes": path.notes,
            "milliseconds": 1000 * (time.perf_counter() - started),
            "run": pack.trajectory(states, model.sigma_data),
            "document": _key(experiment),
            "python": snippets.python(experiment, self.own),
            "command": snippets.command(experiment, self.own),
        }
        if model.name == "drawn":
            body["components"] = pack.components(model.denoiser)
        if model.shape == (1,):
            body["axis"] = pack.time_axis(path.schedule, path.scaling, states[0].sigma)
        return body

    def _field(self, experiment, model, states, field, guard) -> dict:
        denoiser = guard(model.denoiser.to(self.device))
        half = FOLLOW_WINDOW if field["follow"] else WINDOW
        grid = diagnostics.window_grid(half * field["aspect"], half, FIELD_COLUMNS, FIELD_ROWS).to(self.device)
        sigmas = [states[i].sigma for i in pack.chosen_states(len(states), states[0].x.numel())]
        # the last state has σ = 0, where nothing moves: its arrows are those of the level before
        sigmas[-1] = sigmas[-2]
        follow = model.sigma_data if field["follow"] else None
        arrows = diagnostics.direction_field(denoiser, grid, sigmas, follow)
        return {"positions": pack.float32(grid.cpu()), "arrows": pack.float32(arrows.cpu())}

    def probe(self, experiment: Experiment, level: int, position: list[float], guard: Callable) -> dict:
        """The path of one particle from `position` (of x/s) at noise level i down to 0, as those beside it go: on the
        same levels, with the noise of the sample that is nearest there. {level, sigma: of the levels, path}."""
        model = models.of(experiment)
        path = path_of(experiment.sampling, model.denoiser)
        level = min(max(level, 0), path.steps - 1)
        if not all(abs(value) < 1e6 for value in position):
            raise Refused(f"position {position} is outside of every picture")
        start = torch.tensor([position], dtype=torch.float32, device=self.device)
        _, labels = runner.start(experiment, self.device)
        k = self._nearest(experiment, level, start, guard) if path.stochastic else 0
        labels = None if labels is None else labels[k : k + 1]
        own = seeds(experiment.sampling.seed, 1, k)
        begin = level, start * path.scale(level)
        denoiser = guard(model.denoiser.to(self.device))
        found = sample(denoiser, None, experiment.sampling, labels, seeds=own, begin=begin)
        line = [(state.x / state.scale)[0].tolist() for state in found]
        return {"level": level, "sigma": list(path.sigmas[level:]), "path": line}

    def _nearest(self, experiment, level, position, guard) -> int:
        """Which sample is nearest to a position at a noise level."""

        def there():
            with closing(runner.states(experiment, self.device, guard)) as states:
                state = next(state for state in states if state.index == level)
            return state.x / state.scale

        samples = self.remember(("there", _identity(experiment), level), there)
        return int((samples - position).square().sum(1).argmin())

    def measures(self, experiment: Experiment, guard: Callable) -> dict:
        """How good the result is, over its first samples, in the data's units.

        error: RMS distance to the ODE's exact solution; None with churn, where there is none.
        distance: sliced Wasserstein to the data, and floor: what true samples would give; None for images.
        """
        model = models.of(experiment)
        final = self.remember(("final", _identity(experiment)), lambda: self._final(experiment, guard))
        final, stochastic = final[:MEASURED_SAMPLES], path_of(experiment.sampling, model.denoiser).stochastic
        measures = {"error": None, "distance": None, "floor": None, "stochastic": stochastic}
        if not measures["stochastic"]:
            count = self.measured(model, len(final))
            exact = self._reference(experiment, model, count, guard)
            measures["error"] = diagnostics.rms_error(final[:count], exact)
        dataset = model.dataset
        if len(model.shape) == 1 and dataset is not None:
            name = dataset.name, experiment.points
            truth = self.remember(("data", name), lambda: diagnostics.true_points(dataset))
            measures["distance"] = diagnostics.sliced_wasserstein(final, truth)
            measures["floor"] = self.remember(
                ("floor", name, len(final)), lambda: diagnostics.data_floor(dataset, len(final), truth)
            )
        return measures

    def plain(self, experiment: Experiment, guard: Callable = lambda denoiser: denoiser) -> dict:
        """The result as plain numbers, for scripts that talk to the server."""
        final = self.remember(("final", _identity(experiment)), lambda: self._final(experiment, guard))
        return {
            "samples": final.tolist(),
            "levels": list(path_of(experiment.sampling, models.of(experiment).denoiser).sigmas),
            "measures": self.measures(experiment, guard),
            "settings": experiment.document(),
        }

    def _reference(self, experiment, model, count, guard):
        """Depends on the start only, so it is computed once while solver, steps, schedule … are tried."""
        sampling = experiment.sampling
        start = path_of(sampling, model.denoiser).sigmas[0]
        name = "reference", model.identity, experiment.points, experiment.label, count, sampling.seed, start

        def solve():
            z, labels = runner.start(experiment, self.device)
            denoiser = guard(model.denoiser.to(self.device))
            labels = None if labels is None else labels[:count]
            steps = self.reference_steps(model)
            with self.slots.turn(visitor_of(guard)):
                return diagnostics.reference(denoiser, z[:count], sampling, labels, steps).cpu()

        return self.remember(name, solve)

    @staticmethod
    def measured(model, count: int) -> int:
        """How many of `count` samples the error is measured on."""
        return min(count, MEASURED_IMAGES if _is_heavy(model) else MEASURED_SAMPLES)

    @staticmethod
    def reference_steps(model) -> int:
        """N of the fine solution that it is measured against."""
        return HEAVY_REFERENCE_STEPS if _is_heavy(model) else diagnostics.REFERENCE_STEPS

    def _final(self, experiment, guard):
        with self.slots.turn(visitor_of(guard)):
            return last(runner.states(experiment, self.device, guard)).x.cpu()

    def remember(self, key, make):
        """The value under `key`, made now if it is not known. Two threads may make it at once; both are right."""
        with self._lock:
            if key in self._known:
                return self._known[key]
        value = make()
        with self._lock:
            self._known[key] = value
        return value


def _is_heavy(model) -> bool:
    return model.trained and len(model.shape) == 3


def _identity(experiment: Experiment) -> str:
    """What its results are kept under: the settings, and which model it is that has their model's name."""
    return json.dumps([experiment.document(), models.of(experiment).identity])


def _key(experiment: Experiment) -> str:
    return json.dumps(experiment.document())
