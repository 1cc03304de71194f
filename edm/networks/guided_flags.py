"""The flags of guided-diffusion's networks (Dhariwal & Nichol 2021), which its files do not hold: of published ones by
their names, and of others as its constructors and its scripts call them.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edm.base.errors import Refused, shown

MODEL, UPSAMPLER, CLASSIFIER = "UNetModel", "SuperResModel", "EncoderUNetModel"
SCHEDULES = ("linear", "cosine")
GROUPS = 32  # of every normalization
_HELP = "python -m edm convert --help says which"


@dataclass(frozen=True)
class Flags:
    """kind: the constructor. attention: by how much images have been made smaller where there is attention. classes: of
    a conditional network, or that a classifier tells apart. heads: None where head_channels, channels of each, counts.
    new_order: of attention's qkv. low: pixels of an upsampler's small images. tensors: how many a file has, if known.
    """

    kind: str
    image_size: int
    model_channels: int
    channel_mult: tuple[float, ...]
    num_res_blocks: int
    attention: tuple[int, ...]
    noise_schedule: str
    classes: int = 0
    in_channels: int = 3
    out_channels: int | None = None
    heads: int | None = None
    decoder_heads: int | None = None
    head_channels: int | None = None
    new_order: bool = False
    dropout: float = 0.0
    low: int | None = None
    tensors: int | None = None


_MULTIPLIERS = {
    64: (1, 2, 3, 4), 128: (1, 1, 2, 3, 4), 256: (1, 1, 2, 2, 4, 4), 512: (0.5, 1, 1, 2, 2, 4, 4),
}  # fmt: skip


def _published(
    size: int, tensors: int, channels: int = 256, blocks: int = 2, *, kind: str = MODEL, classes: int = 1000,
    schedule: str = "linear", heads: int | None = None, new_order: bool = False, dropout: float = 0.0,
    low: int | None = None, pixels: tuple[int, ...] = (32, 16, 8),
) -> Flags:  # fmt: skip
    """pixels: of the images where there is attention."""
    return Flags(
        kind, size, channels, _usual(size, kind), blocks, tuple(size // side for side in pixels), schedule,
        classes=classes, heads=heads, head_channels=None if heads else 64, new_order=new_order, dropout=dropout,
        low=low, tensors=tensors,
    )  # fmt: skip


def _usual(size, kind) -> tuple[float, ...]:
    """The multipliers that no flag names, of a size in _MULTIPLIERS."""
    return _MULTIPLIERS[256 if kind == UPSAMPLER and size == 512 else size]


PUBLISHED = {
    "64x64_diffusion": _published(64, 541, 192, 3, schedule="cosine", new_order=True, dropout=0.1),
    "128x128_diffusion": _published(128, 493, heads=4),
    "256x256_diffusion": _published(256, 567),
    "256x256_diffusion_uncond": _published(256, 566, classes=0),
    "512x512_diffusion": _published(512, 645),
    "lsun_bedroom": _published(256, 566, classes=0, dropout=0.1),
    "lsun_cat": _published(256, 566, classes=0, dropout=0.1),
    "lsun_horse": _published(256, 566, classes=0, dropout=0.1),
    "lsun_horse_nodropout": _published(256, 566, classes=0),
    "64_256_upsampler": _published(256, 567, 192, kind=UPSAMPLER, heads=4, low=64),
    "128_512_upsampler": _published(512, 537, 192, kind=UPSAMPLER, low=128, pixels=(32, 16)),
    "64x64_classifier": _published(64, 307, 128, 4, schedule="cosine", kind=CLASSIFIER),
    "128x128_classifier": _published(128, 221, 128, kind=CLASSIFIER),
    "256x256_classifier": _published(256, 249, 128, kind=CLASSIFIER),
    "512x512_classifier": _published(512, 281, 128, kind=CLASSIFIER),
}

_CALLED = {"num_channels": "model_channels", "large_size": "image_size"}  # by the scripts: as the constructors say
_CLASSIFIERS = {  # of the scripts that have both a model and a classifier
    "classifier_width": "model_channels", "classifier_depth": "num_res_blocks",
    "classifier_attention_resolutions": "attention_resolutions", "classifier_pool": "pool",
    "classifier_use_scale_shift_norm": "use_scale_shift_norm", "classifier_resblock_updown": "resblock_updown",
}  # fmt: skip
_FIXED = {  # what networks here have at these values only: (value, what it means)
    "use_scale_shift_norm": (True, "the embedding scales and shifts"),
    "resblock_updown": (True, "blocks resample"),
    "dims": (2, "images are sampled"),
    "pool": ("attention", "a classifier pools by attention"),
    "predict_xstart": (False, "the network tells the noise"),
    "diffusion_steps": (1000, "there are so many levels"),
}
_USED = ("image_size", "model_channels", "num_res_blocks", "attention_resolutions", "channel_mult", "noise_schedule")
_MORE = (
    "in_channels", "out_channels", "num_classes", "class_cond", "learn_sigma", "num_heads", "num_head_channels",
    "num_heads_upsample", "use_new_attention_order", "dropout", "small_size", "kind", "config",
)  # fmt: skip
_IDLE = (  # which change nothing of what a network computes
    "use_checkpoint", "use_fp16", "classifier_use_fp16", "conv_resample", "timestep_respacing", "use_kl",
    "rescale_timesteps", "rescale_learned_sigmas", "model_path", "classifier_path",
)  # fmt: skip
_WORDS = {True: ("yes", "true", "t", "y", "1"), False: ("no", "false", "f", "n", "0")}


def read(document: Any, kind: str, classes: int, channels: int) -> Flags:
    """The flags in a document as a person has written it, of a network of that kind in a file.

    classes: that the file is conditional on, or tells apart; channels: of its input. Raises Refused that names a flag.
    """
    if not isinstance(document, Mapping):
        raise Refused(f"the architecture must be flags by name, not {shown(document)}")
    given = {**document, **inner} if isinstance(inner := document.get("config"), Mapping) else dict(document)
    given.pop("config", None)
    if kind == CLASSIFIER and any(name in given for name in _CLASSIFIERS):  # then the others are the model's
        given = {name: given[name] for name in given if name in (*_CLASSIFIERS, *_IDLE, "image_size", "noise_schedule")}
        given = {"num_head_channels": 64, "channel_mult": "", **given}
    given = {_CALLED.get(name, _CLASSIFIERS.get(name, name)): value for name, value in given.items()}
    _check_names(given)
    for name, (value, why) in _FIXED.items():
        if name in given and (name != "pool" or kind == CLASSIFIER) and _as(name, given[name], value) != value:
            raise Refused(f"{name} = {shown(given[name])}: networks here have {value} only: {why}")
    if lacking := [name for name in _USED if name not in given]:
        raise Refused(f"the architecture lacks {', '.join(lacking)}; {_HELP}")
    if str(given.get("kind", kind)) != kind:
        raise Refused(f"kind = {shown(given['kind'])}: the file holds a {kind}")
    size = _whole("image_size", given)
    out = _outputs(given, kind, channels)
    return Flags(
        kind, size, _whole("model_channels", given), _multipliers(given["channel_mult"], size, kind),
        _whole("num_res_blocks", given), _attention(given["attention_resolutions"], size), _schedule(given),
        classes=_classes(given, kind, classes), in_channels=_inputs(given, kind, channels), out_channels=out,
        new_order=_truth("use_new_attention_order", given.get("use_new_attention_order", False)),
        dropout=_number("dropout", given.get("dropout", 0.0)), **_heads(given),
        low=(_whole("small_size", given) if "small_size" in given else size // 4) if kind == UPSAMPLER else None,
    )  # fmt: skip


def _check_names(given):
    known = (*_USED, *_MORE, *_IDLE, *_FIXED, *_CALLED, *_CLASSIFIERS)
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, 1)
            raise Refused(
                f"the architecture has {shown(name)}, which is no flag" + (f"; is it {near[0]}?" if near else "")
            )


def _truth(name, value) -> bool:
    """Also where it is written as text."""
    word = str(value).strip().lower()
    for truth, words in _WORDS.items():
        if word in words:
            return truth
    raise Refused(f"{name} = {shown(value)}: must be true or false")


def _as(name, value, like):
    """A flag as what `like` is."""
    return _truth(name, value) if isinstance(like, bool) else _number(name, value) if isinstance(like, int) else value


def _number(name, value) -> float:
    try:
        return float(value if not isinstance(value, bool) else "")
    except (TypeError, ValueError):
        raise Refused(f"{name} = {shown(value)}: must be a number") from None


def _whole(name, given, least=1) -> int:
    number = _number(name, given[name])
    if number % 1 or not least <= number <= 100_000:
        raise Refused(f"{name} = {shown(given[name])}: must be a whole number from {least} on")
    return int(number)


def _numbers(name, value) -> list[float]:
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or len(parts) > 16:
        raise Refused(f'{name} = {shown(value)}: must be numbers, as [1, 2] or "1,2"')
    return [_number(name, part) for part in parts if str(part).strip()]


def _multipliers(value, size, kind) -> tuple[float, ...]:
    found = _numbers("channel_mult", value)
    if found:
        return tuple(int(mult) if mult % 1 == 0 else mult for mult in found)
    if size not in _MULTIPLIERS:
        sizes = ", ".join(map(str, _MULTIPLIERS))
        raise Refused(f"channel_mult is empty, which stands for those of image_size {sizes}; with {size} name them")
    return _usual(size, kind)


def _attention(value, size) -> tuple[int, ...]:
    """A constructor has how much smaller the images are, a script, in text, their sizes."""
    found = [int(number) for number in _numbers("attention_resolutions", value)]
    if any(number < 1 for number in found):
        raise Refused(f"attention_resolutions = {shown(value)}: must be numbers from 1 on")
    return tuple(size // number for number in found) if isinstance(value, str) else tuple(found)


def _schedule(given) -> str:
    found = str(given["noise_schedule"]).strip().lower()
    if found not in SCHEDULES:
        raise Refused(f"noise_schedule = {shown(given['noise_schedule'])}: must be {' or '.join(SCHEDULES)}")
    return found


def _heads(given) -> dict:
    each = _whole("num_head_channels", given, -1) if "num_head_channels" in given else -1
    if each > 0:
        return {"head_channels": each}
    if "num_heads" not in given:
        raise Refused("the architecture lacks num_heads, or num_head_channels, which the file does not tell")
    upwards = _whole("num_heads_upsample", given, -1) if "num_heads_upsample" in given else -1
    return {"heads": _whole("num_heads", given), "decoder_heads": upwards if upwards > 0 else None}


def _classes(given, kind, found) -> int:
    """The classes of the file, if the flags say nothing else."""
    if kind == CLASSIFIER:
        told = _whole("out_channels", given) if "out_channels" in given else found
        name = "out_channels"
    else:
        name = "num_classes" if "num_classes" in given or "class_cond" not in given else "class_cond"
        value = given.get(name)
        if name == "class_cond":
            told = found if _truth(name, value) and found else 1000 * _truth(name, value)
        else:
            told = 0 if value in (None, "", "None", "none") else _whole(name, given)
    if told != found:
        there = f"is conditional on {found} classes" if found else "is not conditional on classes"
        there = f"tells {found} classes apart" if kind == CLASSIFIER else there
        raise Refused(f"{name} = {shown(given.get(name))}: the network in the file {there}")
    return told


def _inputs(given, kind, found) -> int:
    """C of the images."""
    own = found // 2 if kind == UPSAMPLER else found
    if "in_channels" in given and _whole("in_channels", given) not in (own, found):
        raise Refused(f"in_channels = {shown(given['in_channels'])}: the network in the file has {found}")
    return own


def _outputs(given, kind, channels) -> int | None:
    """As the flags say; None where they do not."""
    if kind == CLASSIFIER:
        return None
    images = channels // 2 if kind == UPSAMPLER else channels
    if "learn_sigma" in given:
        return images * (1 + _truth("learn_sigma", given["learn_sigma"]))
    return _whole("out_channels", given) if "out_channels" in given else None
