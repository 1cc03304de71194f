"""What a data set says of how to train on it: the numbers, and the same in sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from edm.data.leave_one_out import LEAST, Curve

FEW = 0.05  # of the loss: less is little to learn
APART = 0.1  # of the loss, between the twins: more, and copying pays


@dataclass(frozen=True, eq=False)
class Advice:
    """What a data set says. count: of its samples, None: endless; looked_at: of how many of them it speaks; measured:
    samples whose loss was. shape: of one. duplicates: that are equal to another, of those looked at.

    step: between two values, None: any. nearest: the distance to the nearest other sample, which 5 % fall below; None
    where that is not known. farthest: of two samples. widest: standard deviation of the widest direction.
    sigmas [S]; ideal, leave_one_out: λ·loss of the exact denoiser, and of its twin that never saw the sample; None
    where there is none. known: the distribution itself is, and ideal is the least for any network. classes: how many;
    per_class: each sample was compared with its class alone; alone: how many had no other there.

    little_above, little_below: noise levels beyond which there is little to learn. unsaid_below: below it, the set
    cannot say what there is to learn: the last of sigmas, where it cannot at all. copied_below: below it, copying the
    set pays. None: there is no such level among sigmas.
    """

    count: int | None
    looked_at: int
    measured: int
    shape: tuple[int, ...]
    duplicates: int
    step: float | None
    nearest: float | None
    farthest: float
    widest: float
    sigma_data: float
    sigma_min: float
    sigma_max: float
    P_mean: float
    P_std: float
    sigmas: np.ndarray
    ideal: Curve | None
    leave_one_out: Curve | None
    known: bool
    classes: int
    per_class: bool
    alone: int
    little_above: float | None
    little_below: float | None
    unsaid_below: float | None
    copied_below: float | None

    @property
    def sentences(self) -> tuple[str, ...]:
        """What is advised, and why."""
        return tuple(one for one in (*_about(self), *_sampling(self), *_training(self)) if one)

    def document(self) -> dict[str, Any]:
        """As JSON: `python -m edm data … --advice --json`. What is not finite is None."""
        numbers = {name: value for name, value in vars(self).items() if not isinstance(value, np.ndarray | Curve)}
        plain = {name: _plain(value) for name, value in numbers.items()}
        curves = {
            name: None if one is None else {"mean": _listed(one.mean), "stderr": _listed(one.stderr)}
            for name, one in (("ideal", self.ideal), ("leave_one_out", self.leave_one_out))
        }
        shape = list(self.shape)
        return {**plain, "shape": shape, "sigmas": _listed(self.sigmas), **curves, "sentences": list(self.sentences)}


def _about(advice: Advice) -> Iterator[str]:
    """Of the samples, and of those that were looked at."""
    many = advice.count is not None and advice.looked_at < advice.count
    if many:
        yield (
            f"{advice.looked_at:,} of the {advice.count:,} samples were looked at, a seeded choice: of all of them "
            f"neighbours are nearer, and the leave-one-out loss is lower. The losses are of {advice.measured:,}."
        )
    if advice.count is None and not advice.known:
        yield f"The set has no end: {advice.looked_at:,} of its samples were looked at."
    if advice.duplicates:
        verb = "is" if advice.duplicates == 1 else "are"
        of = f"the {advice.looked_at:,} that were looked at" if many else f"{advice.looked_at:,} samples"
        yield (
            f"{advice.duplicates:,} of {of} {verb} there already, to the last bit: what is left out is left out with "
            "its doubles."
        )
    if advice.per_class:
        alone = f"; {advice.alone:,} of {advice.measured:,} have no other in theirs" if advice.alone else ""
        yield f"Each sample was compared with those of its class{alone}."
    elif advice.classes > 1:
        yield f"All {advice.classes:,} classes were looked at together."
    yield f"σ_data = {advice.sigma_data:.3g}, the standard deviation of a coordinate."


def _sampling(advice: Advice) -> Iterator[str]:
    """Of the noise levels to sample over."""
    wide = advice.sigma_max > 1.05 * advice.farthest
    far = f"the two farthest samples lie {advice.farthest:.2g} apart"
    yield f"σ_max = {advice.sigma_max:g}: {far}" + (
        f", and that is 7 times the spread along the widest direction, {advice.widest:.2g}." if wide else "."
    )
    if advice.known:
        why = "a seventh of the width of the narrowest part"
    elif advice.step and advice.sigma_min >= 0.24 * advice.step:
        why = f"a quarter of the step between two values, {advice.step:.2g}"
    elif advice.nearest is not None:
        why = f"a seventh, in a coordinate, of the distance between near neighbours, {advice.nearest:.2g} in all"
    else:
        why = "far below σ_data, since nothing else is known"
    yield f"σ_min = {advice.sigma_min:g}: {why}."


def _training(advice: Advice) -> Iterator[str]:
    """Of the noise levels to train on."""
    reasons = []
    if advice.little_above is not None:
        reasons.append(f"above σ = {advice.little_above:.2g} there is little to learn")
    if advice.little_below is not None:
        reasons.append(f"below {advice.little_below:.2g} there is little again, since the distribution is smooth there")
    silent = advice.unsaid_below is not None and advice.unsaid_below >= advice.sigmas[-1]
    if advice.unsaid_below is not None and not silent:
        reasons.append(f"below σ = {advice.unsaid_below:.2g} this set cannot say")
    why = f": {'; '.join(reasons)}" if reasons else ""
    yield f"P_mean = {advice.P_mean:g} and P_std = {advice.P_std:g}{why}."
    if silent:
        yield "No sample tells of another at any noise level: these are too few, or too different, to say more."
    if advice.leave_one_out is None and not advice.known:
        yield f"These are fewer than {LEAST} different samples, so none was left out."
    if advice.copied_below is not None:
        yield (
            f"Below σ = {advice.copied_below:.2g} who knows the set by heart does better than who does not: there, a "
            "network that trains for long will copy."
        )


def _plain(value):
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value


def _listed(values) -> list[float | None]:
    return [_plain(float(value)) for value in values]
