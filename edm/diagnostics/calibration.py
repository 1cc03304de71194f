"""How good a classifier of noisy samples is at each σ: how often its most likely class is the true one, how much
probability it gives that one, and whether its probabilities mean what they say; beside it the exact posterior, where
that is known, which no classifier can surpass by more than chance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from edm import data as datasets
from edm.base import streams
from edm.base.errors import Refused
from edm.base.streams import Purpose
from edm.data import sources
from edm.data.settings import Data
from edm.data.split import Split

if TYPE_CHECKING:
    from edm.base.types import Numbers

BINS = 10  # of the probability of the most likely class, in which it is compared with how often that is right


@dataclass(frozen=True)
class Calibrated:
    """At one σ, over the same noisy samples: accuracy, the share whose most likely class is the true one; nll, the mean
    of −log p of the true class, nats; error, the expected calibration error, |probability of the most likely class −
    how often it is right|, averaged over BINS. exact_accuracy, exact_nll: the same of the exact posterior, and gap, the
    mean of KL(exact ‖ classifier), nats; None where no exact one is known."""

    sigma: float
    accuracy: float
    nll: float
    error: float
    exact_accuracy: float | None = None
    exact_nll: float | None = None
    gap: float | None = None


@torch.no_grad()
def calibration(
    log_probability: Callable[..., torch.Tensor],
    data: str | Data,
    sigmas: Numbers,
    count: int = 1024,
    seed: int = 0,
) -> list[Calibrated]:
    """Of log p(c | x; σ), an `edm.classifier.Classifier` or any function of (x [B, …], σ) -> [B, C], at each of
    `sigmas`, over `count` samples of the data: their name, or an `edm.data.settings.Data`.

    Of a finite set they are those that a run holds out, and the exact posterior is that of the whole set, whose points
    they are. The noise is the same at every σ, and for every classifier. Raises Refused for data without classes, or
    with other ones.
    """
    y, labels, exact = samples(data, count)
    noise = streams.normals(seed, Purpose.VALIDATION, range(len(y)), y.shape[1:]).to(y)
    return [_at(float(sigma), y + float(sigma) * noise, labels, log_probability, exact) for sigma in sigmas]


def samples(data: str | Data, count: int) -> tuple[torch.Tensor, torch.Tensor, Any]:
    """(clean samples [B, …], their classes [B], the exact denoiser that knows them, or None) of data with classes."""
    settings = Data(dataset=data, labels=_parts(data)) if isinstance(data, str) else data
    source = sources.open_source(settings)
    chosen = Split(source, settings.holdout).validation(count)
    y, labels = sources.read(source, chosen)
    if labels is None or source.classes < 2:
        raise Refused(f"the data {settings.dataset!r} have no classes, so that nothing can be told of them")
    known = datasets.learned(settings)
    exact = known.labelled if known and known.labelled.classes == source.classes else None
    return y, labels, exact


def _parts(name) -> str | None:
    return sources.labels(name) if name in sources.names() and not sources.file_of(name) else None


def _at(sigma, x, labels, log_probability, exact) -> Calibrated:
    told = log_probability(x, sigma).double()
    if told.ndim != 2 or len(told) != len(x) or told.shape[1] <= int(labels.max()):
        raise Refused(f"log_probability returned {list(told.shape)}; of these data it must be [{len(x)}, classes]")
    found = {"accuracy": _accuracy(told, labels), "nll": _nll(told, labels), "error": _error(told, labels)}
    if exact is not None:
        best = exact.log_class_probability(x, sigma).double()
        kl = torch.where(best.isfinite(), best.exp() * (best - told), 0.0).sum(1)
        found |= {"exact_accuracy": _accuracy(best, labels), "exact_nll": _nll(best, labels), "gap": float(kl.mean())}
    return Calibrated(sigma, **found)


def _accuracy(told, labels) -> float:
    return float((told.argmax(1) == labels).double().mean())


def _nll(told, labels) -> float:
    return float(-told.gather(1, labels[:, None]).mean())


def _error(told, labels) -> float:
    most, right = told.exp().max(1)
    sure, correct = most.numpy(), (right == labels).double().numpy()
    places = np.minimum((sure * BINS).astype(int), BINS - 1)
    gaps = [abs(sure[places == k].sum() - correct[places == k].sum()) for k in range(BINS)]
    return float(sum(gaps) / len(sure))
