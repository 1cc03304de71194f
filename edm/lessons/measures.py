"""What a lesson can measure of a state: one number of an `edm.Experiment`, by name.

To add one, put it into MEASURES.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from edm import diagnostics
from edm.base.errors import Refused
from edm.experiments import models, runner
from edm.sampling.denoisers import on
from edm.sampling.loop import last
from edm.sampling.path import path_of

if TYPE_CHECKING:
    from edm.experiments.experiment import Experiment
    from edm.sampling.denoisers import Denoise

IMAGES, IMAGE_STEPS = 8, 96  # of a network of images: how many are compared, with how fine a solution
TURNS = 48  # noise levels at which curvature is asked


@dataclass(frozen=True)
class Measure:
    """of(state, *numbers) -> its value. title: for people, with its unit. numbers: what else it asks for, in words."""

    name: str
    title: str
    of: Callable[..., float]
    numbers: tuple[str, ...] = ()


class State:
    """An experiment, and what of it has been computed. wrap: around the denoiser, such as a check that ends work."""

    def __init__(self, experiment: Experiment, wrap: Callable | None = None):
        self.experiment, self.wrap = experiment, wrap

    @cached_property
    def model(self) -> models.Model:
        return models.of(self.experiment)

    @cached_property
    def denoiser(self) -> Denoise:
        denoiser = on(self.model.denoiser, "cpu")
        return self.wrap(denoiser) if self.wrap else denoiser

    @cached_property
    def samples(self) -> torch.Tensor:
        return last(runner.states(self.experiment, wrap=self.wrap)).x

    @property
    def started(self) -> tuple[torch.Tensor, torch.Tensor | None]:
        """(latents, labels or None)."""
        return runner.start(self.experiment)

    @property
    def heavy(self) -> bool:
        return self.model.trained and len(self.model.shape) == 3


def _error(state: State) -> float:
    z, labels = state.started
    count = IMAGES if state.heavy else len(z)
    steps = IMAGE_STEPS if state.heavy else diagnostics.REFERENCE_STEPS
    diagnostics.check_measure(state.experiment, "error")
    labels = None if labels is None else labels[:count]
    exact = diagnostics.reference(state.denoiser, z[:count], state.experiment.sampling, labels, steps)
    return diagnostics.rms_error(state.samples[:count], exact)


def _distance(state: State) -> float:
    return diagnostics.to_data(state.experiment, "distance")(state.samples)


def _floor(state: State) -> float:
    diagnostics.check_measure(state.experiment, "distance")
    dataset = state.model.dataset
    assert dataset is not None  # the check has seen to that
    return diagnostics.data_floor(dataset, len(state.samples), diagnostics.true_points(dataset))


def _evaluations(state: State) -> float:
    return path_of(state.experiment.sampling, state.model.denoiser).evaluations


def _steps(state: State) -> float:
    return path_of(state.experiment.sampling, state.model.denoiser).steps


def _turn(state: State) -> float:
    z, labels = state.started
    path = path_of(state.experiment.sampling, state.model.denoiser)
    levels = np.geomspace(path.sigmas[-2], path.sigmas[0], TURNS)[::-1]
    bends = diagnostics.curvature(state.denoiser, z[:64], state.experiment.sampling, levels, labels)
    return float(np.mean([float(bend.turn.median()) for bend in bends]))


def _order(state: State, low: float, high: float) -> float:
    z, labels = state.started
    steps = sorted({round(n) for n in np.geomspace(low, high, 6)})
    points = list(diagnostics.convergence(state.denoiser, z[:64], state.experiment.sampling, steps, labels))
    fitted = diagnostics.fitted_order(points)
    if fitted is None:
        raise Refused("its errors lie on no line here; ask for more steps")
    return fitted.order


MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure("error", "RMS error to the ODE's solution", _error),
        Measure("distance", "sliced Wasserstein distance to the data", _distance),
        Measure("floor", "that distance of true samples", _floor),
        Measure("evaluations", "evaluations of the denoiser for a sample (NFE)", _evaluations),
        Measure("steps", "steps that are taken", _steps),
        Measure("turn", "median turn of the paths over a factor e of σ", _turn),
        Measure("order", "measured order of the solver", _order, ("from N", "to N")),
    )
}


class Measured:
    """What is asked of some states by name, each once: `ask(measure, state, numbers)`.

    states: name -> experiment. wrap: as in `State`. Raises Refused for what is not known, or says nothing there.
    """

    def __init__(self, states: Mapping[str, Experiment], wrap: Callable | None = None):
        self._states = {name: State(experiment, wrap) for name, experiment in states.items()}
        self._known: dict[tuple, float] = {}

    def __call__(self, measure: str, state: str, numbers: tuple[float, ...] = ()) -> float:
        check(measure, state, numbers, self._states)
        key = measure, state, numbers
        if key not in self._known:
            self._known[key] = float(MEASURES[measure].of(self._states[state], *numbers))
        return self._known[key]


def check(measure: str, state: str, numbers: tuple[float, ...], states: Any) -> None:
    """Raises Refused for a measure or a state that there is none of, or for as many numbers as it does not take."""
    if measure not in MEASURES:
        raise Refused(f"there is no measure {measure!r:.40}; there are {', '.join(MEASURES)}")
    if state not in states:
        raise Refused(f"there is no state {state!r:.40}; there are {', '.join(states)}")
    wanted = len(inspect.signature(MEASURES[measure].of).parameters) - 1
    if len(numbers) != wanted:
        asked = ", ".join(("state", *MEASURES[measure].numbers))
        raise Refused(f"{measure} takes ({asked}), not {len(numbers)} numbers")
