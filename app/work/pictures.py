"""Pictures: an experiment's states as they come, and where the flow goes around them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import ClassVar

from app.figures import pack
from app.figures.written import text
from app.work import snippets
from app.work.jobs import Job
from app.work.shared import Work, identity
from app.work.watch import Watch
from edm import diagnostics, models, runner
from edm.base.fields import Settings
from edm.base.transfers import sent
from edm.experiments.experiment import Experiment
from edm.sampling.denoisers import on
from edm.sampling.path import path_of

FIELD_COLUMNS, FIELD_ROWS = 27, 17
WINDOW = 1.3  # half height of the picture in units of the data's reach
FOLLOW_WINDOW = 2.6  # the same in units of √(σ² + σ_data²)


class Window(Settings):
    """Where arrows are wanted. aspect: width over height. follow: it follows σ."""

    aspect: float = 1.0
    follow: bool = False


class Picture(Job):
    """Previews while the experiment runs, then the whole. field: None where no arrows are wanted."""

    kind: ClassVar[str] = "picture"

    experiment: Experiment
    field: Window | None = None

    def files(self) -> dict[str, str | None]:
        model = models.of(self.experiment)
        return {str(model.path): model.stamp} if model.trained else {}

    def compute(self, work: Work, watch: Watch) -> Iterator[tuple[str, bool]]:
        experiment, model, started = self.experiment, models.of(self.experiment), time.perf_counter()
        known = identity(experiment, model)
        key = json.dumps([known, self.field and self.field.document(complete=True)])
        if kept := work.answer(key):
            yield kept, True
            return
        place, head = work.place(model, runner.count(experiment, model)), _head(experiment, model, work.own)

        def written(states, milliseconds, since=0, **more) -> str:
            run = pack.trajectory(states, model.sigma_data, since)
            return f"{head}, {text({'milliseconds': milliseconds, 'run': run, **more})[1:]}"

        since = 0
        for states, ended in watch.paced(runner.states(experiment, place, watch, model=model)):
            milliseconds = 1000 * (time.perf_counter() - started)
            if not ended:
                yield written(states, milliseconds, since), False
                since = len(states)
        more = {}
        if self.field and model.shape == (2,):
            with watch.turn():
                more["field"] = _arrows(watch(on(model.denoiser, place)), model, states, self.field, place)
        whole = written(states, milliseconds, **more)
        work.keep(key, whole)
        work.remember(("final", known), lambda: states[-1].x)
        yield whole, True


def _head(experiment, model, own) -> str:
    """What all bodies of a picture have in common, as JSON text that goes on."""
    path = path_of(experiment.sampling, model.denoiser)
    head = {
        "model": model.name,
        "title": model.title,
        "sigmaData": model.sigma_data,
        "levels": path.sigmas,
        "notes": path.notes,
        "document": json.dumps(experiment.document()),
        "python": snippets.python(experiment, own, model),
        "command": snippets.command(experiment, own, model),
    }
    if model.name == "drawn":
        head["components"] = pack.components(model.denoiser)
    if model.shape == (1,):
        head["axis"] = pack.time_axis(path)
    return text(head)[:-1]


def _arrows(denoiser, model, states, window, device) -> dict:
    half = FOLLOW_WINDOW if window.follow else WINDOW
    grid = diagnostics.window_grid(half * window.aspect, half, FIELD_COLUMNS, FIELD_ROWS)
    sigmas = [states[i].sigma for i in pack.chosen_states(len(states), states[0].x.numel())]
    # the last state has σ = 0, where nothing moves: its arrows are those of the level before
    sigmas[-1] = sigmas[-2]
    follow = model.sigma_data if window.follow else None
    arrows = diagnostics.direction_field(denoiser, sent(grid, device), sigmas, follow)
    return {"positions": pack.float32(grid), "arrows": pack.float32(arrows.cpu())}
