"""What an evaluation is asked, checked: whether model, data, features and statistics fit together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edm.base.errors import Refused
from edm.evaluation import estimates, references, true_data
from edm.evaluation import features as extractors
from edm.evaluation.manifolds import NEIGHBOURS
from edm.evaluation.settings import PROTOCOLS
from edm.exact import GaussianMixture
from edm.sampling.denoisers import denoiser_of
from edm.sampling.settings import Sampling
from edm.training.parallel import World

if TYPE_CHECKING:
    import torch

    from edm.base.types import StrPath
    from edm.data.settings import Data
    from edm.sampling.denoisers import Denoise

LEAST = NEIGHBOURS + 2


@dataclass(frozen=True)
class Plan:
    """All that an evaluation is asked, once it has been checked. names: of the model's classes, where they are others
    than the data's. features: of Inception, where it is given."""

    denoiser: Any
    data: Data | None
    sampling: Sampling
    count: int
    repeats: int
    reference: int
    device: torch.device
    batch: int
    names: tuple[str, ...]
    features: extractors.Features | None
    statistics: references.Given | None
    keep: StrPath | None
    world: World
    intervals: bool


def planned(
    denoiser: Denoise, data: str | Data | None, sampling: Sampling | None, count: int | None, reference: int | None,
    device: torch.device, batch: int, inception: StrPath | None, reference_stats: StrPath | None, protocol: str,
    keep: StrPath | None, world: World | None, intervals: bool,
) -> Plan:  # fmt: skip
    """The plan of what `evaluate` is asked. Raises ValueError for arguments that do not fit together."""
    if protocol not in PROTOCOLS:
        raise Refused(f"protocol = {protocol!r}: must be one of {', '.join(PROTOCOLS)}")
    way = PROTOCOLS[protocol]
    count = way.count if count is None else count
    if count < LEAST or (reference is not None and reference < LEAST):
        name, value = ("count", count) if count < LEAST else ("reference", reference)
        raise Refused(f"{name} = {value}: must be {LEAST} or more")
    if batch < 1:
        raise Refused(f"batch = {batch}: must be 1 or more")
    if data is None and (inception is None or reference_stats is None):
        raise Refused("without data to compare with it takes reference statistics, and Inception, of which they are")
    data = None if data is None else true_data.settings_of(data)
    names, points = _fitting(denoiser_of(denoiser), data)
    if points and (inception or reference_stats or way.repeats > 1):
        raise Refused("Inception, reference statistics and the paper's protocol are for images, and these are points")
    if intervals and (points or data is None):
        raise Refused("intervals are of images whose data are there; points have one number, and statistics no samples")
    if intervals:
        estimates.groups_of(count)
    known = extractors.inception(inception, device) if inception else None
    against = references.given(reference_stats) if reference_stats else None
    if against and known:
        against.check(known, None)
    if reference is None:
        reference = way.reference or true_data.MOST
        if data is not None and true_data.source(data).size is None:
            reference = true_data.POINTS if points else count
    return Plan(
        denoiser, data, sampling or Sampling(), count, way.repeats, reference, device, batch, names, known, against,
        keep, world or World(0, 1, device), intervals,
    )  # fmt: skip


def _fitting(known, data) -> tuple[tuple[str, ...], bool]:
    """The model's names of classes, where they are others than the data's, and whether samples are points."""
    shape, classes = known.shape, known.classes
    if data is None:
        if shape is None:
            raise Refused("the model does not say which shape its samples have; name the data to compare with")
        return (), len(shape) == 1
    source = true_data.source(data)
    names = known.header.class_names if known.header else ()
    names = () if names == tuple(source.class_names) else names
    if shape is not None and tuple(shape) != tuple(source.shape):
        raise Refused(
            f"the model makes samples of shape {list(shape)}, but {data.dataset} has {list(source.shape)}; "
            "compare it with the data it has learned"
        )
    untold = isinstance(known, GaussianMixture) and not source.classes  # it can do without
    if classes and classes != source.classes and not untold:
        raise Refused(
            f"the model knows {classes} classes, but {data.dataset} has {source.classes}; "
            "compare it with the data it has learned"
        )
    return names, len(source.shape) == 1
