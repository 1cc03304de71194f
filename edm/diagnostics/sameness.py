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
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from edm.base.devices import precisely
from edm.base.errors import Refused
from edm.diagnostics.errors import rms_error
from edm.diagnostics.names import Name, names
from edm.diagnostics.training_rows import STEPS, TRAINING_ROWS, Setting, apart
from edm.diagnostics.walk import ROWS
from edm.objective import Design
from edm.sampling.loop import last, sample
from edm.sampling.noise import seeds
from edm.sampling.path import path_of
from edm.sampling.settings import Sampling

if TYPE_CHECKING:
    from edm.base.types import Labels
    from edm.sampling.denoisers import Denoise

TOLERANCE = 1e-9  # below which a difference is rounding
EQUAL, SAME, DIFFERENT = "identical", "same", "different"
SAMPLING_ROWS = ROWS[:-1]  # N is the same


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
    for row in SAMPLING_ROWS:
        owned = [one for one in (name, other) if set(row.fields) & set(one.sampling)]
        owner[row.title] = owned[0] if owned else None
        given = owned[0].sampling if owned else {}
        start = Sampling() if owned else base
        values |= {field: given.get(field, getattr(start, field)) for field in row.fields}
    for row in TRAINING_ROWS:
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
        levels = apart(*(np.array(way[:-1]) for way in ways)) if len(ways[0]) == len(ways[1]) else math.inf
        for way in (s, t):
            if way not in ends:
                ends[way] = _end(denoiser, latents, way, labels)
        samples = rms_error(ends[s], ends[t]) / sigma_data
        return levels, samples if math.isfinite(samples) else math.inf

    levels, samples = difference(first.at(first.sampling), second.at(second.sampling))
    alike = max(levels, samples) <= TOLERANCE
    rows = [_sampled(row, first, second, difference, (levels, samples), alike) for row in SAMPLING_ROWS]
    designed = [_designed(row, first, second) for row in TRAINING_ROWS]
    coefficients = max(row.difference for row in designed)
    return Sameness(first, second, (*rows, *designed), levels, coefficients, samples)


def _end(denoiser, latents, sampling, labels):
    known = seeds(sampling.seed, len(latents))
    return last(sample(denoiser, precisely(latents), sampling, labels, seeds=known)).x


def _text(row, setting):
    owner = setting.owner[row.title]
    if row.title == STEPS and owner is not None and owner.levels:
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
    of = "levels" if row.title == STEPS else "samples"
    number = found[0] if of == "levels" else found[1]
    return Verdict(row.title, *texts, SAME if max(found) <= TOLERANCE else DIFFERENT, number, of)


def _designed(row, a, b) -> Verdict:
    texts = row.text(a), row.text(b)
    if texts[0] == texts[1]:
        return Verdict(row.title, *texts, EQUAL, 0.0, "")
    found = row.difference(a, b)
    return Verdict(row.title, *texts, SAME if found <= TOLERANCE else DIFFERENT, found, row.of)
