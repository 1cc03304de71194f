"""Training images from a folder or from an uncompressed zip, decoded when they are asked for.

A *source* has `shape` (C, H, W), `classes` (0: none), `class_names`, `size`, `labels` (int64 [size] or None) and
`read(indices)`, which returns uint8 images [B, C, H, W] and int64 labels [B] or None. Opening checks all names, all
labels and the header of every image, and keeps no more than that; no file stays open between reads, so that threads,
forks and pickles can share a source.
"""

from __future__ import annotations

import io
import os
import reprlib
import struct
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL.ContainerIO import ContainerIO

from edm.base import documents
from edm.base.errors import Refused
from edm.base.paths import expanded
from edm.data import classes, images, marks

if TYPE_CHECKING:
    from edm.base.types import Indices, StrPath

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
LABELS = "dataset.json"
RESOLUTIONS = (4, 1024)
MAX_IMAGES = 2_000_000
MAX_CLASSES, MAX_LETTERS = 65_536, 1 << 20
MAX_BYTES = 2**28  # of one image file
MAX_LABELS_BYTES = 2**26

# What zipfile raises on damaged files; anything else is a fault of this program
_BROKEN_ZIP = (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError, OverflowError, struct.error)


def rows(indices: Indices, size: int) -> np.ndarray:
    """`indices` as an int64 array [B]. Raises IndexError unless they are whole numbers from 0 to size − 1."""
    indices = np.asarray(indices)
    if indices.ndim != 1 or (indices.size and indices.dtype.kind not in "iu"):
        raise IndexError(f"indices must be a list of whole numbers, not {indices.dtype} {list(indices.shape)}")
    if indices.size and (indices.min() < 0 or indices.max() >= size):
        raise IndexError(f"indices {indices.min()} … {indices.max()}: images are counted from 0 to {size - 1}")
    return indices.astype(np.int64)


