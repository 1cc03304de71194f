"""What a lesson can measure of a state: one number of an `edm.Experiment`, by name.

To add one, put it into MEASURES.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from edm import diagnostics
from edm.base.errors import Refused
from edm.lessons import answers
from edm.lessons.states import State
from edm.sampling.path import path_of

if TYPE_CHECKING:
    from edm.experiments.experiment import Experiment

IMAGES, IMAGE_STEPS = 8, 96  # of a network of images: how many are compared, with how fine a solution
LEAST, MOST = 1e-4, 1e4  # a noise level, or a number of steps
TURNS = 48  # noise levels at which curvature is asked
POINTS = 64  # paths along which single steps are measured


@dataclass(frozen=True)
class Measure:
    """of(state, *numbers) -> its value. title: for people, with its unit. numbers: what else it asks for, in words."""

    name: str
    title: str
    of: Callable[..., float]
    numbers: tuple[str, ...] = ()


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


def _frechet(state: State) -> float:
    return diagnostics.to_data(state.experiment, "frechet")(state.samples)


def _bend(state: State) -> float:
    """Where the step begins that misses most of the exact solution, beginning on it."""
    z, labels = state.started
    z, labels = z[:POINTS], None if labels is None else labels[:POINTS]
    steps = diagnostics.truncation_error(state.denoiser, z, state.experiment.sampling, labels)
    return max(steps, key=lambda step: float(step.error.square().mean())).sigma


def _raised(state: State) -> float:
    path = path_of(state.experiment.sampling, state.model.denoiser)
    return 1 + max(path.gammas)


MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure("error", "RMS error to the ODE's solution", _error),
        Measure("distance", "sliced Wasserstein distance to the data", _distance),
        Measure("floor", "that distance of true samples", _floor),
        Measure("evaluations", "evaluations of the denoiser for a sample (NFE)", _evaluations),
        Measure("steps", "steps that are taken", _steps),
        Measure("turn", "median turn of the paths over a factor e of σ", _turn),
        Measure("answers", "spread of the denoiser's answers, in units of the data's", answers.answers, ("σ",)),
        Measure(
            "from_mean",
            "distance of its answers to noise from the mean, in units of the data's",
            answers.from_mean,
            ("σ",),
        ),
        Measure("settles", "noise level at which its answers are half-way to the sample", answers.settles),
        Measure("merge", "noise level from which on the middle is as full as the data's places", answers.merge),
        Measure("copies", "share of the pictures that are copies of training images", answers.copies),
        Measure("mean", "mean of the first coordinate of the samples", answers.mean),
        Measure("spread", "standard deviation of the samples, over all coordinates", answers.spread),
        Measure("tilted_mean", "mean of the first coordinate of p(x)·p(c|x)^w", partial(answers.of_tilted, "mean")),
        Measure("tilted_spread", "standard deviation of p(x)·p(c|x)^w", partial(answers.of_tilted, "spread")),
        Measure("input", "size of what the network sees", answers.input, ("σ",)),
        Measure("output", "size of what the network is to give", answers.output, ("σ",)),
        Measure("effort", "share of training spent on noise between", answers.effort, ("σ from", "σ to")),
        Measure("frechet", "Fréchet distance to the data", _frechet),
        Measure("bend", "noise level of the step that misses most", _bend),
        Measure("raised", "largest factor by which churn raises σ", _raised),
        Measure("loss", "loss of the denoiser on images it has not seen", answers.loss, ("σ",)),
        Measure("least", "the least possible loss", answers.least, ("σ",)),
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
    if odd := [number for number in numbers if not LEAST <= number <= MOST]:
        raise Refused(f"{measure} takes numbers from {LEAST:g} to {MOST:g}, not {odd[0]:g}")
