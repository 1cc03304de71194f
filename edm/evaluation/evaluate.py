"""Sampling a model and comparing the samples with the data: a generator of progress that ends with a report."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from edm.base.errors import Refused
from edm.data import sources
from edm.data.split import Split
from edm.evaluation import copies, estimates, kept, true_data
from edm.evaluation.distances import sliced_wasserstein
from edm.evaluation.features import to_8_bits
from edm.evaluation.frechet import Running, frechet_distance
from edm.evaluation.manifolds import precision_recall
from edm.evaluation.plan import planned
from edm.evaluation.report import Report
from edm.evaluation.scores import score_error
from edm.evaluation.settings import Evaluation
from edm.evaluation.true_data import TrueData
from edm.evaluation.variety import inception_score
from edm.sampling import noise
from edm.sampling.denoisers import denoiser_of, on
from edm.sampling.loop import sample
from edm.sampling.path import known_range, path_of
from edm.sampling.upsampling import upsampler_of
from edm.training.loss import AT_ONCE, per_sigma
from edm.training.validation import SIGMAS

if TYPE_CHECKING:
    from edm.base.types import Device, StrPath
    from edm.data.settings import Data
    from edm.sampling.denoisers import Denoise
    from edm.sampling.settings import Sampling
    from edm.training.parallel import World

MEASURED = 256  # samples on which the denoiser is measured at each noise level


class Progress(NamedTuple):
    """done of total samples."""

    done: int
    total: int


def evaluate(
    denoiser: Denoise, data: str | Data | None, sampling: Sampling | None = None, count: int | None = None,
    reference: int | None = None, device: Device = "cpu", batch: int = AT_ONCE, *, inception: StrPath | None = None,
    reference_stats: StrPath | None = None, protocol: str = "plain", keep: StrPath | None = None,
    world: World | None = None, intervals: bool = False,
) -> Iterator[Progress | Report]:  # fmt: skip
    """Yields `Progress` while it samples, and at last a `Report`; `edm.last` runs it to that.

    denoiser: D(x, sigma, labels=None), on `device`; `classes`, if it has any, is how many it has to be told of.
    data: name of a training dataset, or an `edm.data.settings.Data`: what the samples are compared with. None: with
        `reference_stats` alone.
    sampling: EDM's own by default. Sample k depends on (sampling.seed, k) only, whatever `batch` is, and so does its
        class, which is drawn with the data's frequencies (evenly, where the data is endless).
    count: of samples. None: 2000, or what the protocol says.
    reference: how many samples of the data to compare with. None: all of a finite set, at most 10 000; as many as
        `count` of endless images; 4000 points. They are read once in a process. Precision and recall take as many of
        both, and at most 10 000.
    inception: file of Inception's weights, for the usual FID; see `edm.evaluation.weights`.
    reference_stats: file of statistics, or folder or zip of images, in the place of the data's own statistics; see
        `edm.evaluation.references`.
    protocol: of PROTOCOLS; "paper": 50,000 samples three times, against all data, and the least distance.
    keep: a folder for what has been computed: the same call goes on where it was killed, and ends with the same bits.
    world: this process among several, which share the work; see `edm.training.parallel`. The report is rank 0's, the
        others end with `Progress`. The distance is the same, to the last bit, on any number of them.
    intervals: measure only the samples, of images, and each number of them with its 95 % interval; see
        `edm.evaluation.estimates`.
    Raises ValueError at once for arguments that do not fit together, later for samples that are not finite.
    """
    plan = planned(
        denoiser, data, sampling, count, reference, torch.device(device), batch, inception, reference_stats,
        protocol, keep, world, intervals,
    )  # fmt: skip
    return _events(plan)


def evaluation_of(
    settings: Evaluation, denoiser: Denoise, learned: Data | None, device: Device = "cpu", batch: int = AT_ONCE,
    keep: StrPath | None = None, world: World | None = None, intervals: bool = False,
) -> Iterator[Progress | Report]:  # fmt: skip
    """The same as a document says it. denoiser: with the guidance that it says around it. learned: the data that the
    model has learned, if that is known."""
    return evaluate(
        denoiser, settings.data(learned), settings.sampling, settings.count, settings.reference, device, batch,
        inception=settings.inception, reference_stats=settings.reference_stats, protocol=settings.protocol,
        keep=keep, world=world, intervals=intervals,
    )  # fmt: skip


def _true(plan) -> TrueData:
    """What the samples are compared with."""
    device, given, keep = str(plan.device), plan.statistics, _keep(plan)
    if plan.data is None:
        classes = denoiser_of(plan.denoiser).classes
        frequencies = true_data.evenly(classes) if classes else None
        true = TrueData(None, None, np.arange(0), frequencies, plan.features)
    else:
        true = true_data.read(plan.data, plan.reference, device, plan.names, plan.features, keep)
    if given is None or true.features is None:
        return true
    given.check(true.features, true.source and true.source.shape)
    return replace(true, statistics=lambda: given.moments(true.features, device, keep))


def _events(plan):
    yield Progress(0, plan.repeats * plan.count)
    true, began = _true(plan), time.perf_counter()
    measured: list[Running] = [Running() for _ in range(plan.repeats)]
    rows: list[list[torch.Tensor]] = [[] for _ in range(plan.repeats)]
    shares: list[torch.Tensor] = []
    known = _learned(plan, true)
    store = None if plan.keep is None else kept.Kept(plan.keep, _told(plan, true, known), plan.denoiser)
    parts = kept.parts(plan.count, plan.batch, plan.repeats)
    for found in kept.drawn(parts, lambda part: _draw(plan, true, known, part), store, plan.world):
        if not isinstance(found, tuple):
            yield Progress(int(found), plan.repeats * plan.count)
            continue
        part, of_part = found
        repeat, first = divmod(part.start, plan.count)
        if known is not None:
            of_part, share = of_part[:, :-1], of_part[:, -1]
            shares.append(share)
        if true.features is not None:
            measured[repeat].add(of_part)
        rows[repeat].append(of_part if true.features is None else of_part[: max(0, true_data.MOST - first)])
    if plan.world.rank > 0:
        return
    yield Report(
        dataset=plan.data.dataset if plan.data else plan.statistics.name,
        count=plan.count,
        sampling=plan.sampling,
        evaluations=path_of(plan.sampling, plan.denoiser).evaluations,
        seconds=time.perf_counter() - began,
        statistics=plan.statistics and plan.statistics.name,
        copies=float((torch.cat(shares) < copies.SHARE).double().mean()) if shares else None,
        **(_images(plan, true, measured, rows) if true.features else _points(plan, true, torch.cat(rows[0]))),
        **({} if plan.intervals else _by_sigma(plan.denoiser, true, plan.device)),
    )


def _learned(plan, true) -> copies.Known | None:
    """The images that the model has learned, where they are not too many to look for copies."""
    if true.features is None or true.source is None:
        return None
    return copies.learned(true.source, denoiser_of(plan.denoiser).header)


def _told(plan, true, known) -> dict[str, Any]:
    """What tells the samples of an evaluation, in these features, from others."""
    frequencies = None if true.frequencies is None else true.frequencies.tolist()
    header = denoiser_of(plan.denoiser).header
    return {
        "sampling": plan.sampling.document(),
        "batch": plan.batch,
        "classes": [frequencies, list(header.taught if header else ())],
        "features": true.features and [true.features.name, true.features.digest],
        **({} if known is None else {"copies of": len(known.images)}),
    }


def _draw(plan, true, learned, part) -> kept.Drawn:
    """Samples of one part, as what they are compared by; a last column says how near they are to what was learned."""
    known = denoiser_of(plan.denoiser)
    taught = known.header.taught if known.header else ()
    shape = true.source.shape if true.source else known.shape or ()
    steps = path_of(plan.sampling, plan.denoiser).steps
    seeds = noise.seeds(plan.sampling.seed, len(part), part.start)
    labels = true.labels(plan.sampling.seed, part.start, part.stop, taught) if known.classes else None
    labels = None if labels is None else labels.to(plan.device)
    latents = noise.latents(seeds, shape, device=plan.device)
    for state in sample(plan.denoiser, latents, plan.sampling, labels, seeds=seeds):
        yield state.index / steps
    found = state.x.cpu()
    if not torch.isfinite(found).all():
        raise Refused(
            f"sample {part.start} or one after it is not finite: the model, or the range of sigma, is not usable"
        )
    rows = found if true.features is None else true.features.rows(to_8_bits(state.x))
    if learned is None:
        yield rows
    else:
        yield torch.cat([rows, copies.nearest(found, learned).share[:, None].to(rows)], 1)


def _keep(plan) -> str | None:
    return None if plan.keep is None else str(plan.keep)


def _drawn_as(plan) -> tuple:
    """Of true samples in place of the model's, in the words in which all are read, so that they are read once."""
    return plan.data, plan.count, plan.reference, str(plan.device), plan.names, plan.features, _keep(plan)


