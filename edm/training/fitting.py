"""Whether settings and data fit together: what cannot be is refused, and what changes nothing is said."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from edm.base.choices import knobs_of
from edm.base.errors import Refused
from edm.base.fields import SettingsError
from edm.networks import CLASSIFIERS, NETWORKS, levels
from edm.networks.settings import Architecture
from edm.noises import NOISES
from edm.objective import WEIGHTS
from edm.preconditioning import PRECONDITIONINGS
from edm.training.goals import GOALS
from edm.training.settings import Training

if TYPE_CHECKING:
    from edm.base.protocols import Source
    from edm.base.types import Shape

_ATTENTION = Architecture().attention  # a wish: at those of these resolutions that a network has


def network_of(settings: Training, shape: Shape) -> str:
    """The network for samples of `shape`: the chosen one, or the usual one."""
    return settings.architecture.network or GOALS[settings.learns].network(shape)


def check(settings: Training, shape: Shape | None, given: Collection[str] = ()) -> None:
    """Raises SettingsError for a network or an augmentation that is not for samples of `shape`, and for attention at
    a resolution that no level of the network has.

    shape: None where it is not known yet, and nothing is refused. given: names of fields that a person has chosen,
    though it be the default, which otherwise is a wish.
    """
    if shape is None:
        return
    image, name, classifies = len(shape) == 3, network_of(settings, shape), GOALS[settings.learns].classes
    known = CLASSIFIERS if classifies else NETWORKS
    if classifies and name not in known:
        _refuse("network", repr(name), f"makes images, and classes are to be learned; leave it out: {_halves()}")
    if known[name].images != image:
        fitting = ", ".join(n for n, network in known.items() if network.images == image)
        _refuse("network", repr(name), f"does not take {'images' if image else 'points'}; use {fitting}")
    if settings.design.augment and not image:
        _refuse("augment", f"{settings.design.augment:g}", "only images can be augmented; use 0")
    if settings.design.augment and classifies:
        _refuse("augment", f"{settings.design.augment:g}", "no classifier is told how its images are changed; use 0")
    if classifies and not settings.data.conditional:
        _refuse("conditional", "false", "a classifier learns the classes; use true")
    low = settings.data.low_resolution
    if low is not None and not (image and low < shape[1] and shape[1] % low == 0):
        what = f"images of {shape[1]} pixels come of fewer, which divide them" if image else "points have no resolution"
        _refuse("low_resolution", low, f"{what}; use none" if not image else what)
    sizes = levels(shape[1], settings.architecture.channel_mult) if image else ()
    wanted = settings.architecture.attention
    if not sizes or (wanted == _ATTENTION and "attention" not in given):
        return
    if missing := [size for size in wanted if size not in sizes]:
        where = ", ".join(f"{size}×{size}" for size in missing)
        there = ", ".join(map(str, sizes))
        reason = f"no level of this network has {where} pixels; its levels have {there}: name some of them, or none"
        _refuse("attention", list(wanted), reason)


def classes_of(settings: Training, source: Source) -> int:
    """How many classes a run of these data learns of. Raises SettingsError where it needs some, and there are none."""
    if GOALS[settings.learns].classes and source.classes < 2:
        there = "have none" if source.classes == 0 else f"have {source.classes}"
        reason = f"a classifier needs data with two classes or more, and these {there}"
        _refuse("dataset", repr(settings.data.dataset), reason)
    return source.classes if settings.data.conditional else 0


def _halves() -> str:
    return "half a U-Net for images, an MLP for points"


def shares(settings: Training, size: int = 1) -> tuple[int, int]:
    """(images of a step on each of `size` devices, images at once). Raises ValueError if they do not come out even."""
    if settings.batch % size:
        raise Refused(f"batch = {settings.batch} cannot be shared evenly by {size} processes; make it a multiple")
    share = settings.batch // size
    micro = min(settings.micro_batch or share, share)
    if share % micro:
        raise Refused(f"micro_batch = {micro} must divide the {share} images that each of {size} devices takes")
    return share, micro


def idle(settings: Training, shape: Shape, classes: int) -> dict[str, str]:
    """The fields that change nothing in this run, of data with samples of `shape` and so many classes: name -> why."""
    found, design = {}, settings.design
    if len(shape) != 3:
        found |= dict.fromkeys(("channel_mult", "attention"), "a network for points has no levels")
    known = knobs_of(NOISES, design.noise)
    for name in ("P_mean", "P_std"):
        if known is not None and name not in known:
            found[name] = f"the noise distribution {design.noise!r} has none"
    first, second = knobs_of(PRECONDITIONINGS, design.preconditioning), knobs_of(WEIGHTS, design.weight)
    if first is not None and second is not None and "sigma_data" not in first + second:
        found["sigma_data"] = "neither this preconditioning nor this weight depends on it"
    if GOALS[settings.learns].classes:
        found |= dict.fromkeys(("label_dropout", "weight"), "a classifier's loss has none")
        found |= dict.fromkeys(("samples",), "nothing is sampled from a classifier")
    elif not (classes and settings.data.conditional):
        found["label_dropout"] = "the network is told no classes"
    return {name: f"{name} has no effect: {why}" for name, why in found.items()}


def _refuse(name, value, reason):
    raise SettingsError(f"{name} = {value}: {reason}", (name,))