class ImageFolder:
    """The PNG, JPEG, WebP and BMP images of a directory tree or of a zip made with `zip -0 -r`, sorted by name.

    resolution: H = W of the result, 4 … 1024; by default that of the images, which must be square and of one size.
    crop: take the central square of images of any size, and resize it (Lanczos) to `resolution`.
    channels: 3 for RGB, 1 for greyscale; the images are converted. Transparent parts are laid over white, 16-bit
    channels keep their upper eight bits, EXIF orientation is applied, and of an animation the first picture is taken.

    Labels come from `dataset.json` of the StyleGAN and EDM kind, {"labels": [["a/b.png", 3], …]} (null: none), where
    there is one (there are as many classes as the highest label asks for, whether or not each has images); else the
    first-level folders are the classes, if there are two or more and no image lies outside.
    Hidden files, `__MACOSX` and files with other endings are left out. `names` and `marks` (`edm.data.marks`) say
    which images these are.

    Raises ValueError, here and from `read`, in sentences that name the file at fault.
    """

    def __init__(self, path: StrPath, resolution: int | None = None, crop: bool = False, channels: int = 3):
        low, high = RESOLUTIONS
        if resolution is not None and (type(resolution) is not int or not low <= resolution <= high):
            raise Refused(f"resolution = {resolution!r}: must be a whole number from {low} to {high}")
        if crop and resolution is None:
            raise Refused("crop needs a resolution, to which the cropped images are brought")
        if channels not in (1, 3):
            raise Refused(f"channels = {channels!r}: must be 3 (RGB) or 1 (greyscale)")
        self.path = expanded(path).absolute()
        self._crop = bool(crop)
        self._files = _Files(self.path)
        self.names = tuple(sorted(self._files.names - {LABELS}))
        self.size = len(self.names)
        if not 1 <= self.size <= MAX_IMAGES:
            number = self.size or f"no images ({', '.join(SUFFIXES)})"
            raise Refused(f"{self.path} holds {number}; a set has 1 to {MAX_IMAGES} images")
        self.class_names, self.classes, labels = self._labels()
        self.labels = None if labels is None else torch.tensor(labels, dtype=torch.int64)
        self.marks = np.empty(self.size, dtype="<u8")
        self._side = self._check_headers(labels if LABELS in self._files.names else None)
        side = self._side if resolution is None else resolution
        if not low <= side <= high:
            raise Refused(f"the images in {self.path} are {side}×{side}; give a resolution from {low} to {high}")
        self.shape = (int(channels), side, side)

    def read(self, indices: Indices) -> tuple[torch.Tensor, torch.Tensor | None]:
        """The images of these indices [B], in any order: uint8 [B, C, H, W], and int64 labels [B] or None."""
        indices = rows(indices, self.size)
        found = np.empty((len(indices), *self.shape), dtype=np.uint8)
        for row, index in zip(found, indices, strict=True):
            row[...] = self._decoded(self.names[index])
        return torch.from_numpy(found), None if self.labels is None else self.labels[torch.from_numpy(indices)]

    def _labels(self):
        """-> (class names, number of classes, labels or None)."""
        if LABELS in self._files.names:
            labels = _listed(self._files.contents(LABELS, MAX_LABELS_BYTES), self.names, self._place(LABELS))
            return (), max(labels) + 1 if labels else 0, labels
        folders = [name.partition("/")[0] for name in self.names if "/" in name]
        if len(folders) < len(self.names) or len(set(folders)) < 2:
            return (), 0, None
        class_names = classes.ordered(folders, str(self.path))
        if len(class_names) > MAX_CLASSES or sum(map(len, class_names)) > MAX_LETTERS:
            allowed = f"at most {MAX_CLASSES} classes are read, whose names have {MAX_LETTERS:,} letters in all"
            raise Refused(f"{self.path} has {len(class_names)} sub-folders; {allowed}")
        numbers = {name: number for number, name in enumerate(class_names)}
        return class_names, len(class_names), [numbers[folder] for folder in folders]

    def _check_headers(self, listed) -> int:
        """The side of the images as stored (0 with `crop`), after a look at the header of each, which also gets its
        mark. listed: their labels, where a file of its own tells them."""
        side = 0
        for row, name in enumerate(self.names):
            place = self._place(name)
            with self._files.open(name) as file, images.opened(file, place) as image:
                width, height = image.size
                self.marks[row] = marks.of_file(file, name, listed and listed[row])
            if self._crop:
                continue
            if width != height:
                raise Refused(f"{place} is {width}×{height}, not square; use crop to take its central square")
            side = side or width
            if width != side:
                first = f"{self.names[0]!r} is {side}×{side}; make them equal, or use crop and a resolution"
                raise Refused(f"{place} is {width}×{width} but {first}")
        return side

    def _decoded(self, name: str) -> np.ndarray:
        place = self._place(name)
        with images.opened(io.BytesIO(self._files.contents(name, MAX_BYTES)), place) as image:
            if not self._crop and image.size != (self._side, self._side):
                raise Refused(f"{place} has changed since the set was opened; open the set again")
            return images.pixels(image, place, self._crop, self.shape)

    def _place(self, name: str) -> str:
        return f"{name!r} in {self.path}"


def _listed(text: bytes, names, place: str) -> list[int] | None:
    """The label of each name from the contents of `dataset.json`, or None where that says null."""
    document = documents.from_json(text, place, MAX_LABELS_BYTES)
    items = document.get("labels", 0) if isinstance(document, dict) else 0
    if items is None:
        return None
    if not isinstance(items, list):
        raise Refused(f'{place} must read {{"labels": [["path/in/set.png", 3], …]}} or {{"labels": null}}')
    labels = {}
    for item in items:
        if not isinstance(item, list) or len(item) != 2 or not isinstance(item[0], str):
            raise Refused(f'{place} has the item {reprlib.repr(item)}; each must be ["path/in/set.png", label]')
        name, label = item[0].replace("\\", "/"), item[1]
        if type(label) is not int or not 0 <= label < MAX_CLASSES:
            allowed = f"labels are whole numbers from 0 to {MAX_CLASSES - 1}"
            raise Refused(f"{place} gives {name!r:.200} the label {reprlib.repr(label)}; {allowed}")
        if name in labels:
            raise Refused(f"{place} lists {name!r:.200} twice")
        labels[name] = label
    if missing := set(names) - labels.keys():
        raise Refused(f"{place} has no label for {min(missing)!r} ({len(missing)} of {len(names)} images)")
    if unknown := labels.keys() - set(names):
        raise Refused(f"{place} names {min(unknown)!r:.200}, which is not an image of the set")
    return [labels[name] for name in names]


