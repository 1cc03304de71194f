"""What a data set says before anything is trained on it: σ_data, which noise levels to sample over, and on which to
train.

**σ_max**: the noise that sampling starts from has to hide the data. It is the largest distance of two samples (Song &
Ermon 2020, Improved Techniques, technique 1), and at least 7 times the widest direction's standard deviation c: who
starts from N(0, σ²) in place of N(0, c² + σ²) ends with a spread of c·√(1 − c²/(σ² + c²)), and loses 1 % at most. (The
paper's 80 is of that size for images of CIFAR-10.)
**σ_min**: what is left of the noise may not show. A quarter of the step between two values (of 8 bits, 2/255: that is
the paper's 0.002), or a seventh of the distance between neighbours in a coordinate, or of a distribution's narrowest
width, whichever is less.
**p_train**: where much is left to learn, at levels that matter. With G(σ) the λ·loss of who has learned all that there
is to learn, 1 − G is what training can gain at σ, in units of λ, and (1 − G)·σ²σ_d²/(σ² + σ_d²) in the data's own, in
which samples are off by what D is off (dx = (x − D)/σ·dσ, so a step of ln σ counts alike everywhere). What is to be
told apart at σ is fewer the more noise there is, n(σ) ∝ σ_d²/(σ² + σ_d²). If training at a density p(ln σ) leaves an
error ∝ 1/p, then the density that leaves the least in sum is the square root of their product,

    p(ln σ) ∝ √(1 − G) · σσ_d²/(σ² + σ_d²),

and P_mean and P_std are its mean and standard deviation. G is known of a distribution. Of a set of points it is taken
to be the leave-one-out twin's loss (`edm.data.leave_one_out`), or 1. Parts of an image tell of each other, too, which
the twin does not know: of images G lies between the exact denoiser's loss and the twin's, or 1, and is taken halfway.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from edm import data as named
from edm.base.errors import Refused
from edm.base.protocols import Source
from edm.data import sets, sources
from edm.data.advised import APART, FEW, Advice
from edm.data.leave_one_out import Twins, floors, twins
from edm.data.looked import Looked, look
from edm.data.settings import Data
from edm.data.split import Split

if TYPE_CHECKING:
    from edm.base.types import Numbers

LEVELS = 25  # noise levels at which the losses are measured
LOW = 1 / 128  # of σ_data: the least of them
WIDE = math.sqrt(50)  # standard deviations: 1 % of a spread is lost
_NEAREST = 0.05  # of the samples have a nearer neighbour
_DRAWN = 16_000  # samples of a known distribution that are measured
_SIZE = 32  # pixels, of images that are not of one size
_FINE = 400  # levels of p_train
_ALIKE = 1e-6  # of the largest value: what differs by less is lost in float32
_READING = 0.3  # of the work, about


class Step(NamedTuple):
    """share: of the work that is done, from 0 to 1. advice: as it is known by then, if it is."""

    share: float
    advice: Advice | None


def advice(data: Any, *, per_class: bool = False, seed: int = 0, sigmas: Numbers | None = None) -> Advice:
    """What a data set says of how to train on it, in some seconds.

    data: the name of a data set, a path, an `edm.data.settings.Data` (of which `examples` alone are read, if it names
        some), what `edm.data.bring` has read, an `edm.data.Dataset`, or a source (`edm.data.sources`). Images of
        several sizes are looked at as 32×32.
    per_class: compare each sample with others of its class only; else all classes are looked at together.
    seed: of the samples that are looked at, where the set is large, and of the noise.
    sigmas: noise levels of the curves; None: 25, from far below σ_data to σ_max.
    Raises Refused for what cannot be read, a single sample, or samples that are all equal.
    """
    *_, last = advise(data, per_class=per_class, seed=seed, sigmas=sigmas)
    assert last.advice is not None
    return last.advice


def advise(data: Any, *, per_class: bool = False, seed: int = 0, sigmas: Numbers | None = None) -> Iterator[Step]:
    """The same as a generator, ever better while one looks on; closing it stops the work."""
    source = source_of(data)
    if per_class and not source.classes:
        raise Refused("per_class = True: these data have no classes")
    looked, among = None, None
    if isinstance(data, Data) and data.examples is not None:
        among = Split(source, data.holdout, examples=data.examples).kept
    for found in look(source, seed, among=among):
        if isinstance(found, Looked):
            looked = found
        else:
            yield Step(_READING * found, None)
    assert looked is not None
    if looked.sigma_data < _ALIKE * float(looked.rows.abs().max()):
        raise Refused(
            f"the samples hardly differ: σ_data is {looked.sigma_data:.2g}; take off what they have in common, and "
            "scale the rest to a size of about 1"
        )
    farthest, widest = looked.farthest(), looked.widest()
    sigma_max = _rounded(max(farthest, WIDE * widest))
    levels = _levels(sigmas, looked.sigma_data, sigma_max)
    if looked.exact is not None:
        measured = floors(looked.exact, lambda k: sources.read(source, k)[0], levels, _DRAWN, seed)
    else:
        measured = twins(looked, levels, per_class, seed)
    for found in measured:
        made = _advised(looked, found, farthest, widest, sigma_max, per_class)
        yield Step(_READING + (1 - _READING) * found.share, made)


def source_of(data: Any) -> Source:
    """What is meant by `data` of `advice`, as a source. Raises Refused."""
    if isinstance(data, str | Path):
        name = str(data)
        data = Data(dataset=name) if name in sources.names() else named.bring(data)
    if isinstance(data, Data):
        return sources.open_source(data)
    if isinstance(data, named.Dataset):
        known = data.name in sources.names() and len(data.shape) == 3
        return sources.open_source(Data(dataset=data.name)) if known else sets.Mixture(data)
    if isinstance(data, named.Brought):
        return _brought(data)
    if not hasattr(data, "read"):
        raise Refused(f"{data!r:.60} is no data set; give a name, a path, or a source of edm.data.sources")
    return data


def _brought(brought) -> Source:
    if brought.kind == "points":
        from edm.data import toy

        return sets.Mixture(named.Dataset("brought", "", brought.shape, lambda: toy.drawn(brought.points)))
    uneven = 0 in brought.shape or brought.shape[-1] != brought.shape[-2]
    return brought.source(_SIZE, crop=True) if uneven else brought.source()


def _levels(sigmas, sigma_data, sigma_max) -> np.ndarray:
    if sigmas is None:
        return np.geomspace(LOW * sigma_data, sigma_max, LEVELS)
    levels = np.sort(np.asarray(sigmas, dtype=np.float64).reshape(-1))
    if not len(levels) or not (np.isfinite(levels) & (levels > 0)).all():
        raise Refused("sigmas must be noise levels, finite and above 0")
    return levels


def _advised(looked: Looked, found: Twins, farthest, widest, sigma_max, per_class) -> Advice:
    near = float(np.quantile(found.nearest, _NEAREST)) if len(found.nearest) else None
    P_mean, P_std = p_train(found, looked.sigma_data, parts=len(looked.shape) > 1)
    ideal, left_out = (None if one is None else one.mean for one in (found.ideal, found.leave_one_out))
    best = left_out if ideal is None else ideal
    return Advice(
        looked.count, len(looked.rows), found.count, looked.shape, looked.duplicates, looked.step, near, farthest,
        widest, looked.sigma_data, _sigma_min(looked, near), sigma_max, P_mean, P_std, found.sigmas, found.ideal,
        found.leave_one_out, looked.exact is not None, looked.classes, per_class, found.alone,
        None if best is None else _little(found.sigmas, best, above=True),
        _little(found.sigmas, ideal, above=False) if looked.exact is not None and ideal is not None else None,
        None if left_out is None else _unsaid(found.sigmas, left_out),
        None if left_out is None or ideal is None else _last(found.sigmas, left_out - ideal - APART),
    )  # fmt: skip


def _sigma_min(looked: Looked, near: float | None) -> float:
    if looked.exact is not None:
        return _rounded(float(looked.exact.stds().min()) / WIDE)
    dim = looked.rows.shape[1]
    least = [looked.step / 4] if looked.step else []
    least += [near / math.sqrt(dim) / WIDE] if near else []
    return _rounded(min(least, default=looked.sigma_data * LOW))


def p_train(found: Twins, sigma_data: float, parts: bool = False) -> tuple[float, float]:
    """(P_mean, P_std) of the density in ln σ at the head of this module, to a tenth. parts: of images."""
    learned = _sure(found.ideal)
    if found.leave_one_out is not None:
        twin = np.minimum(_sure(found.leave_one_out), 1)
        learned = (learned + twin) / 2 if parts else twin
    fine = np.linspace(math.log(found.sigmas[0]), math.log(found.sigmas[-1]), _FINE)
    gain = np.interp(fine, np.log(found.sigmas), np.maximum(1 - learned, 0))
    sigma = np.exp(fine)
    density = np.sqrt(gain if gain.any() else 1) * sigma * sigma_data**2 / (sigma**2 + sigma_data**2)
    density /= density.sum()
    mean = float((density * fine).sum())
    std = math.sqrt(float((density * (fine - mean) ** 2).sum()))
    return round(mean, 1) + 0.0, max(round(std, 1), 0.3)


def _sure(curve) -> np.ndarray:
    """The loss, and the standard error with it, which chance could have made a gain."""
    return curve.mean + np.nan_to_num(curve.stderr)


def _little(sigmas, losses, above: bool) -> float | None:
    """The level beyond which the loss stays within FEW of 1, on one side of where it is least."""
    low = int(losses.argmin())
    over = losses - (1 - FEW)
    if over[low] >= 0:
        return float(sigmas[low])
    if above:
        return _crossing(sigmas[low:], over[low:])
    return _crossing(sigmas[low::-1], over[low::-1])


def _unsaid(sigmas, losses) -> float | None:
    """The level below which the twin does no better than who has learned nothing."""
    low = int(losses.argmin())
    if losses[low] >= 1 - FEW:
        return float(sigmas[-1])
    return _crossing(sigmas[low::-1], losses[low::-1] - 1)


def _last(sigmas, values) -> float | None:
    """The largest level at which the values are above 0."""
    return _crossing(sigmas[::-1], values[::-1])


def _crossing(sigmas, values) -> float | None:
    """Where values first reach 0 from below, in the order given, between two levels by ln σ; None: they do not."""
    there = np.flatnonzero(values >= 0)
    if not len(there):
        return None
    k = int(there[0])
    if k == 0:
        return float(sigmas[0])
    share = values[k - 1] / (values[k - 1] - values[k])
    return float(np.exp(np.log(sigmas[k - 1]) + share * (np.log(sigmas[k]) - np.log(sigmas[k - 1]))))


def _rounded(value: float) -> float:
    """To two digits."""
    return float(f"{value:.2g}")
