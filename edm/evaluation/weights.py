"""The weights of Inception, in a file of somebody else's, which is read as data: nothing in it runs.

.pkl    the paper's own, inception-2015-12-05.pkl: an object with its source code, in TensorFlow's names
.pth    torch-fidelity's or pytorch-fid's, weights-inception-2015-12-05-6726825d.pth: tensors in torchvision's names
"""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch

from edm.base.atomic import stamp
from edm.base.errors import Refused
from edm.base.paths import expanded
from edm.evaluation.inception import CLASSES, FEATURES, Inception
from edm.files import persistent

if TYPE_CHECKING:
    from edm.base.types import StrPath

MAX_BYTES = 1 << 30  # such files have some 100 MB
_LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # with which torch.save began before it wrote zip files
_PROPER = (
    "it must be inception-2015-12-05.pkl of the paper, or torch-fidelity's weights-inception-2015-12-05-6726825d.pth"
)


def read(path: StrPath) -> tuple[Inception, str]:
    """Inception with the weights in a file, and a digest of them. Raises Refused that names the file and says what is
    missing in it, FileNotFoundError if there is none. Nothing in it is executed."""
    if "://" in str(path):
        raise Refused(f"{path} is an address; download the file, and give its name")
    mark = stamp(path)
    if mark is None or not expanded(path).is_file():
        raise FileNotFoundError(f"there is no file {path} with Inception's weights; {_PROPER}")
    return _kept(os.path.abspath(expanded(path)), mark)


@lru_cache(maxsize=1)
def _kept(path, mark) -> tuple[Inception, str]:
    try:
        values = _tensors(path)
        network = _filled(values)
    except Refused as error:
        raise Refused(f"{path} is not the Inception of FID: {error!s:.300}; {_PROPER}") from None
    digest = hashlib.sha256()
    for convolution in network.convolutions():
        digest.update(convolution.weight.detach().numpy().data)
        digest.update(convolution.bias.detach().numpy().data)
    return network, digest.hexdigest()[:32]


def _filled(values) -> Inception:
    network = Inception().eval().requires_grad_(False)
    convolutions = list(network.convolutions())
    published = "layers.conv.weight" in values
    classes = values.get("output.weight" if published else "fc.weight")
    if classes is not None and tuple(classes.shape) != (CLASSES, FEATURES):
        raise Refused(f"it tells {len(classes)} classes apart, as torchvision's does; that of FID knows {CLASSES}")
    wanted = [name for convolution in convolutions for name in convolution.names(published)]
    if missing := [name for name in wanted if name not in values]:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise Refused(f"it has {len(wanted) - len(missing)} of {len(wanted)} tensors; {missing[0]}{more} is missing")
    for convolution in convolutions:
        shape = tuple(convolution.weight.shape)
        for number, name in enumerate(convolution.names(published)):
            proper = shape[:1] if number else shape
            if tuple(values[name].shape) != proper or not values[name].is_floating_point():
                raise Refused(f"its {name} has shape {list(values[name].shape)}, where {list(proper)} belongs")
            if not torch.isfinite(values[name]).all():
                raise Refused(f"its {name} holds NaN or infinity")
        ones = {convolution.names(True, full=True)[1]: torch.ones(shape[0])} if published else {}
        convolution.take({**values, **ones}, published)
        if not torch.isfinite(convolution.weight).all():
            raise Refused(f"its {convolution.names(published)[-1]} holds negative variances")
    return network


def _tensors(path) -> dict[str, torch.Tensor]:
    """All tensors in the file, by name."""
    if os.path.getsize(path) > MAX_BYTES:
        raise Refused(f"it has {os.path.getsize(path) / 1e9:.1f} GB, and such a file has 0.1 GB")
    with open(path, "rb") as file:
        begin = file.read(len(_LEGACY))
        file.seek(0)
        if not begin.startswith(b"PK") and begin != _LEGACY:
            return persistent.tensors(persistent.read(file), but=["num_batches_tracked"])
    try:
        found: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, TypeError, LookupError, AttributeError):
        raise Refused("it holds more than tensors, or is damaged; a program is not run") from None
    if not isinstance(found, Mapping) or not all(isinstance(value, torch.Tensor) for value in found.values()):
        raise Refused("it is not a dictionary of tensors")
    return {str(name): value for name, value in found.items()}
