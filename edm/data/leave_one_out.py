"""What can be learned of a finite set at each noise level: the loss of its exact denoiser, and its twin.

    x = y_i + σn,     D(x) = Σ_j w_j y_j,     w = softmax_j(−‖x − y_j‖²/(2σ²))

Over all j it is the exact denoiser, which has y_i itself to copy: its loss is the least that is possible on this set,
and nothing that is learned from it does as well elsewhere. Over all j but those equal to y_i it has never seen y_i: its
loss is what one simple rule makes of an unknown sample, so the best possible is not above it. Losses are weighed like
EDM's, λ(σ) = (σ² + σ_d²)/(σ·σ_d)², with which an untrained network has 1 at every level. With W = Σ_j w_j over the
others, in units of the weight of y_i and its equals, D = (y_i + W·D_without)/(1 + W), so one error tells the other:

    D − y_i = W/(1 + W)·(D_without − y_i).

All are measured beside the best linear denoiser of equal coordinates, μ + σ_d²/(σ_d² + σ²)·(x − μ), on the same samples
and noise: its loss is known, and what chance has done to it is taken from the others (a control variate).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from edm.base.streams import Purpose, normals
from edm.objective import WEIGHTS

if TYPE_CHECKING:
    from edm.data.looked import Looked
    from edm.exact import GaussianMixture

WORK = 2e10  # multiplications, after which it has measured enough
QUERIES = (64, 2000)  # samples that are measured: at least, and at most
ROUNDS = 8
LEAST = 10  # different samples, for one of them to be left out
_WEIGH = 60  # multiplications that a weight costs
_BLOCK = 1 << 20  # weights at once


@dataclass(frozen=True, eq=False)
class Curve:
    """λ·loss at each σ: its mean and the standard error of that, float64 [S]; NaN after one or two samples."""

    mean: np.ndarray
    stderr: np.ndarray


@dataclass(frozen=True, eq=False)
class Twins:
    """The two losses, as far as they are measured. nearest: distance to the nearest other sample [Q]. count: of samples
    that were measured. share: of all that will be. alone: how many have no other to be told by. ideal, left_out: None
    where there is none."""

    sigmas: np.ndarray
    ideal: Curve | None
    leave_one_out: Curve | None
    nearest: np.ndarray
    count: int
    share: float
    alone: int = 0


def twins(looked: Looked, sigmas: np.ndarray, per_class: bool = False, seed: int = 0) -> Iterator[Twins]:
    """Both losses of the rows, ever finer. per_class: each sample among those of its class.

    Sample k of a seeded order, which begins again after its last, is measured with noise that depends on (seed, k), the
    same at all σ.
    """
    rows, labels = looked.rows, looked.labels if per_class else None
    cost = len(rows) * len(sigmas) * (rows.shape[1] + _WEIGH)
    wanted = int(np.clip(WORK / cost, *QUERIES))
    order = np.resize(np.random.default_rng([seed, Purpose.LOOK]).permutation(len(rows)), wanted)
    some = len(looked.same.unique()) >= LEAST
    centred = rows - rows.mean(0)  # which loses fewer digits
    parts: list[tuple] = []
    variance = float(centred.square().mean(1).double().mean())
    weights, linear = WEIGHTS["edm"](sigmas, looked.sigma_data), _linear(sigmas, variance)
    for span in np.array_split(np.arange(wanted), min(ROUNDS, wanted)):
        for small in np.array_split(span, -(-len(span) * len(rows) // _BLOCK)):
            noise = normals(seed, Purpose.VALIDATION, small, (rows.shape[1],)).to(rows)
            found = errors(centred, looked.same, labels, torch.from_numpy(order[small]), noise, sigmas)
            parts.append((*found, _beside(centred[order[small]], noise, sigmas, variance)))
        ideal, left_out, nearest, beside = (np.concatenate(column, -1) for column in zip(*parts, strict=True))
        known = np.isfinite(nearest)
        yield Twins(
            sigmas, curve(weights, ideal, beside, linear),
            curve(weights, left_out[:, known], beside[:, known], linear) if some else None, nearest[known],
            len(nearest), len(nearest) / wanted, int((~known).sum()),
        )  # fmt: skip


def errors(
    rows: torch.Tensor, same: torch.Tensor, labels: torch.Tensor | None, chosen: torch.Tensor, noise: torch.Tensor,
    sigmas: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Of the rows [M, d] that are `chosen` [Q], with `noise` [Q, d]: squared errors, means over coordinates, of the
    exact denoiser [S, Q] and of its twin [S, Q]; and the distance to the nearest other row [Q], inf: there is none.

    same: [M], a number that equal rows share. labels: [M], where only rows of one class see each other.
    """
    y, norms, equal = rows[chosen], rows.square().sum(1), same[chosen][:, None] == same
    others = ~equal if labels is None else ~equal & (labels[chosen][:, None] == labels)
    squares = (norms[chosen][:, None] + norms - 2 * y @ rows.T).clamp(min=0).masked_fill(~others, np.inf)
    across = (noise * y).sum(1)[:, None] - noise @ rows.T  # n·(y_i − y_j)
    ideal, left_out = [], []
    alone, doubles = ~others.any(1), equal.sum(1).double()
    for sigma in sigmas.tolist():
        logits = torch.add(squares, across, alpha=2 * sigma).mul_(-0.5 / sigma**2)
        most = logits.amax(1).masked_fill(alone, 0)
        weights = logits.sub_(most[:, None]).exp_()
        total = weights.sum(1)
        error = (weights @ rows / total[:, None] - y).square().mean(1)
        kept = ((total.log() + most).double() - doubles.log()).sigmoid() ** 2  # equal ones have the weight 1
        ideal.append((kept * error.double()).masked_fill(alone, 0).numpy())
        left_out.append(error.double().numpy())
    nearest = squares.amin(1).sqrt().double().numpy()
    return np.stack(ideal), np.stack(left_out), nearest


