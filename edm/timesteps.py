"""Time-step discretizations: the row "time steps t_i" of Table 1, as noise levels σ_0 > … > σ_{N−1}, then 0.

With N = 1 every discretization is the single step from σ_max to 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import numpy as np
import torch

from edm import respacing, schedules
from edm.base.choices import Alias, spelled
from edm.base.errors import Refused

if TYPE_CHECKING:
    from edm.base.protocols import SamplingLike

IDDPM_LEVELS = 1000  # M
IDDPM_C1, IDDPM_C2 = 1e-3, 8e-3
SD3_SHIFT = 3.0
_GIVEN = ("steps", "sigma_min", "sigma_max", "rho")  # to every discretization, in this order


@dataclass(frozen=True)
class Discretization:
    """`levels(steps, sigma_min, sigma_max, rho)` -> float64 array of N levels; `range` is its own (σ_min, σ_max).

    title, formula, help, knobs, aliases: as of `edm.base.choices.Choice`; knobs other than the range and ρ are given to
    `levels` by name. most(σ_min, σ_max): the largest N that there is; None: any. ends: whether the lowest level is
    σ_min.
    """

    name: str
    levels: Callable[..., np.ndarray]
    range: tuple[float, float]
    title: str = ""
    formula: str = ""
    help: str = ""
    knobs: tuple[str, ...] = ()
    most: Callable[[float, float], int] | None = None
    ends: bool = True
    aliases: tuple[Alias, ...] = ()


def _fractions(steps: int) -> np.ndarray:
    """i/(N−1) for i = 0 … N−1; just 0 for N = 1."""
    return np.arange(steps) / max(steps - 1, 1)


def vp_levels(steps: int, sigma_min: float, sigma_max: float, rho: float | None = None) -> np.ndarray:
    """t linear from 1 to ε_s (where σ = σ_min), on the VP schedule fitted to the range."""
    schedule = schedules.vp(*schedules.vp_parameters(sigma_min, sigma_max))
    return schedule.sigma(1 + _fractions(steps) * (schedule.inverse(sigma_min) - 1))


def ve_levels(steps: int, sigma_min: float, sigma_max: float, rho: float | None = None) -> np.ndarray:
    """σ² geometric from σ_max² to σ_min²."""
    return sigma_max * (sigma_min / sigma_max) ** _fractions(steps)


def edm_levels(steps: int, sigma_min: float, sigma_max: float, rho: float) -> np.ndarray:
    """σ^(1/ρ) linear from σ_max to σ_min (eq. 5)."""
    high, low = sigma_max ** (1 / rho), sigma_min ** (1 / rho)
    fractions = _fractions(steps)
    return ((1 - fractions) * high + fractions * low) ** rho  # so that the last one is σ_min at any ρ


@lru_cache(maxsize=1)
def iddpm_u() -> np.ndarray:
    """iDDPM's discrete noise levels u_0 > … > u_M = 0 (float64, M + 1 values, read-only).

    ᾱ_j is rounded to float32, as in the levels that published models and figures use: the ratios of
    neighbours near 1 amplify it, and u_999 is 4.6e-4 below its unrounded value.
    """
    m = IDDPM_LEVELS
    angle = 0.5 * np.pi * torch.arange(m + 1, dtype=torch.float32) / m / (IDDPM_C2 + 1)
    alpha_bar = (angle.sin() ** 2).numpy()
    u = np.zeros(m + 1)
    for j in range(m, 0, -1):
        ratio = max(float(alpha_bar[j - 1] / alpha_bar[j]), IDDPM_C1)
        u[j - 1] = math.sqrt((u[j] ** 2 + 1) / ratio - 1)
    u.setflags(write=False)
    return u


def iddpm_available(sigma_min: float, sigma_max: float) -> np.ndarray:
    """Those u_j that lie in [σ_min, σ_max], decreasing."""
    u = iddpm_u()
    return u[(u >= sigma_min) & (u <= sigma_max)]


def iddpm_levels(steps: int, sigma_min: float, sigma_max: float, rho: float | None = None) -> np.ndarray:
    """N of the available u_j, evenly spaced in j.

    Raises ValueError if fewer than N are available: the levels would repeat.
    """
    available = iddpm_available(sigma_min, sigma_max)
    if len(available) < steps:
        raise Refused(
            f"iDDPM has {len(available)} noise levels between sigma_min = {sigma_min:g} and "
            f"sigma_max = {sigma_max:g}, but steps = {steps}; use fewer steps or a wider range"
        )
    return available[np.floor((len(available) - 1) * _fractions(steps) + 0.5).astype(int)]


def polyexponential_levels(
    steps: int, sigma_min: float, sigma_max: float, rho: float | None = None, *, power: float = 1.0
) -> np.ndarray:
    """ln σ = u^p·(ln σ_max − ln σ_min) + ln σ_min, u linear from 1 to 0; p = 1 is even in ln σ."""
    return sigma_min * (sigma_max / sigma_min) ** ((1 - _fractions(steps)) ** power)


def arctan_levels(
    steps: int, sigma_min: float, sigma_max: float, rho: float | None = None, *, sigma_mid: float = 1.0
) -> np.ndarray:
    """arctan(σ/σ_mid) linear from that of σ_max to that of σ_min.

    For N(0, σ_mid²) each Euler step multiplies x by cos Δα of what it should, α = arctan(σ/σ_mid), so that even angles
    are the best there are.
    """
    fractions, low, high = _fractions(steps), math.atan(sigma_min / sigma_mid), math.atan(sigma_max / sigma_mid)
    levels = sigma_mid * np.tan((1 - fractions) * high + fractions * low)
    return _ending(levels, sigma_min, sigma_max)


def flow_levels(
    steps: int, sigma_min: float, sigma_max: float, rho: float | None = None, *, shift: float = 1.0
) -> np.ndarray:
    """Flow matching's: σ = t/(1 − t) with u from t_max = σ_max/(1 + σ_max) to 0 in N equal parts, the last of which is
    the step to σ = 0, and t = αu/(1 + (α − 1)·u), where all t are multiplied by what makes the first t_max. `shift`
    is α, which alone would multiply each σ by α (SD3, Flux). σ_min plays no part.
    """
    t_max = sigma_max / (1 + sigma_max)
    u = t_max * (1 - np.arange(steps) / steps)
    t = shift * u / (1 + (shift - 1) * u)
    t *= t_max / t[0]
    levels = t / (1 - t)
    levels[0] = sigma_max
    return levels


# "Align your steps" (arXiv 2404.14507, Table 3): the levels that were found for a model of these, from its σ_max on
AYS = {
    "sd15": (14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029),
    "sdxl": (14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113, 0.029),
    "deepfloyd": (160.41, 8.081, 3.315, 1.885, 1.207, 0.785, 0.553, 0.293, 0.186, 0.030, 0.006),
    "svd": (700.0, 54.5, 15.886, 7.977, 4.248, 1.789, 0.981, 0.403, 0.173, 0.034, 0.002),
}


def ays_levels(model: str, steps: int, sigma_min: float, sigma_max: float, rho: float | None = None) -> np.ndarray:
    """Those of `AYS`, ln σ interpolated linearly to N levels and, where the range is not their own, stretched to it.

    With N = 11 and its own range these are the published ones. Raises KeyError for another model.
    """
    known = np.log(AYS[model])
    levels = np.interp(_fractions(steps), np.linspace(0, 1, len(known)), known)
    stretch = math.log(sigma_max / sigma_min) / (known[0] - known[-1])
    return _ending(sigma_min * np.exp((levels - known[-1]) * stretch), sigma_min, sigma_max)


def _ending(levels, sigma_min, sigma_max):
    """The levels with both ends to the last digit."""
    levels[-1], levels[0] = sigma_min, sigma_max
    return levels


def _ays(model, title):
    *_, low = AYS[model]
    return Discretization(
        f"ays_{model}", partial(ays_levels, model), (low, AYS[model][0]), f"AYS {title}", f"AYS' levels for {title}",
        f"align your steps: found for {title}, interpolated in ln σ", ("sigma_min",),
    )  # fmt: skip


def _adm(name, title, cosine):
    """Levels that guided-diffusion's models know. The cosine's last is 20,291, where there is nothing but noise."""
    *_, below, last = levels = respacing.table(cosine)
    words = "cosine schedule; sigma_max = 20292 adds t = 999" if cosine else "linear schedule"
    return Discretization(
        name, partial(respacing.levels, cosine), (float(levels[0]), float(below if cosine else last)), title,
        "σ_t, t even, or as respacing says", f"those of guided-diffusion's {words}",
        ("respacing", "sigma_min"), most=lambda sigma_min, sigma_max: len(
            respacing.available(cosine, sigma_min, sigma_max)
        ),
    )  # fmt: skip


_VP = schedules.vp()
DISCRETIZATIONS = {
    d.name: d
    for d in (
        Discretization(
            "vp", vp_levels, (_VP.sigma(schedules.EPSILON_S), _VP.sigma(1.0)),
            "VP", "1 + i/(N−1)·(ε_s − 1)", "even in VP's time", ("sigma_min",),
            aliases=(Alias("time_uniform", "uniform in VP's time", help="DPM-Solver's skip type of that name"),),
        ),
        Discretization(
            "ve", ve_levels, (0.02, 100.0), "VE", "σ_max²·(σ_min²/σ_max²)^(i/(N−1))",
            "even in ln σ", ("sigma_min",),
            aliases=(
                Alias("log_uniform", "log-uniform", help="even in ln σ"),
                Alias("exponential", "exponential", help="what k-diffusion calls even steps in ln σ"),
                Alias("log_snr", "uniform in log-SNR", help="DPM-Solver's: even in λ = −ln σ"),
                *spelled("logsnr", "uniform_log_snr"),
            ),
        ),
        Discretization(
            "iddpm", iddpm_levels, (0.002, 81.0),
            "iDDPM", "u_j, j = ⌊j₀ + (M−1−j₀)/(N−1)·i + ½⌋", "some of the levels that iDDPM's networks know",
            ("sigma_min",), most=lambda sigma_min, sigma_max: len(iddpm_available(sigma_min, sigma_max)),
        ),
        Discretization(
            "edm", edm_levels, (0.002, 80.0),
            "EDM ρ", "(σ_max^(1/ρ) + i/(N−1)·(σ_min^(1/ρ) − σ_max^(1/ρ)))^ρ",
            "even in σ^(1/ρ)", ("rho", "sigma_min"),
            aliases=(
                Alias(
                    "karras", "Karras schedule", usual={"rho": 7.0},
                    help="what other programs call EDM's time steps with ρ = 7",
                ),
                Alias("uniform", "uniform in σ with ρ = 1", {"rho": 1.0}, help="even steps in σ"),
                *(Alias(name, sets={"rho": 1.0}) for name in ("uniform_sigma", "linear_sigma")),
            ),
        ),
        Discretization(
            "polyexponential", polyexponential_levels, (0.002, 80.0),
            "poly-exponential", "σ_min·(σ_max/σ_min)^((1 − i/(N−1))^p)", "even in (ln σ)^(1/p); p = 1 is VE's",
            ("power", "sigma_min"), aliases=spelled("poly_exponential"),
        ),
        Discretization(
            "cosine", arctan_levels, (0.002, 80.0),
            "cosine", "tan(α), α from arctan σ_max to arctan σ_min",
            "even in the cosine schedule's angle: arctan's with σ_mid = 1", ("sigma_min",),
            aliases=(Alias("kl_optimal", "KL optimal", help="even in arctan σ, as ComfyUI has it"),),
        ),
        Discretization(
            "arctan", arctan_levels, (0.002, 80.0),
            "arctan", "σ_mid·tan(α), α from arctan(σ_max/σ_mid) to arctan(σ_min/σ_mid)",
            "even in arctan(σ/σ_mid), the best of Euler's for N(0, σ_mid²)", ("sigma_mid", "sigma_min"),
        ),
        Discretization(
            "flow", flow_levels, (0.002, 80.0),
            "flow", "t/(1−t), t = αu/(1+(α−1)u), u = (1 − i/N)·t_max", "even in flow matching's time, shifted by α",
            ("shift",), ends=False,
            aliases=(
                schedules.RECTIFIED,
                Alias("flow_shift", "flow shift", help="flow's time steps, with shift as α"),
                Alias(
                    "sd3_shift", "SD3's shift", usual={"shift": SD3_SHIFT},
                    help="arXiv 2403.03206: t = αu/(1 + (α − 1)·u), α = 3",
                ),
                *spelled("flow_matching", "rf"),
                Alias("sd3", usual={"shift": SD3_SHIFT}),
            ),
        ),
        _adm("adm_linear", "ADM linear", cosine=False),
        _adm("adm_cosine", "ADM cosine", cosine=True),
        *(
            _ays(model, title)
            for model, title in (("sd15", "SD 1.5"), ("sdxl", "SDXL"), ("deepfloyd", "DeepFloyd"), ("svd", "SVD"))
        ),
    )
}  # fmt: skip


def levels_of(discretization: Discretization, sampling: SamplingLike) -> np.ndarray:
    """The N levels of a discretization, float64, with the range and the knobs of an `edm.Sampling`."""
    others = {name: getattr(sampling, name) for name in discretization.knobs if name not in _GIVEN}
    return discretization.levels(sampling.steps, *sampling.range, sampling.rho, **others)


def sigmas(sampling: SamplingLike) -> torch.Tensor:
    """The N + 1 noise levels that an `edm.Sampling` asks for, decreasing, the last one 0; float64 [N + 1].

    What a denoiser makes of them, which may know a range or discrete levels only, is `edm.path.path_of`.
    """
    if sampling.sigmas is not None:
        levels = torch.tensor(sampling.sigmas, dtype=torch.float64)
    else:
        discretization = DISCRETIZATIONS[sampling.discretization]
        levels = torch.from_numpy(levels_of(discretization, sampling))
    return torch.cat([levels, levels.new_zeros(1)])
