"""The tilted density p(x)·p(c | x)^w: sampled as it is, by a population, and written down where that can be done.

Guidance with the same w follows its score at every σ, but not its path: the densities p_u^(1−w)·p_c^w of one level are
not those of another with noise removed. What is missing is a weight (Feynman–Kac correction, arXiv 2503.02819):

    dx = Δσ²·s_w + √Δσ²·z,     d log W = ½·Δσ²·w(w − 1)·‖s_c − s_u‖²,     Δσ² = σ_i² − σ_{i+1}²

after each step the samples are drawn anew by their weights. So a sample depends on the others: the unit is the whole
population, which is the same for the same seeds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

import torch

from edm.base.devices import precise
from edm.base.errors import Refused
from edm.base.streams import Purpose, uniforms
from edm.base.transfers import sent
from edm.exact import GaussianMixture
from edm.sampling.denoisers import Denoise, denoiser_of, evaluations_at, pair
from edm.sampling.guidance.guided import number
from edm.sampling.guidance.pairs import checked_free, classes_given
from edm.sampling.loop import State, check_latents
from edm.sampling.noise import noise_source
from edm.sampling.path import Path, path_of
from edm.sampling.settings import Sampling

POINTS = 1 << 22  # of a grid, at most
REACH, FINE = 7.0, 3.0  # standard deviations beyond the means where it ends, and points for one of the narrowest


def tilted(
    denoiser: Denoise, latents: torch.Tensor, sampling: Sampling, labels: Any, weight: float, *, seeds: Iterable[int]
) -> Iterator[State]:  # fmt: skip
    """Sample p(x | c)·p(c | x)^(w − 1), which is p(x)·p(c | x)^w up to a factor; yields N + 1 states as `edm.sample`.

    denoiser: D(x, sigma, labels), with and without a class (see `edm.guidance.free`). latents: unit normal [B, …].
    labels: one for each sample; those of one class are a population. seeds: one for each sample (`edm.seeds`): from
    its seed a sample has its noise, from the first one the population has what it is drawn by. Of `sampling` count the
    noise levels, schedule and scaling; solver and churn do not. Each state is a population at its level; samples that
    are kept keep their places. Two evaluations a step. Closing the generator stops the work at the next step.
    Raises Refused at once for bad arguments.
    """
    weight, path = number("weight", weight), tilted_path(denoiser, sampling)
    checked_free(denoiser)
    check_latents(latents, denoiser_of(denoiser).shape)
    labels, seeds = torch.as_tensor(classes_given(labels)), list(seeds)
    for name, count in (("labels", labels.numel()), ("seeds", len(seeds))):
        if count != len(latents):
            raise Refused(f"there are {count} {name} for {len(latents)} samples; give one for each")
    return _states(denoiser, latents, path, labels, weight, seeds)


def tilted_path(denoiser: Denoise, sampling: Sampling) -> Path:
    """The path of `tilted`: Euler's, with as many evaluations as D with and without a class are at each level."""
    path = path_of(sampling.changed(solver="euler", S_churn=0.0), denoiser)
    each = 2 * evaluations_at(denoiser, path.sigmas[0])
    notes = [f"{name} does not count: a population has steps of its own" for name in _left(sampling)]
    return Path(*(getattr(path, name) for name in _KEPT), notes=(*path.notes, *notes), passes=(each,) * path.steps)


_KEPT = ("sampling", "schedule", "scaling", "sigmas", "times", "gammas", "hats")


def _left(sampling):
    return [name for name in ("solver", "S_churn") if name in sampling.document()]


@torch.no_grad()
def _start(latents, path, labels, seeds):
    kinds = labels.cpu().unique()
    groups = [sent((labels.cpu() == kind).nonzero()[:, 0], latents.device) for kind in kinds]
    draws = uniforms(seeds[0], Purpose.RESAMPLE, range(path.steps), len(groups))
    return latents * path.sigmas[0], sent(labels, latents.device), groups, torch.from_numpy(draws).float()


