"""The denoising loss for each noise level, as curves that sharpen while one watches (Figure 5a).

    loss(σ) = E‖D(y + σn; σ) − y‖² / d                      raw, a mean over the d coordinates of a sample
    loss(σ) = floor(σ) + gap(σ),     gap(σ) = E‖D − D*‖² / d

D* = E[y | x] is the ideal denoiser and floor(σ) its loss, which no denoiser can go below: D* − y has mean zero given
x, so it is orthogonal to every function of x. For N(0, c²) the floor is σ²c²/(σ² + c²).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from edm.base import streams
from edm.base.devices import precisely
from edm.base.errors import Refused
from edm.base.transfers import array, fetched, sent
from edm.sampling.denoisers import Denoise, ask, denoiser_of

if TYPE_CHECKING:
    from edm.base.types import Device, Labels, Numbers
    from edm.exact import GaussianMixture

FLOOR = "floor"
MAX_SIGMAS = 1000
CONFIDENCE = 0.95
_POINTS, _IMAGES = (64, 2048), (4, 64)  # samples in the first round, and in the largest
_NUMBERS, _LEAST_ROWS = 1 << 13, 16  # of one call: more are no quicker, and would delay a cancellation


@dataclass(frozen=True)
class LossCurve:
    """A mean over `count` independent samples at each of `sigmas`; all arrays are [S], float64.

    stderr: its standard error; NaN after a single sample. gap: the oracle gap E‖D − D*‖²/d, where D* was given and
    this is not its own curve.
    """

    sigmas: np.ndarray
    mean: np.ndarray
    stderr: np.ndarray
    count: np.ndarray
    gap: LossCurve | None = None

    @property
    def low(self) -> np.ndarray:
        """Lower end of the 95 % band (Student's t), at least 0; NaN where stderr is."""
        return np.maximum(self.mean - self._reach(), 0.0)

    @property
    def high(self) -> np.ndarray:
        """Upper end of the 95 % band."""
        return self.mean + self._reach()

    def _reach(self):
        from scipy.special import stdtrit

        return stdtrit(np.maximum(self.count - 1, 1), 0.5 + CONFIDENCE / 2) * self.stderr


class _Running:
    """Mean and sum of squared deviations at each σ, by Chan's update: no cancellation, however many samples."""

    def __init__(self, sigmas):
        self.sigmas, shape = sigmas, len(sigmas)
        self.count, self.mean, self.squares = np.zeros(shape, dtype=np.int64), np.zeros(shape), np.zeros(shape)

    def add(self, part: slice, values: np.ndarray) -> None:
        """`values` [S', m] of m samples at the σ of `part`."""
        old, new = self.count[part], values.shape[1]
        with np.errstate(invalid="ignore", over="ignore"):  # a denoiser that breaks down has a loss of NaN or infinity
            mean = values.mean(1)
            delta = mean - self.mean[part]
            self.squares[part] += ((values - mean[:, None]) ** 2).sum(1) + delta**2 * (old * new / (old + new))
            self.mean[part] += delta * (new / (old + new))
        self.count[part] += new

    def curve(self, gap=None) -> LossCurve:
        variance = np.where(self.count > 1, self.squares / np.maximum(self.count - 1, 1), np.nan)
        return LossCurve(self.sigmas, self.mean.copy(), np.sqrt(variance / self.count), self.count.copy(), gap)


def losses(
    denoisers: Mapping[str, Denoise],
    draw: Callable,
    sigmas: Numbers,
    *,
    seed: int = 0,
    exact: Denoise | None = None,
    conditional: Collection[str] | None = None,
    first: int | None = None,
    most: int | None = None,
    device: Device = "cpu",
) -> Iterator[dict[str, LossCurve]]:
    """Loss per σ of all `denoisers` at once: a rough curve of each first, then ever finer ones, without end.

    denoisers: D(x, sigma, labels=None) by name; sigma is a number, or [B] where one call serves several levels.
    draw: draw(indices) -> (y [B, …], labels [B] or None), where row k depends on indices[k] only; see `held_out`.
        Samples k = 0, 1, … are drawn, with noise that depends on (seed, k); these are the numbers of
        `edm.training.loss.per_sigma`. Every denoiser meets the same y and n at every σ.
    sigmas: [S] levels above 0, in any order.
    exact: the ideal denoiser D*. Its loss is added under the name "floor", and every other curve has its `gap`.
    conditional: names of the denoisers that are given the labels, where the data have them. None: those whose
        attribute `classes` is above 0, and "floor" if another is. A floor without the labels does not bound
        the loss of a denoiser that is told them.
    first, most: samples in the first round and in the largest; each is twice the one before. None: 64 and 2048
        points, or 4 and 64 images. They and the batches do not change the result, beyond rounding.
    device: where the denoisers are.

    Yields {name: LossCurve}: first once every σ has been evaluated, then after each batch. In between, the number of
    samples may differ from σ to σ, never from denoiser to denoiser. The bands speak of chance in y and n alike; once a
    finite draw starts again from its beginning, they are about its own images.
    Raises ValueError at once for arguments that cannot be, and on the way for data or outputs of the wrong shape.
    """
    denoisers = dict(denoisers)
    if exact is not None and FLOOR in denoisers:
        raise Refused(f"a denoiser is named {FLOOR!r}, which is the exact one's name; give it another")
    if not denoisers and exact is None:
        raise Refused("there is no denoiser to measure; give at least one")
    told = _told(denoisers, exact, conditional)
    if exact is not None:
        denoisers = {FLOOR: exact, **denoisers}
    for name, value in (("first", first), ("most", most)):
        if value is not None and value < 1:
            raise Refused(f"{name} = {value}: a round needs at least 1 sample")
    return _curves(denoisers, told, draw, _levels(sigmas), seed, first, most, device, exact is not None)


def _told(denoisers, exact, conditional):
    names = {*denoisers, *([FLOOR] if exact is not None else [])}
    if conditional is None:
        told = {name for name, denoiser in denoisers.items() if denoiser_of(denoiser).classes}
        return told | ({FLOOR} if told and denoiser_of(exact).classes else set())
    if unknown := sorted(set(conditional) - names):
        raise Refused(f"conditional names {unknown[0]!r}, but the denoisers are {', '.join(sorted(names))}")
    return set(conditional)


def _levels(sigmas) -> np.ndarray:
    sigmas = array(sigmas)
    if sigmas.ndim != 1 or not 1 <= len(sigmas) <= MAX_SIGMAS:
        raise Refused(f"sigmas have shape {list(sigmas.shape)}; give a list of 1 to {MAX_SIGMAS} noise levels")
    if not (np.isfinite(sigmas) & (sigmas > 0)).all():
        odd = sigmas[~(np.isfinite(sigmas) & (sigmas > 0))][0]
        raise Refused(f"sigmas contain {odd:g}; noise levels are finite and above 0")
    sigmas.setflags(write=False)  # all curves share it
    return sigmas


@torch.no_grad()
def _curves(denoisers, told, draw, sigmas, seed, first, most, device, oracle):
    shape = tuple(draw(range(1))[0].shape[1:])
    for name, denoiser in denoisers.items():
        if (known := denoiser_of(denoiser).shape) is not None and tuple(known) != shape:
            raise Refused(f"{name!r} works on samples of shape {list(known)}; the data have {list(shape)}")
    errors = {name: _Running(sigmas) for name in denoisers}
    gaps = {name: _Running(sigmas) for name in denoisers if oracle and name != FLOOR}
    for indices in _rounds(*(given or usual for given, usual in zip((first, most), _usual(shape), strict=True))):
        y, labels = draw(indices)
        y = sent(y, device)
        labels = None if labels is None else sent(torch.as_tensor(labels), device)
        noise = sent(streams.normals(seed, streams.Purpose.VALIDATION, indices, shape), device, y.dtype)
        for levels, samples in _blocks(len(sigmas), len(y), max(_LEAST_ROWS, _NUMBERS // y[0].numel())):
            x, sigma = _noised(y[samples], noise[samples], sigmas[levels])
            clean, ideal = y[samples].repeat(len(sigmas[levels]), *[1] * len(shape)), None
            known = None if labels is None else labels[samples].repeat(len(sigmas[levels]))
            squares = []  # for each of errors and gaps, [levels, B]
            for name, denoiser in denoisers.items():
                denoised = _denoised(name, denoiser, x, sigma, known if name in told else None)
                squares.append((errors[name], _squares(denoised, clean, len(sigmas[levels]))))
                if name in gaps:
                    squares.append((gaps[name], _squares(denoised, ideal, len(sigmas[levels]))))
                elif oracle:
                    ideal = denoised  # the exact denoiser comes first
            for (running, _), values in zip(squares, fetched(values for _, values in squares), strict=True):
                running.add(levels, values.numpy())
            if all(running.count.all() for running in errors.values()):
                yield {
                    name: running.curve(gaps[name].curve() if name in gaps else None)
                    for name, running in errors.items()
                }


def _usual(shape):
    return _POINTS if len(shape) == 1 else _IMAGES


def _rounds(size, most) -> Iterator[range]:
    """The samples of each round: `size` of them, then twice as many, up to `most`."""
    start, size = 0, min(size, most)
    while True:
        yield range(start, start + size)
        start, size = start + size, min(2 * size, most)


def _blocks(levels, samples, rows) -> Iterator[tuple[slice, slice]]:
    """(levels, samples) of each call, of at most `rows` rows: few samples at several levels, or many at one."""
    together = max(1, rows // samples)
    for start in range(0, samples, rows):
        for level in range(0, levels, together):
            yield slice(level, level + together), slice(start, start + rows)


def _noised(y, noise, sigmas):
    """y + σn of all σ × samples, σ-major [S'·B, …], and σ: a number if there is one, else [S'·B] in float64."""
    if len(sigmas) == 1:
        return y + float(sigmas[0]) * noise, float(sigmas[0])
    levels = sent(torch.from_numpy(sigmas.copy()), y.device)
    x = (y + levels.to(y).view(-1, *[1] * y.ndim) * noise).flatten(0, 1)
    return x, levels.repeat_interleave(len(y))


def _denoised(name, denoiser, x, sigma, labels):
    denoised = ask(denoiser, x, sigma, labels)
    if not isinstance(denoised, torch.Tensor) or denoised.shape != x.shape:
        kind = list(denoised.shape) if isinstance(denoised, torch.Tensor) else type(denoised).__name__
        raise Refused(f"{name!r} returned {kind}; it must return a tensor like its x, {list(x.shape)}")
    return denoised.to(x.dtype)


def _squares(a, b, levels) -> torch.Tensor:
    """Mean squared difference over the coordinates of each row: [levels, B]."""
    return precisely(a - b).square().flatten(1).mean(1).view(levels, -1)


@torch.no_grad()
def gap_field(
    learned: Denoise, exact: Denoise, positions: torch.Tensor, sigma: float, labels: Labels = None
) -> torch.Tensor:
    """D_θ(x; σ) − D*(x; σ) at `positions` [G, d], in the data's units: [G, d].

    labels: [G], handed to both, or None. Raises ValueError for σ that is not above 0, or an output of another shape.
    """
    if not 0 < sigma < float("inf"):
        raise Refused(f"sigma = {sigma:g}: a noise level is finite and above 0")
    return _denoised("learned", learned, positions, sigma, labels) - _denoised("exact", exact, positions, sigma, labels)


@torch.no_grad()
def gap_and_density(
    learned: Denoise, exact: GaussianMixture, positions: torch.Tensor, sigma: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """(`gap_field` [G, d], log p(x; σ) [G] of the exact one, by whose sum over the data both are)."""
    denoised, density = exact.both(positions, sigma)
    return gap_field(learned, lambda *_: denoised, positions, sigma), density
