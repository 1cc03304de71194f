"""What data say before anything is trained on them (`edm.data.advice`), as a computation, and as the page shows it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from app.work.jobs import Job
from app.work.shared import Work
from app.work.watch import Watch
from edm.base import atomic
from edm.data.advised import Advice
from edm.data.advising import Step, advise
from edm.data.settings import Data
from edm.objective import Design
from edm.plots.advised import advised


class Reading(Job):
    """data: that are read. design: of the form, whose p_train stands beside the one that is advised."""

    kind: ClassVar[str] = "reading"

    data: Data
    design: Design = Design()

    def compute(self, work: Work, watch: Watch) -> Iterator[tuple[dict | str, bool]]:
        done: list[Step] = []
        for done, ended in watch.paced(self._steps(watch)):
            yield described(done[-1], self.design), ended

    def _steps(self, watch) -> Iterator[Step]:
        for step in advise(self.data):
            yield step
            watch.check()

    def files(self) -> dict[str, str | None] | None:
        path = self.data.path
        if path is None:
            return {}
        stamp = atomic.stamp(path)
        return {path: stamp} if stamp is not None else None


def described(step: Step, design: Design) -> dict:
    """As JSON data for the page."""
    advice = step.advice
    if advice is None:
        return {"share": step.share, "figure": None, "numbers": [], "sentences": [], "values": {}}
    return {
        "share": step.share,
        "figure": {"sharedX": True, "panels": advised(advice, design)},
        "numbers": _numbers(advice),
        "sentences": list(advice.sentences),
        "values": {"P_mean": advice.P_mean, "P_std": advice.P_std, "sigma_data": float(f"{advice.sigma_data:.3g}")},
    }


def _numbers(advice: Advice) -> list[tuple[str, str]]:
    """What is advised: (symbol, value) each."""
    return [
        ("P<sub>mean</sub>", f"{advice.P_mean:g}"),
        ("P<sub>std</sub>", f"{advice.P_std:g}"),
        ("σ<sub>data</sub>", f"{advice.sigma_data:.3g}"),
        ("σ<sub>min</sub>", f"{advice.sigma_min:g}"),
        ("σ<sub>max</sub>", f"{advice.sigma_max:g}"),
    ]
