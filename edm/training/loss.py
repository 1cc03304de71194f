"""The denoising loss E[λ(σ)·‖D(y + n; σ) − y‖²] and its two rows of Table 1: where σ falls, and how it weighs; and the
loss of a classifier, E[−log p(c | y + n; σ)], whose σ falls likewise.

Losses are means over the coordinates of a sample, so that they compare between data of different sizes; with
EDM's weight and preconditioning every noise level starts at about 1.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import numpy as np
import torch

from edm.base import streams
from edm.base.devices import precise, precisely
from edm.base.streams import Purpose
from edm.base.transfers import array, sent
from edm.noises import NOISES
from edm.objective import WEIGHTS, Variational
from edm.sampling.denoisers import ask, innermost
from edm.sampling.denoisers import part as part_of
from edm.sampling.hearing import listening, taken
from edm.sampling.upsampling import given, lowered, upsampler_of
from edm.training import variational
from edm.training.augmentation import transformed
from edm.training.uncertainty import balanced

if TYPE_CHECKING:
    from collections.abc import Callable

    from edm.base.types import Indices, Numbers, Shape
    from edm.objective import Design
    from edm.sampling.denoisers import Denoise
    from edm.sampling.upsampling import Low
    from edm.training.augmentation import Augmentation

AT_ONCE = 256  # samples that are measured at once, where nobody says how many
_ALONE = 1 << 14  # numbers that one thread computes sooner than several


class Loss:
    """The loss of images k, k + 1, … of a run: a function of (settings' seed, k) and the weights only.

    design, seed: of the settings. sigma_data: of the data. augmentation: of `edm.training.augmentation`, or None.
    uncertainty: u(σ) of `edm.training.uncertainty`, where the weight is learned: gradients are weighted with e^−u, and
    the losses are told without.
    """

    hides = True  # the class of some, as label_dropout says

    def __init__(
        self,
        design: Design,
        seed: int,
        sigma_data: float,
        augmentation: Augmentation | None = None,
        uncertainty: Callable[[torch.Tensor], torch.Tensor] | None = None,
    ):
        self.design, self.seed, self.sigma_data, self.augmentation = design, seed, sigma_data, augmentation
        self._uncertainty = uncertainty
        self._drawn: dict[str, torch.Tensor] | None = None

    def __call__(
        self, denoiser: Denoise, y: torch.Tensor, labels: torch.Tensor | None, indices: Indices
    ) -> torch.Tensor:
        """y [B, …], labels [B] or None, indices: the B numbers k. Returns the weighted loss of each image [B]."""
        drawn, augment = self._drawn, None
        if drawn is None:
            made = self.draw(denoiser, indices, y.shape[1:], y.dtype)
            drawn = {name: sent(number, y.device) for name, number in made.items()}
        if "condition" in drawn:
            y, augment = transformed(y, drawn), drawn["condition"]
        if labels is not None and "hidden" in drawn:
            labels = labels.masked_fill(drawn["hidden"], -1)
        sigma = drawn["sigma"]
        noisy = y + sigma.to(y).view(-1, *[1] * (y.ndim - 1)) * drawn["noise"]
        if "low_sigma" in drawn:
            low, sigma_c = lowered(y, drawn["low_noise"].shape[-1]), drawn["low_sigma"].to(y)
            denoiser = given(denoiser, low + sigma_c.view(-1, 1, 1, 1) * drawn["low_noise"], sigma_c)
        return self._losses(denoiser, noisy, y, labels, augment, drawn)

    def _losses(self, denoiser, noisy, y, labels, augment, drawn):
        if "lower" in drawn:
            return self._variational(denoiser, noisy, y, labels, augment, drawn)
        denoised = denoiser(noisy, drawn["sigma"], labels, augment)
        losses = drawn["weight"] * (denoised.float() - y).square().flatten(1).mean(1)
        return losses if self._uncertainty is None else balanced(losses, self._uncertainty(drawn["sigma"]))

    def _more(self, denoiser, sigma) -> dict[str, torch.Tensor]:
        """What else is to be known of σ."""
        if not isinstance(WEIGHTS[self.design.weight], Variational):
            return {}
        return variational.drawn(getattr(innermost(denoiser), "preconditioning", None), sigma)

    def _variational(self, denoiser, noisy, y, labels, augment, drawn):
        """Of a network that learns its variance: L_simple + L, where D is taught by the first, or T·L."""
        heard: dict[int, torch.Tensor] = {}
        denoised = listening(denoiser, heard)(noisy, drawn["sigma"], labels, augment).float()
        v = taken(heard, y)
        simple, weight = drawn["weight"] * (denoised - y).square().flatten(1).mean(1), WEIGHTS[self.design.weight]
        if v is None:  # what tells no variance is not asked for one
            return simple
        alone = getattr(weight, "alone", False)
        bound = variational.bound(denoised if alone else denoised.detach(), v.float(), y, drawn["sigma"], drawn)
        return variational.STEPS * bound if alone else simple + bound

    def draw(
        self, denoiser: Denoise, indices: Indices, shape: Shape, dtype: torch.dtype = torch.float32
    ) -> dict[str, torch.Tensor]:
        """The random numbers of B images k = indices of that shape and type, in main memory: sigma [B], float64, as
        the model rounds it; weight [B], λ(σ); noise [B, *shape]; hidden [B]: whose class is, if any may be; of an
        upsampler low_sigma [B] and low_noise; and what augmentation does, if it does anything."""
        design = self.design
        u = torch.from_numpy(streams.uniforms(self.seed, Purpose.SIGMA, indices, 2))
        sigma = denoiser.round_sigma(NOISES[design.noise].sigma(u[:, 0], design))
        sigma = torch.where(sigma > 0, sigma, denoiser.sigma_min)  # discrete levels end at 0, which is no noise
        drawn = {"sigma": sigma, "weight": WEIGHTS[design.weight](sigma, self.sigma_data).to(dtype)}
        drawn |= self._more(denoiser, sigma)
        drawn["noise"] = _in_parts(
            lambda part: streams.normals(self.seed, Purpose.NOISE, part, shape), indices, shape, dtype
        )
        if self.hides and design.label_dropout > 0:
            drawn["hidden"] = u[:, 1] < design.label_dropout
        if (upsampler := upsampler_of(denoiser)) is not None:
            drawn |= low_drawn(upsampler.low, self.seed, indices, shape[0], dtype)
        if self.augmentation is not None:
            uniforms = streams.uniforms(self.seed, Purpose.AUGMENT, indices, self.augmentation.width)
            for name, told in self.augmentation.told(uniforms).items():
                drawn[name] = told.to(dtype) if told.is_floating_point() else told
        return drawn

    def of(self, drawn: dict[str, torch.Tensor]) -> Loss:
        """The same with what `draw` has drawn for the images that it is asked for next, on their device."""
        made = copy.copy(self)
        made._drawn = drawn
        return made


class CrossEntropy(Loss):
    """The same of a classifier log p(c | x; σ): −log p of each image's class, of which none is hidden. λ(σ) is 1."""

    hides = False

    def _losses(self, denoiser, noisy, y, labels, augment, drawn):
        return nll(denoiser(noisy, drawn["sigma"]), labels)

    def _more(self, denoiser, sigma):
        return {}


def nll(log_probability: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """−log p [B] of each one's class, of log p [B, C]."""
    return -log_probability.gather(1, labels[:, None])[:, 0]


def low_drawn(
    low: Low, seed: int, indices: Indices, channels: int, dtype: torch.dtype = torch.float32
) -> dict[str, torch.Tensor]:
    """What noise the low-resolution images of these numbers have in training: low_sigma [B], σ_c, evenly drawn from 0
    to the most, and low_noise [B, C, h, w], unit normal."""
    u = torch.from_numpy(streams.uniforms(seed, Purpose.LOW_SIGMA, indices, 1))[:, 0]
    shape = (channels, low.resolution, low.resolution)
    return {
        "low_sigma": (low.noise * u).to(dtype),
        "low_noise": _in_parts(
            lambda part: streams.normals(seed, Purpose.LOW_NOISE, part, shape), indices, shape, dtype
        ),
    }


def _in_parts(draw, indices, shape, dtype):
    """The noise of images, in parts so small that torch computes each in this thread alone, beside the step before."""
    indices, rows = array(indices, np.int64), max(_ALONE // max(int(np.prod(shape)), 1), 1)
    parts = np.split(indices, range(rows, len(indices), rows))
    return torch.cat([draw(part).to(dtype) for part in parts])


@torch.no_grad()
def per_sigma(
    denoiser: Denoise,
    y: torch.Tensor,
    labels: torch.Tensor | None,
    sigmas: Numbers,
    seed: int = 0,
    batch: int = AT_ONCE,
) -> list[float]:
    """The mean squared error of D at each of `sigmas`, over images y [B, …] and noise that is the same every time."""
    noise = streams.normals(seed, Purpose.VALIDATION, range(len(y)), y.shape[1:]).to(y)
    losses = []
    for sigma in sigmas:
        total = torch.zeros((), dtype=precise(y.device), device=y.device)
        for part in (slice(start, min(start + batch, len(y))) for start in range(0, len(y), batch)):
            known = None if labels is None else labels[part]
            denoised = ask(part_of(denoiser, part), y[part] + sigma * noise[part], sigma, known)
            total += precisely(denoised - y[part]).square().sum()
        losses.append(total / y.numel())
    return torch.stack(losses).cpu().tolist()


@torch.no_grad()
def classified(
    log_probability: Callable[..., torch.Tensor],
    y: torch.Tensor,
    labels: torch.Tensor,
    sigmas: Numbers,
    seed: int = 0,
    batch: int = AT_ONCE,
) -> tuple[list[float], list[float]]:
    """(mean of −log p(c | y + n; σ) of the true class, share of images whose most likely class is the true one) at each
    of `sigmas`, over images y [B, …] with classes [B] and noise that is the same every time, that of `per_sigma`."""
    noise = streams.normals(seed, Purpose.VALIDATION, range(len(y)), y.shape[1:]).to(y)
    found = []
    for sigma in sigmas:
        total = torch.zeros(2, dtype=precise(y.device), device=y.device)
        for part in (slice(start, start + batch) for start in range(0, len(y), batch)):
            told = ask(log_probability, y[part] + sigma * noise[part], sigma)
            right = told.argmax(1) == labels[part]
            total += torch.stack([precisely(nll(told, labels[part])).sum(), precisely(right).sum()])
        found.append(total / len(y))
    losses, right = torch.stack(found).T.cpu().tolist()
    return losses, right
