"""The training images of MNIST, Fashion-MNIST and CIFAR-10 in torchvision's files, held in memory.

torchvision fetches the files and verifies their checksums; they are read here. CIFAR-10's are pickles, and a pickle
may run any program when it is loaded: they are read as data (`edm.data.batches`).
"""

from __future__ import annotations

import math
import os
import reprlib
import struct
import tarfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import torch

from edm.base import pickles
from edm.base.atomic import make, move
from edm.base.errors import Refused
from edm.base.extras import needed
from edm.base.paths import expanded
from edm.data import batches, marks
from edm.data.folders import rows

if TYPE_CHECKING:
    from edm.base.types import Indices, StrPath

MAX_BYTES = 2**28  # of one file; the largest that is known, MNIST's images, has 47 MB

_BROKEN_DOWNLOAD = (OSError, RuntimeError, HTTPException, tarfile.TarError, EOFError, zlib.error)


@dataclass(frozen=True, eq=False)
class InMemory:
    """A source (see edm.data.folders): images uint8 [N, C, H, W], labels int64 [N], and a name for each class."""

    images: torch.Tensor
    labels: torch.Tensor
    class_names: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.images.shape[1:])

    @property
    def classes(self) -> int:
        return len(self.class_names)

    @property
    def size(self) -> int:
        return len(self.images)

    @cached_property
    def marks(self) -> np.ndarray:
        """What tells each image from the others (see edm.data.identity)."""
        return marks.of_arrays(self.images.numpy(), self.labels.numpy())

    def read(self, indices: Indices) -> tuple[torch.Tensor, torch.Tensor]:
        """The images of these indices [B], in any order: uint8 [B, C, H, W], and int64 labels [B]."""
        indices = torch.from_numpy(rows(indices, self.size))
        return self.images[indices], self.labels[indices]


def opened(name: str, folder: StrPath, download: bool = False) -> InMemory:
    """The training images of "mnist", "fashion_mnist" (1×32×32, padded with 2 black pixels) or "cifar10" (3×32×32).

    folder: where torchvision keeps its datasets (its `root`). download: fetch the files, where some are missing, and
    verify their checksums; files that are there already are checked for their structure.

    Raises ValueError, in sentences that name the file, where files are missing or are not what they should be.
    """
    if name not in SETS:
        raise Refused(f"there is no dataset {name!r}; there are {', '.join(SETS)}")
    wanted, folder = SETS[name], expanded(folder).absolute()
    place = folder / wanted.folder
    missing = [file for file in wanted.files if not os.path.isfile(place / file)]
    if not missing:
        return wanted.source(place)
    if not download:
        raise Refused(f"{name} is not there: {missing[0]} is missing in {place}; download fetches it")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder, prefix=f".{name}.") as temporary:
            with needed("train", f"downloading {name}"):
                wanted.fetch(temporary)
            source = wanted.source(Path(temporary) / wanted.folder)
            make(place)
            for file in wanted.files:
                move(Path(temporary) / wanted.folder / file, place / file)
    except _BROKEN_DOWNLOAD as error:
        reason = " ".join(str(error).split())
        raise Refused(
            f"{name} could not be downloaded ({reason:.300}); check the network and the space in {folder}, or put "
            f"torchvision's files into {place} by hand"
        ) from None
    return source


@dataclass(frozen=True)
class _Set:
    """folder: of the files, in torchvision's root. fetch: downloads into a root. pixels: paths -> (images, labels)."""

    folder: str
    files: tuple[str, ...]
    fetch: Callable[[str], object]
    pixels: Callable[[list[Path]], tuple[np.ndarray, np.ndarray]]
    class_names: tuple[str, ...]

    def source(self, place: Path) -> InMemory:
        images, labels = self.pixels([place / file for file in self.files])
        return InMemory(torch.from_numpy(images), torch.from_numpy(labels), self.class_names)


