"""The discrete noise levels of guided-diffusion's models (Dhariwal & Nichol 2021), and which of them a run takes.

    σ_t = √(1/ᾱ_t − 1),   ᾱ_t = Π_{i≤t} (1 − β_i),   t = 0 … 999
    linear:  β_i = 10⁻⁴ + (0.02 − 10⁻⁴)·i/999
    cosine:  β_i = min(1 − f((i+1)/1000)/f(i/1000), 0.999),   f(u) = cos²(π/2·(u + 0.008)/1.008)

A respacing says which t are kept: evenly many from end to end; "ddim", every k-th from t = 0 on; or shares of the steps
for parts of equal length, from t = 0 on ("90:60:60:20:20").
"""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np

from edm.base.errors import Refused, shown

M = 1000
_BETAS, _MOST_BETA, _OFFSET = (1e-4, 0.02), 0.999, 0.008
DDIM = "ddim"
_LONGEST = 200
_NEAR = 1e-6  # a bound may be off a level by this share of it: published models have them in float32


@lru_cache(maxsize=2)
def table(cosine: bool) -> np.ndarray:
    """σ_t of t = 0 … 999, float64, rising, read-only."""
    if cosine:
        f = np.cos(np.pi / 2 * (np.arange(M + 1) / M + _OFFSET) / (1 + _OFFSET)) ** 2
        betas = np.minimum(1 - f[1:] / f[:-1], _MOST_BETA)
    else:
        betas = np.linspace(*_BETAS, M)
    levels = np.sqrt(np.expm1(-np.cumsum(np.log1p(-betas))))
    levels.setflags(write=False)
    return levels


def available(cosine: bool, sigma_min: float, sigma_max: float) -> np.ndarray:
    """Those σ_t that lie in [σ_min, σ_max], rising."""
    levels = table(cosine)
    return levels[(levels >= sigma_min * (1 - _NEAR)) & (levels <= sigma_max * (1 + _NEAR))]


def levels(
    cosine: bool, steps: int, sigma_min: float, sigma_max: float, rho: float | None = None, *,
    respacing: str | None = None,
) -> np.ndarray:  # fmt: skip
    """N levels of the table within the range, decreasing; with even spacing, the two ends are the range's own.

    Raises Refused if there are fewer, or no whole stride that takes so many.
    """
    known = available(cosine, sigma_min, sigma_max)
    if len(known) < steps:
        raise Refused(
            f"there are {len(known)} of ADM's noise levels between sigma_min = {sigma_min:g} and sigma_max = "
            f"{sigma_max:g}, but steps = {steps}; use fewer steps or a wider range"
        )
    chosen = known[kept(len(known), steps, respacing)][::-1].copy()
    if respacing is None:
        chosen[-1], chosen[0] = sigma_min, sigma_max
    return chosen


def kept(count: int, steps: int, respacing: str | None = None) -> np.ndarray:
    """Which of `count` times are kept, rising: as guided-diffusion respaces them. respacing: as `parsed` gives it."""
    if respacing == DDIM:
        return _strided(count, steps)
    shares = [1] if respacing is None else [int(share) for share in respacing.split(":")]
    numbers = _shared(steps, shares)
    lengths = [count // len(shares) + (i < count % len(shares)) for i in range(len(shares))]
    times, start = [], 0
    for length, number in zip(lengths, numbers, strict=True):
        if number > length:
            raise Refused(f"respacing = {respacing!r}: a part of {length} noise levels cannot have {number} steps")
        stride = (length - 1) / (number - 1) if number > 1 else 1.0
        at = 0.0
        for _ in range(number):
            times.append(start + round(at))
            at += stride
        start += length
    return np.array(times)


def _strided(count, steps):
    """Every k-th from 0 on, so many of them."""
    for stride in range(1, count + 1):
        if len(range(0, count, stride)) == steps:
            return np.arange(0, count, stride)
    there = sorted({len(range(0, count, stride)) for stride in range(1, count + 1)}, key=lambda n: abs(n - steps))
    raise Refused(f"respacing = 'ddim': no whole stride takes steps = {steps} of {count} levels; use {there[0]}")


def _shared(steps, shares):
    """The steps of each part: all of them, shared by the largest remainders."""
    exact = [steps * share / sum(shares) for share in shares]
    numbers = [int(part) for part in exact]
    for i in sorted(range(len(shares)), key=lambda i: numbers[i] - exact[i])[: steps - sum(numbers)]:
        numbers[i] += 1
    return numbers


def parsed(text: str) -> tuple[str | None, int | None]:
    """(the respacing, its steps if it says how many) of "250", "ddim25", "90,60,60,20,20" as guided-diffusion writes
    them, or of what this gives. Raises Refused for anything else."""
    word = text.strip().lower()
    if word in ("", "none", "even"):
        return None, None
    if word == DDIM or re.fullmatch(r"\d{1,4}(:\d{1,4})+", word):
        spacing, steps = word, None
    elif found := re.fullmatch(r"ddim(\d{1,4})", word):
        spacing, steps = DDIM, int(found[1])
    elif re.fullmatch(r"\d{1,4}( *, *\d{1,4})*", word) and len(word) <= _LONGEST:
        numbers = [int(number) for number in word.split(",")]
        spacing, steps = (None if len(numbers) == 1 else ":".join(map(str, numbers))), sum(numbers)
    else:
        spacing, steps = word, 0
    if steps == 0 or (spacing and ":" in spacing and not any(map(int, spacing.split(":")))):
        raise Refused(
            f"respacing = {shown(text)}: must be a number of steps such as 250, ddim25, or steps of parts of equal "
            "length such as 90,60,60,20,20"
        )
    return spacing, steps