def floors(exact: GaussianMixture, draw: Callable, sigmas: np.ndarray, count: int, seed: int = 0) -> Iterator[Twins]:
    """The loss of a known distribution's own denoiser, which no network goes below, ever finer.

    draw: of numbers, the samples [n, …]; `count` of them are measured.
    """
    parts, variance = [], exact.sigma_data**2
    weights, linear = WEIGHTS["edm"](sigmas, exact.sigma_data), _linear(sigmas, variance)
    centre = (exact.weights()[:, None] * exact.means.double()).sum(0)
    for numbers in np.array_split(np.arange(count), ROUNDS):
        y = draw(numbers).double()
        noise = normals(seed, Purpose.VALIDATION, numbers, y.shape[1:])
        losses = [(exact(y + s * noise, s) - y).square().flatten(1).mean(1).numpy() for s in sigmas.tolist()]
        parts.append((np.stack(losses), _beside(y.flatten(1) - centre, noise.flatten(1), sigmas, variance)))
        found, beside = (np.concatenate(column, 1) for column in zip(*parts, strict=True))
        done = found.shape[1]
        yield Twins(sigmas, curve(weights, found, beside, linear), None, np.zeros(0), done, done / count)


def _linear(sigmas, variance):
    """The loss of the linear denoiser, of data of that variance [S]."""
    return variance * sigmas**2 / (variance + sigmas**2)


def _beside(y, noise, sigmas, variance) -> np.ndarray:
    """Its squared errors ‖k(y + σn) − y‖²/d [S, Q] on samples y [Q, d] around their mean."""
    sizes = [(a * b).mean(1).double().numpy() for a, b in ((y, y), (y, noise), (noise, noise))]
    kept = (variance / (variance + sigmas**2))[:, None]
    scaled = kept * sigmas[:, None]
    return (1 - kept) ** 2 * sizes[0] - 2 * (1 - kept) * scaled * sizes[1] + scaled**2 * sizes[2]


def curve(weights: np.ndarray, losses: np.ndarray, beside: np.ndarray, linear: np.ndarray) -> Curve | None:
    """Of squared errors [S, n], and those of a denoiser whose loss is known to be `linear` [S]; None of nothing."""
    count = losses.shape[1]
    if count == 0:
        return None
    if count < 3:
        return Curve(weights * losses.mean(1), np.full(len(losses), np.nan))
    own, other = losses - losses.mean(1, keepdims=True), beside - beside.mean(1, keepdims=True)
    slope = (own * other).mean(1) / np.maximum((other * other).mean(1), np.finfo(float).tiny)
    mean = losses.mean(1) - slope * (beside.mean(1) - linear)
    spread = np.sqrt(((own - slope[:, None] * other) ** 2).sum(1) / (count - 2))
    return Curve(weights * np.maximum(mean, 0), weights * spread / np.sqrt(count))