def _contents(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Refused(f"{path} cannot be read ({error.strerror})") from None
    if len(data) > MAX_BYTES:
        raise _spoilt(path, f"it is larger than {MAX_BYTES >> 20} MB")
    return data


def _spoilt(path: Path, reason: str) -> ValueError:
    return ValueError(f"{path} is not a file of this dataset: {reason}; remove it, and download fetches it anew")


def _idx(path: Path, dimensions: int) -> np.ndarray:
    """The bytes of a file of LeCun's IDX format."""
    data = _contents(path)
    start = 4 + 4 * dimensions
    if len(data) < start or data[:4] != bytes([0, 0, 8, dimensions]):
        raise _spoilt(path, f"its header is not that of bytes in {dimensions} dimensions")
    shape = struct.unpack(f">{dimensions}I", data[4:start])
    if math.prod(shape) != len(data) - start:
        raise _spoilt(path, f"its header says {'×'.join(map(str, shape))}, but {len(data) - start} bytes follow")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def _mnist(paths: list[Path]) -> tuple[np.ndarray, np.ndarray]:
    images, labels = _idx(paths[0], 3), _idx(paths[1], 1)
    if images.shape[1:] != (28, 28) or not len(images):
        raise _spoilt(paths[0], f"it holds {'×'.join(map(str, images.shape))} pixels instead of N×28×28")
    if len(labels) != len(images):
        raise _spoilt(paths[1], f"it has {len(labels)} labels for {len(images)} images")
    if labels.max() > 9:
        raise _spoilt(paths[1], f"it has the label {labels.max()}; they go from 0 to 9")
    return np.pad(images, ((0, 0), (2, 2), (2, 2)))[:, None], labels.astype(np.int64)


def _cifar10(paths: list[Path]) -> tuple[np.ndarray, np.ndarray]:
    images, labels = zip(*(_cifar10_batch(path) for path in paths), strict=True)
    return np.concatenate(images), np.concatenate(labels)


def _cifar10_batch(path: Path) -> tuple[np.ndarray, np.ndarray]:
    try:
        batch = batches.read(_contents(path))
    except pickles.Refused as error:
        raise _spoilt(path, str(error)) from None
    if not isinstance(batch, dict) or not {b"data", b"labels"} <= batch.keys():
        raise _spoilt(path, "it is not a dictionary with b'data' and b'labels'")
    raw, dtype, shape, order = batches.described(batch[b"data"])
    labels = batch[b"labels"]
    if not isinstance(raw, bytes | bytearray) or batches.name_of(dtype) != "u1" or order not in (False, 0, "C"):
        raise _spoilt(path, "b'data' is not an array of bytes")
    count = len(raw) // 3072
    if not count or shape != (count, 3072) or len(raw) != count * 3072:
        raise _spoilt(path, f"b'data' has {len(raw)} bytes in the shape {reprlib.repr(shape)} instead of (N, 3072)")
    if not isinstance(labels, list) or len(labels) != count:
        raise _spoilt(path, f"b'labels' is not a list of {count} labels")
    if wrong := [label for label in labels if type(label) is not int or not 0 <= label <= 9]:
        raise _spoilt(path, f"it has the label {reprlib.repr(wrong[0])}; they go from 0 to 9")
    return np.frombuffer(raw, np.uint8).reshape(count, 3, 32, 32), np.array(labels, dtype=np.int64)


def _fetch_mnist(root: str):
    from torchvision.datasets import MNIST

    return MNIST(root, download=True)


def _fetch_fashion_mnist(root: str):
    from torchvision.datasets import FashionMNIST

    return FashionMNIST(root, download=True)


def _fetch_cifar10(root: str):
    """As torchvision's CIFAR10 does it, short of loading the pickles."""
    from torchvision.datasets import CIFAR10
    from torchvision.datasets.utils import download_and_extract_archive

    download_and_extract_archive(CIFAR10.url, root, filename=CIFAR10.filename, md5=CIFAR10.tgz_md5)


_IDX = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
_BATCHES = tuple(f"data_batch_{number}" for number in range(1, 6))
_GARMENTS = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
_OBJECTS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

SETS = {
    "mnist": _Set("MNIST/raw", _IDX, _fetch_mnist, _mnist, tuple("0123456789")),
    "fashion_mnist": _Set("FashionMNIST/raw", _IDX, _fetch_fashion_mnist, _mnist, _GARMENTS),
    "cifar10": _Set("cifar-10-batches-py", _BATCHES, _fetch_cifar10, _cifar10, _OBJECTS),
}