class _Files:
    """The image files and `dataset.json` of a folder or a zip, by name; whoever reads one opens it anew.

    parts: where they lie in a zip, name -> (offset of the entry's header, bytes, CRC-32); None for a folder.
    """

    def __init__(self, path: Path):
        self.path = path
        try:
            if not path.is_dir() and not path.is_file():
                raise Refused(f"there is no folder and no zip at {path!s:.300}; check the path")
            self.parts = None if path.is_dir() else _directory(path)
            self.names = frozenset(_walk(path) if self.parts is None else self.parts)
        except OSError as error:
            raise Refused(f"{error.filename or path} cannot be opened ({error.strerror})") from None

    @contextmanager
    def open(self, name: str):
        try:
            with open(self.path / name if self.parts is None else self.path, "rb") as file:
                if self.parts is None:
                    yield file
                    return
                start, size, _ = self.parts[name]
                file.seek(start)
                header = file.read(30).ljust(30)
                if not header.startswith(b"PK\3\4"):
                    raise Refused(f"{self.path} is damaged: {name!r} is not where it should be; pack it again")
                yield ContainerIO(file, start + 30 + sum(struct.unpack("<2H", header[26:])), size)
        except OSError as error:
            raise Refused(f"{name!r} in {self.path} cannot be read ({error.strerror or error})") from None

    def contents(self, name: str, limit: int) -> bytes:
        with self.open(name) as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise Refused(f"{name!r} in {self.path} is larger than {limit >> 20} MB, the limit for this file")
        if self.parts is not None and zlib.crc32(data) != self.parts[name][2]:
            raise Refused(f"{self.path} is damaged: the checksum of {name!r} is wrong; pack it again")
        return data


def _wanted(name: str) -> bool:
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))
    return not hidden and (name == LABELS or name.lower().endswith(SUFFIXES))


def _walk(root: Path):
    """The names of the wanted files in a folder. Links may not leave it, nor stand for folders."""
    inside = os.path.join(os.path.realpath(root), "")
    folders = [""]
    while folders:
        folder = folders.pop()
        with os.scandir(root / folder) as entries:
            for entry in entries:
                name = folder + entry.name
                if not _wanted(f"{name}/x.png" if entry.is_dir() else name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(name + "/")
                    continue
                leaves = entry.is_symlink() and not os.path.realpath(entry.path).startswith(inside)
                if leaves or not entry.is_file():
                    raise Refused(f"{name!r} in {root} is no regular file, or links elsewhere; put a copy there")
                yield name


def _directory(path: Path) -> dict:
    """`_Files.parts` of a zip."""
    parts, end, again = {}, path.stat().st_size, "pack it again from inside the folder with: zip -0 -r set.zip ."
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except _BROKEN_ZIP as error:
        raise Refused(f"{path} is neither a folder nor a whole zip ({error}); {again}") from None
    for entry in entries:
        name = entry.filename.replace("\\", "/")
        place = f"{name!r:.200} in {path}"
        if name.startswith("/") or name[1:2] == ":" or ".." in name.split("/"):
            raise Refused(f"{place} points out of the set; {again}")
        if name.endswith("/") or not _wanted(name):
            continue
        if entry.flag_bits & 1:
            raise Refused(f"{place} is encrypted; {again}")
        if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
            raise Refused(f"{place} is compressed; {again}")
        if entry.file_size > MAX_BYTES or entry.header_offset + entry.file_size > end:
            raise Refused(f"{place} claims {entry.file_size} bytes; it can have {min(MAX_BYTES, end)}; {again}")
        if name in parts:
            raise Refused(f"{place} is there twice; {again}")
        parts[name] = (entry.header_offset, entry.file_size, entry.CRC)
    return parts
