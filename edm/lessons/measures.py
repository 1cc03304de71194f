"""What a lesson can measure of a state: one number of an `edm.Experiment`, by name.

To add one, put it into MEASURES.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from edm import diagnostics
from edm.base.errors import Refused
from edm.diagnostics.loss import FLOOR
from edm.exact import GaussianMixture
from edm.experiments import models, runner
from edm.sampling.denoisers import ask, on
from edm.sampling.guidance import tilted_moments
from edm.sampling.loop import last
from edm.sampling.path import path_of

if TYPE_CHECKING:
    from edm.experiments.experiment import Experiment
    from edm.sampling.denoisers import Denoise

IMAGES, IMAGE_STEPS = 8, 96  # of a network of images: how many are compared, with how fine a solution
LEAST, MOST = 1e-4, 1e4  # a noise level, or a number of steps
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


def _answers(state: State, sigma: float) -> float:
    z, labels = state.started
    found = ask(state.denoiser, z * sigma, sigma, labels)
    return float(found.std(0).mean()) / state.model.sigma_data


def _merge(state: State) -> float:
    """Where p(0; σ) is as large as p at the data themselves, on average."""
    exact = _exact(state)
    places = exact.sample(64, seed=1).double()
    middle = places.mean(0, keepdim=True)
    for sigma in np.geomspace(1e-2, 80, 400):
        level = float(sigma)
        if exact.log_density(middle, level) >= exact.log_density(places, level).mean():
            return level
    raise Refused("its middle is never as full as its data are")


def _exact(state: State) -> GaussianMixture:
    if state.model.dataset is None or len(state.model.shape) != 1:
        raise Refused(f"{state.model.name} has no density that is known")
    return state.model.dataset.labelled


def _copies(state: State) -> float:
    known = diagnostics.training_images(state.model)
    if known is None:
        raise Refused(f"the images that {state.model.name} has learned are not here")
    return float(diagnostics.nearest(state.samples, known).copies.float().mean())


def _mean(state: State) -> float:
    return float(state.samples[:, 0].double().mean())


def _spread(state: State) -> float:
    return float(state.samples.double().std(0).square().sum().sqrt())


def _of_tilted(which, state):
    if state.experiment.label is None:
        raise Refused("the tilted density is that of a class; choose one")
    label, weight = state.model.class_of(state.experiment.label), state.experiment.guidance_weight
    mean, std = tilted_moments(_exact(state), label, weight)
    return float(mean[0]) if which == "mean" else float(std.square().sum().sqrt())


def _input(state: State, sigma: float) -> float:
    header = state.model.header
    if header is None:
        raise Refused(f"{state.model.name} has no network")
    size = math.hypot(sigma, state.model.sigma_data)
    return float(header.preconditioning.build().c_in(torch.tensor(sigma, dtype=torch.float64))) * size


def _loss(state: State, sigma: float) -> float:
    return float(_losses(state, sigma)[MODEL].mean[0])


def _least(state: State, sigma: float) -> float:
    found = _losses(state, sigma)
    if FLOOR not in found:
        raise Refused(f"the least possible loss of {state.model.name} is not known")
    return float(found[FLOOR].mean[0])


MODEL, DRAWN = "model", 3  # rounds of draws, each of twice as many as the one before


def _losses(state, sigma):
    dataset = state.model.dataset
    exact = dataset.denoiser if dataset is not None else None
    draw = diagnostics.held_out(state.model)
    rounds = diagnostics.losses({MODEL: state.denoiser}, draw, [sigma], exact=exact)
    return list(islice(rounds, DRAWN))[-1]


MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure("error", "RMS error to the ODE's solution", _error),
        Measure("distance", "sliced Wasserstein distance to the data", _distance),
        Measure("floor", "that distance of true samples", _floor),
        Measure("evaluations", "evaluations of the denoiser for a sample (NFE)", _evaluations),
        Measure("steps", "steps that are taken", _steps),
        Measure("turn", "median turn of the paths over a factor e of σ", _turn),
        Measure("answers", "spread of the denoiser's answers, in units of the data's", _answers, ("σ",)),
        Measure("merge", "noise level from which on the middle is as full as the data's places", _merge),
        Measure("copies", "share of the pictures that are copies of training images", _copies),
        Measure("mean", "mean of the first coordinate of the samples", _mean),
        Measure("spread", "standard deviation of the samples, over all coordinates", _spread),
        Measure("tilted_mean", "mean of the first coordinate of p(x)·p(c|x)^w", partial(_of_tilted, "mean")),
        Measure("tilted_spread", "standard deviation of p(x)·p(c|x)^w", partial(_of_tilted, "spread")),
        Measure("input", "size of what the network sees", _input, ("σ",)),
        Measure("loss", "loss of the denoiser on images it has not seen", _loss, ("σ",)),
        Measure("least", "the least possible loss", _least, ("σ",)),
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