def _points(plan, true, rows) -> dict[str, Any]:
    return {
        "sliced_wasserstein": sliced_wasserstein(rows, true.rows),
        "reference": len(true.rows),
        "floor": true_data.floor(*_drawn_as(plan)),
    }


def _images(plan, true, measured, rows) -> dict[str, Any]:
    distances = [frechet_distance(running.moments, true.moments) for running in measured]
    best = int(np.argmin(distances))
    found = {"features": true.features.name, "frechet": distances[best], "reference": true.moments.count}
    if plan.repeats > 1:
        found["repeats"] = tuple(distances)
    if true.source is None:
        return found
    if plan.statistics is None:
        found["floor"] = true_data.floor(*_drawn_as(plan))
    else:
        found["floor"] = frechet_distance(true_data.fresh(*_drawn_as(plan)), true.moments)
    rows = torch.cat(rows[best]).double()
    both = min(len(rows), len(true.rows))
    spread = np.linspace(0, len(true.rows) - 1, both).round().astype(int)
    found["precision"], found["recall"] = precision_recall(rows[:both], true.rows[spread])
    if true.features.logits is not None:
        found["inception_score"] = inception_score(true.features.logits(rows))
    if plan.intervals:
        found["intervals"] = estimates.intervals(found, true.features, rows[:both], true.rows[spread], true.moments)
    return found


def _by_sigma(denoiser, true, device) -> dict[str, Any]:
    if true.source is None or upsampler_of(denoiser) is not None:
        return {}
    split, conditional = Split(true.source, true.data.holdout), bool(denoiser_of(denoiser).classes)
    y, labels = sources.read(true.source, split.validation(MEASURED))
    y, labels = y.to(device), labels.to(device) if conditional and labels is not None else None
    low, high = known_range(denoiser)
    sigmas = tuple(sigma for sigma in SIGMAS if low <= sigma <= high)
    if not sigmas:
        return {}
    found = {"sigmas": sigmas, "loss": tuple(per_sigma(denoiser, y, labels, sigmas))}
    if true.exact is not None:
        found["score_error"] = tuple(score_error(denoiser, on(true.exact, device), y, labels, sigmas))
    return found
