"""Same or different? Two names as rows of Table 1, and the largest differences between what they do.

A name owns the rows that it sets (`edm.diagnostics.names`). Rows that only one of the two owns are that one's for both,
and those of none are the base's: so DDIM is compared with flow matching on flow's own levels.

    levels            largest |σ_i/σ'_i − 1|
    preconditioning   largest relative difference of c_skip, c_in and |c_out|, and of the level that is seen. The sign
                      is F's own, and c_noise is only how F is told of σ.
    p_train           largest difference of the densities in ln σ, relative to the highest
    λ                 largest |λ/λ' − 1|, up to one constant
    samples           rms difference of samples from the same latents, in units of σ_data
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from edm.base.choices import formula_of
from edm.base.devices import precisely
from edm.base.errors import Refused
from edm.diagnostics.design import loss_weight, training_density
from edm.diagnostics.errors import rms_error
from edm.diagnostics.names import Name, names
from edm.diagnostics.walk import ROWS
from edm.objective import NOISES, WEIGHTS, Design, Learned
from edm.preconditioning import PRECONDITIONINGS, build
from edm.sampling.loop import last, sample
from edm.sampling.noise import seeds
from edm.sampling.path import path_of
from edm.sampling.settings import Sampling

if TYPE_CHECKING:
    from edm.base.types import Labels
    from edm.sampling.denoisers import Denoise

TOLERANCE = 1e-9  # below which a difference is rounding
SIGMA_DATA = 0.5
SIGMAS = np.geomspace(0.002, 80, 200)
EQUAL, SAME, DIFFERENT = "identical", "same", "different"


@dataclass(frozen=True)
class Setting:
    """A name with all rows filled in. title: of the name. owner: row -> the `Name` that filled it; None: the base."""

    title: str
    sampling: Sampling
    design: Design
    owner: dict[str, Name | None]

    @property
    def sigma_data(self) -> float:
        """Of the data."""
        return self.design.sigma_data or SIGMA_DATA

    def at(self, sampling: Sampling) -> Sampling:
        """How it samples with these settings, at their N: with the levels as published, where they are."""
        owner = self.owner[_STEPS]
        if owner is None or owner.levels is None:
            return sampling
        return sampling.changed(sigmas=tuple(owner.levels(sampling).tolist()))

    def own(self, row: str, what: str) -> Callable | None:
        """What the owner of that row was published as."""
        owner = self.owner[row]
        return None if owner is None else getattr(owner, what)


class Verdict(NamedTuple):
    """A row of Table 1. a, b: as text. verdict: "identical": it says the same; "same": by another name; "different".

    difference: the largest that was found where it says something else, alone or, if nothing is left of it so, with
    the other rows of its kind; of: between what.
    """

    title: str
    a: str
    b: str
    verdict: str
    difference: float
    of: str


@dataclass(frozen=True)
class Sameness:
    """levels, coefficients, samples: the largest difference of each, see above; 0 where no row could make one."""

    a: Setting
    b: Setting
    rows: tuple[Verdict, ...]
    levels: float
    coefficients: float
    samples: float

    @property
    def same(self) -> bool:
        """Whether nothing tells them apart."""
        return max(self.levels, self.coefficients, self.samples) <= TOLERANCE

    @property
    def sampled_alike(self) -> bool:
        """Whether they sample alike, whatever training says."""
        return max(self.levels, self.samples) <= TOLERANCE

    @property
    def trained_alike(self) -> bool:
        """Whether they are trained alike."""
        return self.coefficients <= TOLERANCE


class _DesignRow(NamedTuple):
    """A training row: its fields, its text, and the largest difference of two settings in it."""

    title: str
    fields: tuple[str, ...]
    text: Callable[[Setting], str]
    difference: Callable[[Setting, Setting], float]
    of: str


_STEPS = ROWS[1].title
_COUNT = ROWS[-1].title
_PRECONDITIONING, _NOISE, _WEIGHT = "preconditioning", "p_train(σ)", "weight λ(σ)"


def _apart(a, b) -> float:
    """The largest relative difference where both are known, 0 where both are 0."""
    size = np.maximum(abs(a), abs(b))
    return float(np.nanmax(abs(a - b) / np.where(size > 0, size, 1.0)))


def _coefficients(setting) -> list[np.ndarray]:
    made = setting.own(_PRECONDITIONING, "preconditioning")
    name, sigmas = setting.design.preconditioning, torch.from_numpy(SIGMAS)
    p = made(setting.sigma_data) if made else build(name, setting.sigma_data)
    known = (p.sigma_min <= SIGMAS) & (p.sigma_max >= SIGMAS)
    found = p.c_skip(sigmas), p.c_out(sigmas).abs(), p.c_in(sigmas), p.round_sigma(sigmas)
    return [np.where(known, values.numpy(), np.nan) for values in found]


def _of_preconditioning(a, b):
    return max(_apart(*pair) for pair in zip(_coefficients(a), _coefficients(b), strict=True))


def _density(setting):
    density = setting.own(_NOISE, "density")
    return density(SIGMAS, setting.design) if density else training_density(setting.design, SIGMAS)


def _of_noise(a, b):
    first, second = _density(a), _density(b)
    return float(abs(first - second).max() / max(first.max(), second.max()))


def _lambda(setting):
    weight = setting.own(_WEIGHT, "weight")
    if weight:
        return weight(torch.from_numpy(SIGMAS), setting.sigma_data).numpy()
    return loss_weight(setting.design.weight, SIGMAS, setting.sigma_data)


def _of_weight(a, b):
    learned = [isinstance(WEIGHTS[setting.design.weight], Learned) for setting in (a, b)]
    if learned[0] != learned[1]:
        return math.inf  # e^u(σ) is not known before the training
    ratio = _lambda(a) / _lambda(b)
    return _apart(ratio, np.full_like(ratio, ratio[len(ratio) // 2]))


def _written(setting, row, registry, chosen):
    owner = setting.owner[row]
    what = {_PRECONDITIONING: "preconditioning", _NOISE: "density"}.get(row, "")
    return owner.written if owner and what and getattr(owner, what) else formula_of(registry, chosen)


def _moments(setting):
    if "P_mean" not in (NOISES[setting.design.noise].knobs or ()):
        return "none"
    return f"P_mean = {setting.design.P_mean:g}, P_std = {setting.design.P_std:g}".replace("-", "−")


_DESIGN_ROWS = (
    _DesignRow(
        "σ_data", ("sigma_data",), lambda s: f"{s.sigma_data:g}", lambda a, b: abs(a.sigma_data / b.sigma_data - 1), "",
    ),
    _DesignRow(
        _PRECONDITIONING, ("preconditioning",),
        lambda s: _written(s, _PRECONDITIONING, PRECONDITIONINGS, s.design.preconditioning),
        _of_preconditioning, "c_skip, c_in, |c_out|",
    ),
    _DesignRow(
        _NOISE, ("noise",), lambda s: _written(s, _NOISE, NOISES, s.design.noise), _of_noise, "density in ln σ",
    ),
    _DesignRow("its mean and spread", ("P_mean", "P_std"), _moments, _of_noise, "density in ln σ"),
    _DesignRow(
        _WEIGHT, ("weight",), lambda s: formula_of(WEIGHTS, s.design.weight), _of_weight, "λ up to a constant",
    ),
)  # fmt: skip


def settings_of(
    a: str | Name, b: str | Name, sampling: Sampling | None = None, design: Design | None = None
) -> tuple[Setting, Setting]:
    """Both with all rows filled in: by itself, else by the other, else by the base (EDM's). Raises Refused."""
    base, trained = sampling or Sampling(), design or Design()
    pair = _named(a), _named(b)
    return _setting(pair[0], pair[1], base, trained), _setting(pair[1], pair[0], base, trained)


def _named(name) -> Name:
    known = names()
    if isinstance(name, Name):
        return name
    if name not in known:
        raise Refused(f"{name!r:.60} is no name that is known here; there are {', '.join(known)}")
    return known[name]


def _setting(name, other, base, trained):
    values, chosen, owner = {}, {}, {}
    for row in ROWS[:-1]:
        owned = [one for one in (name, other) if set(row.fields) & set(one.sampling)]
        owner[row.title] = owned[0] if owned else None
        given = owned[0].sampling if owned else {}
        start = Sampling() if owned else base
        values |= {field: given.get(field, getattr(start, field)) for field in row.fields}
    for row in _DESIGN_ROWS:
        owned = [one for one in (name, other) if set(row.fields) & set(one.design)]
        owner[row.title] = owned[0] if owned else None
        given = owned[0].design if owned else {}
        chosen |= {field: given.get(field, getattr(trained, field)) for field in row.fields}
    return Setting(name.title, base.changed(**values), trained.changed(**chosen), owner)


def same(
    a: str | Name, b: str | Name, denoiser: Denoise, latents: torch.Tensor, *, labels: Labels = None,
    sampling: Sampling | None = None, design: Design | None = None, sigma_data: float = 1.0,
) -> Sameness:  # fmt: skip
    """Whether two names mean the same, row by row, and the largest differences of what they do.

    a, b: of `names()`, or a `Name` of one's own. latents: unit normal [B, …], the same for both, as is the noise of
    stochastic settings; computed in float64 at equal N. sampling, design: for rows that neither sets; EDM's.
    sigma_data: of what the denoiser is of, the unit of `samples`. Raises Refused for a name that is unknown, or
    settings that do not fit together.
    """
    first, second = settings_of(a, b, sampling, design)
    ends: dict = {}

    def difference(s: Sampling, t: Sampling) -> tuple[float, float]:
        """(of levels, of samples)."""
        if s == t:
            return 0.0, 0.0
        ways = [path_of(way, denoiser).sigmas for way in (s, t)]
        levels = _apart(*(np.array(way[:-1]) for way in ways)) if len(ways[0]) == len(ways[1]) else math.inf
        for way in (s, t):
            if way not in ends:
                ends[way] = _end(denoiser, latents, way, labels)
        samples = rms_error(ends[s], ends[t]) / sigma_data
        return levels, samples if math.isfinite(samples) else math.inf

    levels, samples = difference(first.at(first.sampling), second.at(second.sampling))
    alike = max(levels, samples) <= TOLERANCE
    rows = [_sampled(row, first, second, difference, (levels, samples), alike) for row in ROWS[:-1]]
    designed = [_designed(row, first, second) for row in _DESIGN_ROWS]
    coefficients = max(row.difference for row in designed)
    return Sameness(first, second, (*rows, *designed), levels, coefficients, samples)


def _end(denoiser, latents, sampling, labels):
    known = seeds(sampling.seed, len(latents))
    return last(sample(denoiser, precisely(latents), sampling, labels, seeds=known)).x


def _text(row, setting):
    owner = setting.owner[row.title]
    if row.title == _STEPS and owner is not None and owner.levels:
        return owner.written
    return row.text(setting.sampling)


def _sampled(row, a, b, difference, overall, alike) -> Verdict:
    """With the row alone changed, where that is possible; and with all where they make no difference together."""
    texts = _text(row, a), _text(row, b)
    if texts[0] == texts[1] and row.value(a.sampling) == row.value(b.sampling):
        return Verdict(row.title, *texts, EQUAL, 0.0, "")
    if alike:
        return Verdict(row.title, *texts, SAME, max(overall), "samples")
    changed = {field: getattr(b.sampling, field) for field in row.fields}
    if all(getattr(a.sampling, field) == value for field, value in changed.items()):
        return Verdict(row.title, *texts, DIFFERENT, overall[0], "levels")  # it comes with another row
    try:
        mixed = replace(a, owner={**a.owner, row.title: b.owner[row.title]})
        found = difference(a.at(a.sampling), mixed.at(a.sampling.changed(**changed)))
    except Refused:  # it takes another row too
        found = overall
    of = "levels" if row.title == _STEPS else "samples"
    number = found[0] if of == "levels" else found[1]
    return Verdict(row.title, *texts, SAME if max(found) <= TOLERANCE else DIFFERENT, number, of)


def _designed(row, a, b) -> Verdict:
    texts, found = (row.text(a), row.text(b)), row.difference(a, b)
    alike = EQUAL if texts[0] == texts[1] else SAME
    return Verdict(row.title, *texts, alike if found <= TOLERANCE else DIFFERENT, found, row.of)
