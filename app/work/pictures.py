"""Pictures: an experiment's states as they come, and where the flow goes around them."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import takewhile
from typing import ClassVar

import torch

from app.figures import pack
from app.figures.written import text
from app.work import snippets
from app.work.hasty import hasty
from app.work.jobs import Job
from app.work.nearest import beside
from app.work.quick import previewed
from app.work.shared import Work, files_of, identity
from app.work.watch import Watch
from edm import diagnostics, models, runner
from edm.base.fields import Settings
from edm.base.transfers import sent
from edm.data import sources
from edm.experiments import algorithm
from edm.experiments.experiment import Experiment
from edm.plots.panels import rounded
from edm.sampling.cascade import Cascade
from edm.sampling.computing import has_network
from edm.sampling.denoisers import Denoise

FIELD_COLUMNS, FIELD_ROWS = 27, 17
WINDOW = 1.3  # half height of the picture in units of the data's reach
FOLLOW_WINDOW = 2.6  # the same in units of √(σ² + σ_data²)


class Window(Settings):
    """Where arrows are wanted. aspect: width over height. follow: it follows σ."""

    aspect: float = 1.0
    follow: bool = False


class Picture(Job):
    """Previews while the experiment runs, then the whole. field: None where no arrows are wanted.

    Where a network takes long, a whole picture by few evaluations comes first (`app.work.quick`). moving: a knob is
    being moved, so that previews are of a run in bf16, if that is quicker here (`app.work.hasty`). What follows, and
    whatever is kept or measured, is of one in float32.
    """

    kind: ClassVar[str] = "picture"

    experiment: Experiment
    field: Window | None = None
    moving: bool = False

    def files(self) -> dict[str, str | None]:
        return files_of(self.experiment)

    def compute(self, work: Work, watch: Watch) -> Iterator[tuple[str, bool]]:
        experiment, model = self.experiment, models.of(self.experiment)
        known = identity(experiment, model)
        key = json.dumps([known, self.field and self.field.document(complete=True)])
        if kept := work.answer(key):
            yield kept, True
            return
        count = runner.count(experiment, model)
        place, head = work.place(model, count), _head(experiment, model, work.own)
        exact = "float32" if has_network(model.denoiser) else None
        bases: list = []

        def written(states, milliseconds, since=0, precision=exact, levels=None, **more) -> str:
            run = pack.trajectory(states, model.sigma_data, since, model.plane, levels)
            more = {"milliseconds": milliseconds, "precision": precision, "run": run, **_low(bases), **more}
            return f"{head}, {text(more)[1:]}"

        shown = since = 0
        cast = hasty(model, place, count, work) if self.moving else None
        begun = time.perf_counter()
        if quick := previewed(experiment, model, work):
            how: dict = {"precision": "bf16" if cast else exact, "preview": quick.title}
            for states, levels in quick.pictures(place, watch, lambda inner: watch(cast(inner) if cast else inner)):
                yield written(states, 1000 * (time.perf_counter() - begun), since, levels=levels, **how), False
                since, shown = len(states), math.inf
        if shown:
            since = 0
        elif cast:
            begun = time.perf_counter()
            made = _heard(runner.denoiser(experiment, model, place, lambda inner: watch(cast(inner))), bases)
            states = _begun(runner.states(experiment, place, model=model, made=made), watch)
            yield written(states, 1000 * (time.perf_counter() - begun), precision="bf16"), False
            shown = len(states)
        begun = time.perf_counter()
        made = _heard(runner.denoiser(experiment, model, place, watch), bases)
        for states, ended in watch.paced(runner.states(experiment, place, model=model, made=made)):
            milliseconds = 1000 * (time.perf_counter() - begun)
            if not ended and len(states) > shown:  # else what is shown has come further
                yield written(states, milliseconds, since), False
                shown = since = len(states)
        more = {}
        if self.field and model.shape == (2,):
            with watch.turn():
                more["field"] = _arrows(experiment, model, states, self.field, place, watch)
        if len(model.shape) == 3:
            with watch.turn():
                more["nearest"] = _nearest(model, states[-1].x, work)
        whole = written(states, milliseconds, **more)
        work.keep(key, whole)
        work.remember(("final", known), lambda: states[-1].x.clone())  # not all that was fetched with it
        yield whole, True


def _heard(denoiser, bases) -> Denoise:
    """The denoiser of a run; of a cascade one that lays the samples of its base there, without and with their noise."""
    if isinstance(denoiser, Cascade):
        denoiser.heard = lambda images, z: bases.append((images, z))
    return denoiser


def _low(bases) -> dict:
    """What a cascade has begun with last; of what is none, nothing."""
    for base, z in bases[-1:]:
        images, noised = (pack.uint8(low.cpu().numpy()) for low in (base, z))
        return {"low": {"images": images, "noised": noised, "shape": list(base.shape[1:])}}
    return {}


def _begun(states, watch) -> list:
    """The states of a run up to its first preview, but for the last one, σ = 0."""
    with closing(states):
        found, _ = next(watch.paced(takewhile(lambda state: state.sigma > 0, states)))
    return found


def _head(experiment, model, own) -> str:
    """What all bodies of a picture have in common, as JSON text that goes on."""
    path = runner.path(experiment, model)
    head = {
        "model": model.name,
        "title": model.title,
        "sigmaData": model.sigma_data,
        "levels": path.sigmas,
        "evaluations": path.evaluations,
        "notes": path.notes,
        "document": json.dumps(experiment.document()),
        "python": snippets.python(experiment, own, model),
        "command": snippets.command(experiment, own, model),
        "algorithm": _algorithm(experiment, model, path),
    }
    if model.name == "drawn":
        head["components"] = pack.components(model.denoiser)
    if density := _density(experiment, model):
        head["density"] = density
    if model.shape == (1,):
        head["axis"] = pack.time_axis(path)
    return text(head)[:-1]


def _algorithm(experiment, model, path) -> dict:
    doings = algorithm.doings(experiment, model, path)
    acts = [one.acts and "".join("01"[does] for does in one.acts) for one in doings]
    return {
        "doings": [one._asdict() | {"acts": each} for one, each in zip(doings, acts, strict=True)],
        "rows": algorithm.rows(experiment, model, path),
    }


def _density(experiment, model) -> dict | None:
    """What is to be shown behind samples of one class, in one and two dimensions."""
    if len(model.shape) > 1 or model.shape[0] > 2 or model.dataset is None:
        return None
    part = runner.part_of(experiment, model)
    weight = experiment.exponent  # at 1 the tilted density is that of the class
    return None if part is None else {"label": part, "weight": None if weight == 1 else weight}


def _nearest(model, samples, work) -> dict | None:
    """The training image that is nearest to each sample; None where the model's are not known."""
    pair = beside(model, samples, work)
    if pair is None:
        return None
    known, found = pair
    return {
        "images": pack.uint8(sources.scaled(known.images[found.index]).numpy()),
        "names": [known.names[k] for k in found.index.tolist()],
        "shares": rounded(found.share.numpy()),
        "copies": found.copies.tolist(),
    }


def _arrows(experiment, model, states, window, device, watch) -> dict:
    """Of the sample that can be dragged, where classes take turns."""
    half = FOLLOW_WINDOW if window.follow else WINDOW
    grid = diagnostics.window_grid(half * window.aspect, half, FIELD_COLUMNS, FIELD_ROWS)
    sigmas = [states[i].sigma for i in pack.chosen_states(len(states), states[0].x.numel())]
    # the last state has σ = 0, where nothing moves: its arrows are those of the level before
    sigmas[-1] = sigmas[-2]
    follow = model.sigma_data if window.follow else None
    denoiser = runner.denoiser(experiment, model, device, watch)
    own = runner.labels_of(experiment, range(1), model)
    labels = None if own is None else sent(torch.tensor(own * len(grid)), device)
    arrows = diagnostics.direction_field(denoiser, sent(grid, device), sigmas, follow, labels)
    return {"positions": pack.float32(grid), "arrows": pack.float32(arrows.cpu())}
