"""Sampling a model and comparing the samples with the data: a generator of progress that ends with a report."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from edm.base.errors import Refused
from edm.data import sources
from edm.data.split import Split
from edm.evaluation import true_data
from edm.evaluation.distances import sliced_wasserstein
from edm.evaluation.features import to_8_bits
from edm.evaluation.frechet import frechet_distance
from edm.evaluation.manifolds import NEIGHBOURS, precision_recall
from edm.evaluation.report import Report
from edm.evaluation.scores import score_error
from edm.sampling import noise
from edm.sampling.denoisers import denoiser_of, on
from edm.sampling.loop import sample
from edm.sampling.path import known_range, path_of
from edm.sampling.settings import Sampling
from edm.training.loss import AT_ONCE, per_sigma
from edm.training.validation import SIGMAS

if TYPE_CHECKING:
    from edm.base.types import Device
    from edm.data.settings import Data
    from edm.sampling.denoisers import Denoise

COUNT = 2000
MEASURED = 256  # samples on which the denoiser is measured at each noise level
LEAST = NEIGHBOURS + 2


class Progress(NamedTuple):
    """done of total samples."""

    done: int
    total: int


def evaluate(
    denoiser: Denoise, data: str | Data, sampling: Sampling | None = None, count: int = COUNT,
    reference: int | None = None, device: Device = "cpu", batch: int = AT_ONCE,
) -> Iterator[Progress | Report]:  # fmt: skip
    """Yields `Progress` while it samples, and at last a `Report`; `edm.last` runs it to that.

    denoiser: D(x, sigma, labels=None), on `device`; `classes`, if it has any, is how many it has to be told of.
    data: name of a training dataset, or an `edm.data.settings.Data`: what the samples are compared with.
    sampling: EDM's own by default. Sample k depends on (sampling.seed, k) only, whatever `batch` is, and so does its
        class, which is drawn with the data's frequencies (evenly, where the data is endless).
    reference: how many samples of the data to compare with. None: all of a finite set, at most 10 000; as many as
        `count` of endless images; 4000 points. They are read once in a process. Precision and recall take as many of
        both.
    Raises ValueError at once for arguments that do not fit together, later for samples that are not finite.
    """
    sampling, data = sampling or Sampling(), true_data.settings_of(data)
    if count < LEAST or (reference is not None and reference < LEAST):
        name, value = ("count", count) if count < LEAST else ("reference", reference)
        raise Refused(f"{name} = {value}: must be {LEAST} or more")
    if batch < 1:
        raise Refused(f"batch = {batch}: must be 1 or more")
    known, source = denoiser_of(denoiser), true_data.source(data)
    names = known.header.class_names if known.header else ()
    names = () if names == tuple(source.class_names) else names
    shape, classes = known.shape, known.classes
    if shape is not None and tuple(shape) != tuple(source.shape):
        raise Refused(
            f"the model makes samples of shape {list(shape)}, but {data.dataset} has {list(source.shape)}; "
            "compare it with the data it has learned"
        )
    if classes and classes != source.classes:
        raise Refused(
            f"the model knows {classes} classes, but {data.dataset} has {source.classes}; "
            "compare it with the data it has learned"
        )
    endless = true_data.POINTS if len(source.shape) == 1 else count
    reference = reference or (endless if source.size is None else true_data.MOST)
    return _events(denoiser, data, sampling, count, reference, torch.device(device), batch, names)


def _events(denoiser, data, sampling, count, reference, device, batch, names):
    yield Progress(0, count)
    true = true_data.read(data, reference, str(device), names)
    known = denoiser_of(denoiser)
    conditional, taught = bool(known.classes), known.header.taught if known.header else ()
    steps = path_of(sampling, denoiser).steps
    shape, rows, began = true.source.shape, [], time.perf_counter()
    for start in range(0, count, batch):
        seeds = noise.seeds(sampling.seed, min(batch, count - start), start)
        labels = true.labels(sampling.seed, start, start + len(seeds), taught) if conditional else None
        labels = None if labels is None else labels.to(device)
        latents = noise.latents(seeds, shape, device=device)
        for state in sample(denoiser, latents, sampling, labels, seeds=seeds):
            yield Progress(start + len(seeds) * state.index // steps, count)
        if not torch.isfinite(state.x).all():
            raise Refused(
                f"sample {start} or one after it is not finite: the model, or the range of sigma, is not usable"
            )
        rows.append(state.x.cpu() if true.features is None else true.features.of(to_8_bits(state.x)))
    seconds = time.perf_counter() - began
    rows = torch.cat(rows)
    yield Report(
        dataset=data.dataset,
        reference=len(true.rows),
        count=count,
        sampling=sampling,
        evaluations=state.evaluations,
        seconds=seconds,
        floor=true_data.floor(data, count, reference, str(device)),
        **_distances(rows, true),
        **_by_sigma(denoiser, true, device, conditional),
    )


def _distances(rows, true) -> dict[str, Any]:
    if true.features is None:
        return {"sliced_wasserstein": sliced_wasserstein(rows, true.rows)}
    both = min(len(rows), len(true.rows))
    spread = np.linspace(0, len(true.rows) - 1, both).round().astype(int)
    precision, recall = precision_recall(rows[:both], true.rows[spread])
    return {
        "features": true.features.name,
        "frechet": frechet_distance(rows, true.moments),
        "precision": precision,
        "recall": recall,
    }


def _by_sigma(denoiser, true, device, conditional) -> dict[str, Any]:
    split = Split(true.source, true.data.holdout)
    y, labels = sources.read(true.source, split.validation(MEASURED))
    y, labels = y.to(device), labels.to(device) if conditional and labels is not None else None
    low, high = known_range(denoiser)
    sigmas = tuple(sigma for sigma in SIGMAS if low <= sigma <= high)
    found = {"sigmas": sigmas, "loss": tuple(per_sigma(denoiser, y, labels, sigmas))}
    if true.exact is not None:
        found["score_error"] = tuple(score_error(denoiser, on(true.exact, device), y, labels, sigmas))
    return found
