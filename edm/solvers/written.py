"""What each solver's step does, written as in its paper: for people who read, and checked against what it computes.

h = t⁺ − t of solvers in the ODE's own time, h = ln(σ/σ⁺) of those in ln σ; σ⁺: the next level; a prime: on the way.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from edm.solvers.exponential import UNIPC_ORDER
from edm.solvers.multistep import DEIS_ORDER, IPNDM_ORDER, IPNDM_WEIGHTS, LMS_ORDER
from edm.solvers.solver import CORRECTS, DRAWS, EVERY, INNER, LAST, REMEMBERS, Part
from edm.solvers.stochastic import LEARNED, UPPER

if TYPE_CHECKING:
    from edm.base.protocols import SamplingLike

Parts = tuple[Part, ...]
GIVES = "The last step, to σ = 0, gives D"
MIDDLE = "√(σ·σ⁺)"
SLOPE = Part("slope", "d", "", "The slope dx/dt of the ODE, away from what D takes for the data")
IN_SIGMA = Part("slope", "d", "(x − D)/σ", "The slope dx/dσ, away from what D takes for the data")


def euler(sampling: SamplingLike) -> Parts:
    return SLOPE, Part("step", "x⁺", "x + h·d", "Straight along the slope to the next time, h = t⁺ − t")


def heun(sampling: SamplingLike) -> Parts:
    """The α family."""
    weight = 1 / (2 * sampling.alpha)
    ahead = "h" if sampling.alpha == 1 else f"{_number(sampling.alpha)}·h"
    first = f"{_number(1 - weight)}·d + " if weight != 1 else ""
    second = f"{_number(weight)}·d′" if weight != 1 else "d′"
    return (
        SLOPE,
        Part(
            "step", "x′", f"x + {ahead}·d", "Straight along the slope, to where another slope is asked for",
            EVERY if sampling.alpha == 1 else INNER,
        ),
        Part(
            "correction", "x⁺", f"x + h·({first}{second})" if first else f"x + h·{second}",
            f"Again from x, with the slope d′ at (x′, t + {ahead}), too: one evaluation more", INNER,
        ),
        *(() if sampling.alpha == 1 else (Part("last", "x⁺", "x + h·d", "The last step, to σ = 0, is Euler's", LAST),)),
    )  # fmt: skip


def _number(value: float) -> str:
    """As people write it: a fraction where it is one, else with three figures."""
    near = Fraction(value).limit_denominator(12)
    if abs(near - value) > 1e-9:
        return f"{value:.3g}" if value >= 0 else f"(−{-value:.3g})"
    signs = {Fraction(1, 2): "½", Fraction(1, 4): "¼", Fraction(3, 4): "¾", Fraction(1, 3): "⅓", Fraction(2, 3): "⅔"}
    written = signs.get(near) or str(near).replace("-", "−")
    return f"({written})" if "/" in written or near < 0 else written


def lms(sampling: SamplingLike) -> Parts:
    help = f"The polynomial P through the slopes that are known, integrated. {GIVES}"
    return SLOPE, *_remembered("d", sampling.order or LMS_ORDER), Part("step", "x⁺", "x + ∫P dt from t to t⁺", help)


def ipndm(sampling: SamplingLike) -> Parts:
    order = sampling.order or IPNDM_ORDER
    weights = [Fraction(weight).limit_denominator(24) for weight in IPNDM_WEIGHTS[order - 1]]
    shared = max(weight.denominator for weight in weights)
    terms = [(weight * shared, f"d{_before(j)}") for j, weight in enumerate(weights)]
    written = "".join(f" {'−' if w < 0 else '+'} {'' if abs(w) == 1 else f'{abs(w)}·'}{d}" for w, d in terms)[3:]
    formula = "x + h·d" if order == 1 else f"x + h·({written})/{shared}"
    help = f"The last slopes, weighted as for equal steps; the first steps know fewer of them. {GIVES}"
    return SLOPE, *_remembered("d", order), Part("step", "x⁺", formula, help)


def deis(sampling: SamplingLike) -> Parts:
    help = f"The polynomial P in ln σ through the slopes that are known, integrated. {GIVES}"
    return IN_SIGMA, *_remembered("d", sampling.order or DEIS_ORDER), Part("step", "x⁺", "x + ∫P dσ from σ to σ⁺", help)


def dpm_2(sampling: SamplingLike) -> Parts:
    return (
        IN_SIGMA,
        Part("step", "x′", f"x + (σ′ − σ)·d, σ′ = {MIDDLE}", f"To the middle of the step in ln σ. {GIVES}"),
        Part(
            "correction", "x⁺", "x + (σ⁺ − σ)·d′, d′ = (x′ − D′)/σ′",
            "Again from x, with the slope of the middle for the whole step: one evaluation more", INNER,
        ),
    )  # fmt: skip


def dpmpp_2s(sampling: SamplingLike) -> Parts:
    return _singlestep("σ⁺", "x⁺")


def dpmpp_2m(sampling: SamplingLike) -> Parts:
    formula = "(σ⁺/σ)·x + (1 − σ⁺/σ)·(D + (D − D₋₁)/(2·r)), r = ln(σ₋₁/σ)/h"
    help = f"D as a line in ln σ through the last two. {GIVES}"
    return *_remembered("D", 2), Part("step", "x⁺", formula, help)


def dpmpp_3m(sampling: SamplingLike) -> Parts:
    factor = "2·" if sampling.variant == "exact" else ""
    formula = f"e^(−h)·x + h·(φ_1·D + φ_2·δ_1 + {factor}φ_3·δ_2)"
    help = f"D as a parabola in ln σ, δ_1 and δ_2 its differences; φ_k are of −h. {GIVES}"
    return *_remembered("D", 3), Part("step", "x⁺", formula, help)


def unipc(sampling: SamplingLike) -> Parts:
    size = "−h" if sampling.variant == "bh1" else "e^(−h) − 1"
    rest = f"B·Σ_k ρ_k·(D₋ₖ − D)/r_k, B = {size}"
    return (
        *_remembered("D", sampling.order or UNIPC_ORDER),
        Part(
            "correction", "x", "x + a_0·D + a_1·D₋₁ + …",
            "The D just evaluated corrects the prediction that it is of, without another evaluation", CORRECTS,
        ),
        Part("step", "x⁺", f"e^(−h)·x + (1 − e^(−h))·D − {rest}", f"Predicts with the last evaluations. {GIVES}"),
    )  # fmt: skip


def ancestral(sampling: SamplingLike) -> Parts:
    size = {UPPER: "η·√β", LEARNED: "η·√(β^{(1 + v)/2}·β̃^{(1 − v)/2})"}.get(sampling.variant or "", "σ_{up}")
    down = "σ_{dn}" if sampling.eta else "σ⁺"
    step = Part("step", "x⁺", f"({down}/σ)·x + (1 − {down}/σ)·D", f"Euler's step in σ{_below(sampling)}. {GIVES}")
    return (step, _drawn(size)) if sampling.eta else (step,)


def dpmpp_2s_ancestral(sampling: SamplingLike) -> Parts:
    parts = _singlestep("σ_{dn}" if sampling.eta else "σ⁺", "x⁺")
    return (*parts, _drawn("σ_{up}")) if sampling.eta else parts


def dpmpp_sde(sampling: SamplingLike) -> Parts:
    if not sampling.eta:
        return _singlestep("σ⁺", "x⁺")
    return (
        Part(
            "step", "x′", f"(σ_{{dn}}/σ)·x + (1 − σ_{{dn}}/σ)·D + σ_{{up}}·n, σ_{{dn}} and σ_{{up}} of σ′ = {MIDDLE}",
            f"With fresh noise to the middle of the step. {GIVES}",
        ),
        Part(
            "correction", "x⁺", "(σ_{dn}/σ)·x + (1 − σ_{dn}/σ)·D′",
            "Again from x, with the D of the middle: one evaluation more", INNER,
        ),
        _drawn("σ_{up}"),
    )  # fmt: skip


def dpmpp_2m_sde(sampling: SamplingLike) -> Parts:
    if sampling.variant == "heun":
        step = "e^(−g)·x + (1 − e^(−g))·D + (1 − (1 − e^(−g))/g)·(D − D₋₁)/r"
    else:
        step = "e^(−g)·x + (1 − e^(−g))·(D + (D − D₋₁)/(2·r))"
    return _sde(step, 2, "a line")


def dpmpp_3m_sde(sampling: SamplingLike) -> Parts:
    return _sde("e^(−g)·x + g·(φ_1·D + φ_2·δ_1 + φ_3·δ_2)", 3, "a parabola")


def restart(sampling: SamplingLike) -> Parts:
    back = Part(
        "restart", "↑", "x + √(σ_{hi}² − σ²)·n",
        f"Back up with fresh noise and down again by {sampling.restart_steps} steps of Heun, "
        f"{sampling.restart_rounds} times", DRAWS,
    )  # fmt: skip
    return (*heun(sampling), back)


def _singlestep(end: str, symbol: str) -> Parts:
    """DPM-Solver++(2S) to `end`."""
    middle = MIDDLE.replace("σ⁺", end)
    return (
        Part("step", "x′", f"(σ′/σ)·x + (1 − σ′/σ)·D, σ′ = {middle}", f"To the middle of the step in ln σ. {GIVES}"),
        Part(
            "correction", symbol, f"({end}/σ)·x + (1 − {end}/σ)·D′",
            "Again from x, with the D of the middle in the place of D: one evaluation more", INNER,
        ),
    )  # fmt: skip


def _sde(formula: str, order: int, curve: str) -> Parts:
    return (
        *_remembered("D", order),
        Part("step", "x⁺", f"{formula}, g = (1 + η)·h", f"D as {curve} in ln σ through the last ones. {GIVES}"),
        _drawn("σ⁺·√(1 − e^(−2·η·h))"),
    )


def _drawn(size: str) -> Part:
    return Part("noise", "n", f"+ {size}·n", "Fresh noise, up to the next level", DRAWS)


def _below(sampling) -> str:
    return ", to a level below the next one" if sampling.eta else ""


def _remembered(symbol: str, order: int) -> Parts:
    if order == 1:
        return ()
    known = ", ".join(f"{symbol}{_before(j)}" for j in range(1, order))
    help = "Remembered of the steps before; the first step, and one with churn's noise, has none"
    return (Part("remembered", f"{symbol}₋₁", known, help, REMEMBERS),)


def _before(j: int) -> str:
    """The index of what was evaluated j steps ago."""
    return f"₋{'₀₁₂₃₄₅'[j]}" if j else ""