def _states(denoiser, latents, path, labels, weight, seeds) -> Iterator[State]:
    x, labels, groups, draws = _start(latents, path, labels, seeds)
    noise, evaluations = noise_source(seeds), 0
    for i, (sigma, lower) in enumerate(pairwise(path.sigmas)):
        with torch.no_grad():
            own, every = pair(denoiser, x, sigma, labels)
            denoised, evaluations = (every + weight * (own - every)).to(x.dtype), evaluations + path.passes[i]
        t, scale = path.times[i], path.scale(i)
        yield State(i, t, sigma, scale, x if scale == 1 else x * scale, denoised, evaluations)
        with torch.no_grad():
            removed = sigma * sigma - lower * lower
            gap = (own - every).flatten(1).to(precise(x.device)).square().sum(1)
            logs = gap * (0.5 * removed * weight * (weight - 1) / sigma**4)
            x = x + (denoised - x) * (removed / sigma**2)
            if lower:
                x = x.add_(noise(i, x), alpha=math.sqrt(removed))
            for k, group in enumerate(groups):
                x[group] = x[group[resampled(logs[group], float(draws[i, k]))]]
    yield State(path.steps, 0.0, 0.0, 1.0, x, x, evaluations)


def resampled(logs: torch.Tensor, uniform: float) -> torch.Tensor:
    """Systematic resampling by weights of these logarithms [B]: whose value each place gets, int64 [B].

    Sample k is drawn ⌊B·W_k⌋ or ⌈B·W_k⌉ times, as `uniform`, in (0, 1), has it; where it is drawn it keeps its place.
    Nothing waits for a GPU.
    """
    count = len(logs)
    edges = logs.softmax(0).cumsum(0)
    places = (torch.arange(count, device=logs.device, dtype=logs.dtype) + uniform) / count
    drawn = torch.searchsorted(edges / edges[-1:], places).clamp(max=count - 1)
    again = torch.zeros_like(drawn, dtype=torch.bool)
    again[1:] = drawn[1:] == drawn[:-1]
    kept = torch.zeros_like(again).index_fill_(0, drawn, True)
    free, taken = kept.to(torch.int8).argsort(stable=True), (~again).to(torch.int8).argsort(stable=True)
    return torch.empty_like(drawn).index_copy_(0, free, drawn[taken])


def tilted_log_density(
    mixture: GaussianMixture, x: torch.Tensor, label: int, weight: float, sigma: float = 0.0
) -> torch.Tensor:
    """log of p(x; σ)·p(c | x; σ)^w, normalized, [B] in float64: of a labelled mixture in one or two dimensions.

    sigma: 0 where every component has a width. It is summed over a grid for the factor.
    """
    places, cell = _grid(mixture, weight, sigma)
    shift = _unnormalized(mixture, places, label, weight, sigma).logsumexp(0) + math.log(cell)
    return _unnormalized(mixture, x, label, weight, sigma) - shift


def tilted_moments(
    mixture: GaussianMixture, label: int, weight: float, sigma: float = 0.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """(mean, standard deviation) [d] of the same density, in float64."""
    places, _ = _grid(mixture, weight, sigma)
    shares = _unnormalized(mixture, places, label, weight, sigma).softmax(0)
    mean = shares @ places
    return mean, (shares @ (places - mean).square()).sqrt()


def _unnormalized(mixture, x, label, weight, sigma) -> torch.Tensor:
    logs = mixture.log_class_probability(x, sigma)
    if isinstance(label, bool) or not isinstance(label, int) or not 0 <= label < logs.shape[1]:
        raise Refused(f"label = {label!r:.40}: this distribution has {logs.shape[1]} classes, from 0")
    return mixture.log_density(x, sigma) + weight * logs[:, label]


def _grid(mixture, weight, sigma) -> tuple[torch.Tensor, float]:
    """(points [P, d] around all of it, the volume of each)."""
    weight = number("weight", weight)
    if len(mixture.shape) != 1 or mixture.shape[0] > 2:
        raise Refused(
            f"a density on {list(mixture.shape)} is not summed over a grid: it must have one or two dimensions"
        )
    stds = (mixture.stds().square() + sigma**2).sqrt().cpu()
    reach, means = REACH * stds[:, None], mixture.means.cpu().double()
    lows, highs = (means - reach).amin(0), (means + reach).amax(0)
    step = float(stds.min()) / (FINE * math.sqrt(max(abs(weight), 1.0)))
    counts = ((highs - lows) / max(step, 1e-12)).ceil().clamp(min=2)
    counts = (counts * min(1.0, (POINTS / float(counts.prod())) ** (1 / len(counts)))).int().tolist()
    axes = [torch.linspace(low, high, n, dtype=torch.float64) for low, high, n in zip(lows, highs, counts, strict=True)]
    places = torch.cartesian_prod(*axes).view(-1, len(counts))
    return places, math.prod(float(axis[1] - axis[0]) for axis in axes)
