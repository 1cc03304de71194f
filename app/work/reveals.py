"""What comes of a lesson's step, with the settings that somebody has now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from app.work.jobs import Job
from app.work.shared import Work, files_of
from app.work.watch import Watch
from edm import lessons
from edm.experiments.experiment import Experiment


class Reveal(Job):
    """Its body: {told: the sentence, truth: what was asked for, right: the choices that are}, of a step as a document.

    experiment: what is shown now.
    """

    kind: ClassVar[str] = "reveal"

    step: dict[str, Any]
    experiment: Experiment

    def files(self) -> dict[str, str | None]:
        measured = lessons.Step.parse(self.step).experiments(self.experiment).values()
        return {path: stamp for one in measured for path, stamp in files_of(one).items()}

    def compute(self, work: Work, watch: Watch) -> Iterator[tuple[dict, bool]]:
        step = lessons.Step.parse(self.step)
        ask, question = lessons.Measured(step.experiments(self.experiment), watch), step.ask
        with watch.turn():
            told = lessons.told(step.reveal, ask, knobs(self.experiment))
            truth = lessons.value(question.truth, ask) if question and question.truth else None
            choices = question.choices if question else ()
            right = [k for k, choice in enumerate(choices) if choice.when and lessons.holds(choice.when, ask)]
        yield {"told": told, "truth": truth, "right": right}, True


def knobs(experiment) -> dict:
    document = experiment.document(complete=True)
    return document | document.pop("sampling")
