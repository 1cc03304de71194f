"""The stage to be taken away: a film or a drawing, as `python -m edm sample --out film.gif` writes it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import ClassVar, Literal

from app.figures.written import Packed
from app.work.jobs import Job
from app.work.shared import Work
from app.work.watch import Watch
from edm import models, runner
from edm.experiments.experiment import Experiment
from edm.files import films


class Film(Job):
    """The content of a file. form: its ending. look: of `edm.files.films.LOOKS`."""

    kind: ClassVar[str] = "film"

    experiment: Experiment
    form: Literal["gif", "svg"] = "gif"
    look: Literal["light", "dark"] = "light"

    def compute(self, work: Work, watch: Watch) -> Iterator[tuple[dict, bool]]:
        experiment, model = self.experiment, models.of(self.experiment)
        if self.form == "svg":
            films.check_drawn(model)
        part = runner.part_of(experiment, model)
        place = work.place(model, runner.count(experiment, model))
        for states, ended in watch.paced(runner.states(experiment, place, watch, model=model)):
            if not ended:
                continue
            with watch.turn():
                content = films.content(self.form, model, states, experiment.document(), self.look, watch.check, part)
            yield {"name": f"edm-{model.name}.{self.form}", "content": Packed(base64.b64encode(content).decode())}, True
