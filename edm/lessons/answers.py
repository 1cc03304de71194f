"""Measures of what a denoiser answers, and of what a network has learned: each a function of a `State`."""

from __future__ import annotations

import math
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import torch

from edm import diagnostics
from edm.base.errors import Refused
from edm.diagnostics.loss import FLOOR
from edm.experiments import runner
from edm.objective import Design
from edm.sampling.denoisers import ask
from edm.sampling.guidance import tilted_moments
from edm.sampling.path import path_of

if TYPE_CHECKING:
    from edm.evaluation.copies import Known
    from edm.exact import GaussianMixture
    from edm.lessons.states import State


def answers(state: State, sigma: float) -> float:
    z, labels = state.started
    found = ask(state.denoiser, z * sigma, sigma, labels)
    return float(found.std(0).mean()) / state.model.sigma_data


def from_mean(state: State, sigma: float) -> float:
    """RMS distance of the answers to pure noise from the mean of what each may be: of its class, or of all."""
    z, labels = state.started
    known = training_known(state)
    found = ask(state.denoiser, z * sigma, sigma, labels).double().cpu()
    images = known.images.double()
    if labels is None or known.labels is None:
        means = images.mean(0, keepdim=True).expand_as(found)
    else:
        means = torch.stack([images[known.labels == int(label)].mean(0) for label in labels.cpu()])
    return float((found - means).square().mean().sqrt()) / state.model.sigma_data


def settles(state: State) -> float:
    """Where the answers have gone half of their way, from the first to what becomes of them."""
    levels = path_of(state.experiment.sampling, state.model.denoiser).sigmas
    told = [one.denoised.double() for one in runner.states(state.experiment, wrap=state.wrap)]
    left = np.array([float((one - told[-1]).square().mean()) ** 0.5 for one in told])
    k = int(np.argmax(left < left[0] / 2))
    if not 0 < k < len(levels) - 1:
        raise Refused("its answers have no middle of their way here; take more steps")
    share = (left[k - 1] - left[0] / 2) / (left[k - 1] - left[k])
    return float(levels[k - 1] ** (1 - share) * levels[k] ** share)


def merge(state: State) -> float:
    """Where p(0; σ) is as large as p at the data themselves, on average."""
    exact = exact_of(state)
    places = exact.sample(64, seed=1).double()
    middle = places.mean(0, keepdim=True)
    for sigma in np.geomspace(1e-2, 80, 400):
        level = float(sigma)
        if exact.log_density(middle, level) >= exact.log_density(places, level).mean():
            return level
    raise Refused("its middle is never as full as its data are")


def exact_of(state: State) -> GaussianMixture:
    if state.model.dataset is None or len(state.model.shape) != 1:
        raise Refused(f"{state.model.name} has no density that is known")
    return state.model.dataset.labelled


def copies(state: State) -> float:
    return float(diagnostics.nearest(state.samples, training_known(state)).copies.float().mean())


def training_known(state: State) -> Known:
    """The images that its model has learned. Raises Refused where they are not here."""
    known = diagnostics.training_images(state.model)
    if known is None:
        raise Refused(f"the images that {state.model.name} has learned are not here")
    return known


def mean(state: State) -> float:
    return float(state.samples[:, 0].double().mean())


def spread(state: State) -> float:
    return float(state.samples.double().std(0).square().sum().sqrt())


def of_tilted(which: str, state: State) -> float:
    if state.experiment.label is None:
        raise Refused("the tilted density is that of a class; choose one")
    label, weight = state.model.class_of(state.experiment.label), state.experiment.guidance_weight
    mean, std = tilted_moments(exact_of(state), label, weight)
    return float(mean[0]) if which == "mean" else float(std.square().sum().sqrt())


def input(state: State, sigma: float) -> float:
    return _column(state, "c_in", sigma) * math.hypot(sigma, state.model.sigma_data)


def output(state: State, sigma: float) -> float:
    return abs(_column(state, "c_out", sigma))


def effort(state: State, low: float, high: float) -> float:
    design = Design.parse(((_header(state).training) or {}).get("design", {}))
    return float(diagnostics.training_share(design, np.array([low, high]))[0])


def _column(state, coefficient, sigma):
    built = _header(state).preconditioning.build()
    return float(getattr(built, coefficient)(torch.tensor(sigma, dtype=torch.float64)))


def _header(state):
    if state.model.header is None:
        raise Refused(f"{state.model.name} has no network")
    return state.model.header


def loss(state: State, sigma: float) -> float:
    return float(_losses(state, sigma)[MODEL].mean[0])


def least(state: State, sigma: float) -> float:
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
