"""Guidance: a denoiser D_w(x; σ, c) that leads samples further than D(x; σ, c) does, made of others.

    classifier        D + w·σ²·∇ log p(c | x; σ)              (Dhariwal & Nichol, arXiv 2105.05233)
    free, auto        D_g + w·(D − D_g)                       (arXiv 2207.12598, 2406.02507)

What w > 1 samples is no density that one could write down: not p(x)·p(c | x)^w, which `tilted` samples. Each function
takes `interval`, (low, high): guided for low < σ ≤ high (arXiv 2404.07724). The result is a denoiser like any other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edm.base.choices import Choice, spelled
from edm.sampling.guidance.classified import Classified, LogProbability
from edm.sampling.guidance.guided import Guided, Interval, number
from edm.sampling.guidance.pairs import Free, Pair, PlusPlus, Projected, same_classes
from edm.sampling.guidance.tilted import tilted, tilted_log_density, tilted_moments

if TYPE_CHECKING:
    from edm.sampling.denoisers import Denoise


def classifier(
    denoiser: Denoise, log_probability: LogProbability, weight: float, interval: Interval | None = None,
    rescale: float = 0.0, told: bool = True,
) -> Guided:  # fmt: skip
    """D + w·σ²·∇ log p(c | x; σ); w = 0 is D alone.

    log_probability: (x, σ) -> log p(c | x; σ) [B, C], differentiable in x: a noisy classifier, or an exact mixture's
    `log_class_probability`. Labels are passed on to `denoiser` only if that is conditional, and `told`: if not, D is
    that without a class, which w = 1 makes D of the class where both are exact. Costs two evaluations.
    """
    return Classified(denoiser, log_probability, weight, interval, rescale, told)


def free(
    denoiser: Denoise, weight: float, interval: Interval | None = None, rescale: float = 0.0,
    unconditional: Denoise | None = None,
) -> Guided:  # fmt: skip
    """Classifier-free: D_u + w·(D_c − D_u); w = 1 is D_c alone, w = 0 is D_u alone.

    D_u: `denoiser` without a class, in one batch with D_c; or `unconditional`. Costs two evaluations.
    """
    return Free(denoiser, weight, interval, rescale, unconditional)


def auto(
    denoiser: Denoise, guide: Denoise, weight: float, interval: Interval | None = None, rescale: float = 0.0
) -> Guided:
    """Autoguidance: D_g + w·(D − D_g), both of the same labels; w = 1 is D alone.

    guide: a worse model of the same data: smaller, or less trained. Costs two evaluations.
    """
    guided = Pair(denoiser, guide, weight, interval, rescale)
    same_classes(denoiser, guide)
    return guided


def cfgpp(
    denoiser: Denoise, weight: float, interval: Interval | None = None, unconditional: Denoise | None = None
) -> Guided:
    """CFG++: steps to D_u + λ·(D_c − D_u) with the noise of D_u; weight: λ, between 0 and 1 in its paper.

    Meant for Euler and DDIM, whose step it is to the letter; for other solvers it is free guidance with the weight
    λ·σ_i/(σ_i − σ_{i+1}) in step i. D_u: as of `free`.
    """
    return PlusPlus(denoiser, weight, interval, 0.0, unconditional)


def apg(
    denoiser: Denoise, weight: float, interval: Interval | None = None, parallel: float = 0.0, threshold: float = 0.0,
    momentum: float = 0.0, unconditional: Denoise | None = None,
) -> Guided:  # fmt: skip
    """Adaptive projected guidance: free guidance by the part of D_c − D_u that is perpendicular to D_c.

    parallel: η, the share of the rest that is kept. threshold: r, the most that the difference may be long; 0: any.
    momentum: β from −1 to 1, how much of the step before is added. D_u: as of `free`.
    """
    parallel, threshold = number("parallel", parallel), number("threshold", threshold, 0)
    return Projected(
        denoiser, weight, interval, parallel, threshold, number("momentum", momentum, -1, 1), unconditional
    )


Make = Callable[["Denoise", Any, Any], "Denoise"]


@dataclass(frozen=True)
class Guidance(Choice):
    """An entry of GUIDANCES; `make(denoiser, settings, guide)` with `guidance_…` of the settings is a denoiser.

    takes: what its guide is, "", "classifier" or "model"; needs: whether it must have one. neutral: the weight at which
    it does nothing, if there is one. classes: whether every sample must have a class. population: whether samples are
    drawn together, by `tilted`; the denoiser is what leads them.
    """

    make: Make
    takes: str = ""
    needs: bool = False
    neutral: float | None = 1.0
    classes: bool = False
    population: bool = False


_COMMON = ("guidance_weight", "guidance_interval", "guide")


def _how(settings: Any) -> tuple[float, Interval | None]:
    return settings.guidance_weight, settings.guidance_interval


GUIDANCES: dict[str, Guidance] = {
    entry.name: entry
    for entry in (
        Guidance("none", "none", lambda denoiser, settings, guide: denoiser, "D", "the denoiser as it is"),
        Guidance(
            "free", "classifier-free", lambda d, s, guide: free(d, *_how(s), s.guidance_rescale, guide),
            "D_u + w·(D_c − D_u)", "away from the same model without a class; w = 1 is none",
            (*_COMMON, "guidance_rescale"), takes="model", classes=True, aliases=spelled("cfg", "classifier_free"),
        ),
        Guidance(
            "classifier", "classifier",
            lambda d, s, guide: classifier(d, guide, *_how(s), s.guidance_rescale, s.guidance_told),
            "D + w·σ²·∇ log p(c|x; σ)", "uphill for a classifier of noisy samples; w = 0 is none",
            (*_COMMON, "guidance_told", "guidance_rescale"), takes="classifier", needs=True, neutral=0.0, classes=True,
            aliases=spelled("classifier_guidance"),
        ),
        Guidance(
            "auto", "autoguidance", lambda d, s, guide: auto(d, guide, *_how(s), s.guidance_rescale),
            "D_g + w·(D − D_g)", "away from a worse model of the same data; w = 1 is none",
            (*_COMMON, "guidance_rescale"), takes="model", needs=True, aliases=spelled("autoguidance"),
        ),
        Guidance(
            "cfgpp", "CFG++", lambda d, s, guide: cfgpp(d, *_how(s), guide), "D_u + λ·(D_c − D_u), noise of D_u",
            "for Euler and DDIM; λ from 0 to 1 stands in the place of w", _COMMON, takes="model", neutral=None,
            classes=True, aliases=spelled("cfg++"),
        ),
        Guidance(
            "apg", "APG",
            lambda d, s, guide: apg(
                d, *_how(s), s.guidance_parallel, s.guidance_threshold, s.guidance_momentum, guide
            ),
            "D_c + (w − 1)·(D_c − D_u)⊥", "classifier-free, without what only makes it stronger; w = 1 is none",
            (*_COMMON, "guidance_parallel", "guidance_threshold", "guidance_momentum"), takes="model",
            classes=True,
        ),
        Guidance(
            "tilted", "tilted", lambda d, s, guide: free(d, s.guidance_weight), "p(x)·p(c|x)^w",
            "a population that is drawn anew by weights, for many steps: what w > 1 seems to say; w = 1 is none",
            ("guidance_weight",), classes=True, population=True,
        ),
    )
}  # fmt: skip

__all__ = [
    "GUIDANCES", "Guidance", "Guided", "Interval", "apg", "auto", "cfgpp", "classifier", "free", "tilted",
    "tilted_log_density", "tilted_moments",
]  # fmt: skip
