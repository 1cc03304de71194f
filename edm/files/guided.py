"""guided-diffusion's files (Dhariwal & Nichol 2021) as model files of ours: a bare state_dict each, with no word of the
network that it is for. Its flags are known by the name of a published file, or given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from edm.base import documents
from edm.base.errors import Refused
from edm.base.paths import expanded
from edm.files import torch_saved
from edm.files.checkpoints import Header, PreconditioningConfig
from edm.networks import guided, guided_flags
from edm.networks.guided_flags import CLASSIFIER, PUBLISHED, UPSAMPLER, Flags

if TYPE_CHECKING:
    from edm.base.types import StrPath

SIGMA_DATA = 0.5  # of images in [−1, 1], near enough: no coefficient of these models depends on it
_MAX_ARCHITECTURE = 1 << 20
_COPY = re.compile(r"[ _-]*\(\d+\)$")  # of a download that was there already


def converted(path: StrPath, architecture: Any = None) -> tuple[Header, dict[str, torch.Tensor]]:
    """As `edm.files.convert.convert` gives them. Raises Refused in words that follow upon the file's name."""
    saved = torch_saved.tensors(path)
    shapes = {name: tensor.shape for name, tensor in saved.items()}
    kind = guided.kind_of(shapes)
    flags, named = _flags(path, architecture, kind, shapes)
    try:
        config = guided.configuration(flags, shapes)
        header = _header(flags, config, expanded(path).stem)
        tensors = guided.ours(flags, config, saved)
    except Refused as error:
        raise Refused(f"{error}; {_remedy(named, shapes)}") from None
    if bad := [name for name, tensor in tensors.items() if not tensor.isfinite().all()]:
        raise Refused(f"its weights {bad[0]} are not all finite numbers; get it again")
    return header, {f"ema0/{name}": tensor for name, tensor in tensors.items()}


def _flags(path, architecture, kind, shapes) -> tuple[Flags, str]:
    """(the flags, the published name that they are known by or "")."""
    if architecture is None:
        stem = _COPY.sub("", expanded(path).stem.lower())
        if stem not in PUBLISHED:
            name = guided.like(shapes)
            rename = f"if it is {name}.pt, call it so; else " if name else ""
            known = ", ".join([*PUBLISHED][:3])
            raise Refused(
                "its file does not hold the flags of its network, and its name is not that of a published one "
                f"({known}, …): {rename}give them as --architecture FILE.json"
            )
        return PUBLISHED[stem], stem
    document = architecture if isinstance(architecture, Mapping) else _document(architecture)
    classes = shapes.get("out.2.c_proj.bias" if kind == CLASSIFIER else guided.LABEL, (0,))[0]
    try:
        return guided_flags.read(document, kind, classes, shapes[guided.FIRST][1]), ""
    except Refused as error:
        raise Refused(f"{error} (--architecture)") from None


def _document(place):
    try:
        with open(expanded(place), "rb") as file:
            return documents.from_json(file.read(_MAX_ARCHITECTURE), str(place))
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no file {place}") from None
    except (IsADirectoryError, PermissionError) as error:
        raise Refused(f"--architecture {place} cannot be read ({error.strerror})") from None


def _remedy(named, shapes):
    """What to do where flags and file do not fit."""
    if not named:
        return "mend --architecture"
    other = guided.like(shapes)
    if other and other != named:
        return f"it may be {other}.pt: call it so"
    return f"it is not {named}.pt, or damaged: get it again, or give its own flags as --architecture FILE.json"


def _header(flags, config, title) -> Header:
    about: dict[str, Any] = {"kind": "classifier"} if flags.kind == CLASSIFIER else {"kind": "model"}
    if flags.kind == UPSAMPLER:
        about["low"] = {"resolution": flags.low}
    return Header(
        **about,
        title=title,
        network=config,
        preconditioning=PreconditioningConfig(name="iddpm" if flags.noise_schedule == "cosine" else "adm_linear"),
        shape=(flags.in_channels, flags.image_size, flags.image_size),
        sigma_data=SIGMA_DATA,
    )
