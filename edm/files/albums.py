"""Many images as files: a folder of PNGs that can be read while it grows, killed at any moment, and gone on with.

    00000/000000.png … 00000/000999.png, 00001/001000.png …    sample k is called by its number
    settings.json                                              what they are samples of: no others come in
    dataset.json                                               their classes, once all are there

It is what EDM's and StyleGAN's tools, and `edm.data.folders`, read as a set. An image counts once its file is whole, by
the checksums that PNG has: what a killed writer or a power cut leaves does not. A zip is made of such a folder, its
parts, when the last image is there.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
from PIL import Image

from edm.base import documents
from edm.base.atomic import atomic, make
from edm.base.errors import Refused
from edm.base.paths import expanded

if TYPE_CHECKING:
    from edm.base.types import StrPath

EACH = 1000  # images of a sub-folder
SETTINGS, LABELS, PARTS = "settings.json", "dataset.json", ".parts"
_FOLDER, _FILE = re.compile(r"[0-9]{5,}"), re.compile(r"([0-9]{6,})\.png")
_HALF = re.compile(r"\..*\.[a-z0-9_]{8}")  # as `edm.base.atomic.atomic` names them
_HALF_IMAGE = re.compile(r"\.([0-9]{6,})\.png\.")
_OLD = 3600.0  # seconds after which nobody is still writing one
_SIGNATURE, _END = b"\x89PNG\r\n\x1a\n", b"IEND"
_THEN = (1980, 1, 1, 0, 0, 0)  # of each entry, so that the same images make the same zip


def name_of(number: int) -> str:
    """Where image `number` lies."""
    return f"{number // EACH:05}/{number:06}.png"


class Album:
    """A folder of images, or of the parts of a zip, if the name ends in .zip."""

    def __init__(self, place: StrPath):
        self.place = expanded(place)
        self.zip = self.place.suffix.lower() == ".zip"
        self.folder = self.place.with_name(self.place.name + PARTS) if self.zip else self.place

    def prepare(self, document: dict, differs: Callable[[dict], str]) -> None:
        """Make it ready for images; by one process, before any writes.

        document: what the images are samples of, as JSON data. differs: what that of another album has that is not so
        here, in words, or "". Raises Refused for a place that holds anything else.
        """
        if self.zip and self.place.exists():
            with _opened(self.place) as archive:
                self._compare(_document(archive.read, self.place), differs)
            return
        known = self.folder / SETTINGS
        if known.exists():
            self._compare(_document(lambda name: (self.folder / name).read_bytes(), known), differs)
        elif self.folder.is_dir() and any(not _HALF.fullmatch(name) for name in os.listdir(self.folder)):
            raise Refused(f"{self.folder} holds other files than samples; name another --out")
        else:
            make(self.folder)
            with atomic(known) as file:
                file.write(json.dumps(document, indent=1, ensure_ascii=False).encode())
        for half in self._halves():
            with suppress(FileNotFoundError):
                if time.time() - half.stat().st_mtime > _OLD:
                    half.unlink()

    def complete(self, numbers: range) -> bool:
        """Whether a zip holds images of all these numbers already. Raises Refused for one that holds others."""
        if not self.zip or not self.place.exists():
            return False
        with _opened(self.place) as archive:
            names = set(archive.namelist())
        if lacking := next((k for k in numbers if name_of(k) not in names), None):
            raise Refused(f"{self.place} is there already, without the sample {lacking}; name another --out")
        with suppress(FileNotFoundError):
            shutil.rmtree(self.folder)
        return True

    def lacking(self, numbers: range) -> list[int]:
        """The numbers of which there is no whole image yet."""
        return [number for number in numbers if not _whole(self.folder / name_of(number))]

    def has(self, number: int) -> bool:
        """Whether there is a file of that image, whole or not."""
        return (self.folder / name_of(number)).exists()

    def write(self, number: int, image: np.ndarray) -> None:
        """image: uint8 [C, H, W], C 1 or 3."""
        path = self.folder / name_of(number)
        path.parent.mkdir(exist_ok=True)
        pixels = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
        with atomic(path, durable=False) as file:
            Image.fromarray(np.ascontiguousarray(pixels)).save(file, format="PNG")

    def finish(self, numbers: range, classes: Sequence[int]) -> None:
        """Write the classes of all images that are there, and of a zip the zip; by one process, when all are written.

        numbers: of those that have been written, of which killed writers may have left halves; other processes may be
        writing others. classes: which the samples have by turns; (): they have none.
        """
        for half in self._halves():
            found = _HALF_IMAGE.match(half.name)
            if found and int(found[1]) in numbers:
                half.unlink(missing_ok=True)
        with atomic(self.folder / LABELS) as file:
            _write_classes(file, self.numbers() if classes else (), classes)
        if self.zip:
            self._pack()
            shutil.rmtree(self.folder)

    def _pack(self):
        with atomic(self.place) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for name in (SETTINGS, LABELS):
                archive.writestr(zipfile.ZipInfo(name, _THEN), (self.folder / name).read_bytes())
            for numbers in self.numbers():
                for number in numbers:
                    name = name_of(number)
                    archive.writestr(zipfile.ZipInfo(name, _THEN), (self.folder / name).read_bytes())

    def _halves(self) -> Iterator[Path]:
        """What is being written, or was when its writer was killed."""
        for folder in (self.folder, *self._folders()):
            yield from (folder / name for name in filter(_HALF.fullmatch, os.listdir(folder)))

    def _folders(self) -> list[Path]:
        return sorted((self.folder / name for name in os.listdir(self.folder) if _FOLDER.fullmatch(name)), key=_place)

    def numbers(self) -> Iterator[list[int]]:
        """The numbers of the images that are there, in their order, by sub-folder."""
        for folder in self._folders():
            found = filter(None, map(_FILE.fullmatch, os.listdir(folder)))
            yield sorted(int(match[1]) for match in found)

    def _compare(self, document, differs):
        if told := differs(document):
            raise Refused(f"{self.place} holds samples of other settings ({told}); name another --out")


def _place(folder):
    return int(folder.name)


def _write_classes(file: IO[bytes], parts: Iterable[list[int]], classes: Sequence[int]) -> None:
    """A sub-folder's at a time: of a million images no list is made."""
    if not classes:
        file.write(b'{"labels": null}')
        return
    before = '{"labels": ['
    for numbers in parts:
        for number in numbers:
            file.write(f'{before}\n["{name_of(number)}", {classes[number % len(classes)]}]'.encode())
            before = ","
    file.write(b"\n]}")


def _whole(path) -> bool:
    """Whether a file is a PNG of which all is there, by its checksums."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return False
    at, kind = len(_SIGNATURE), b""
    if not data.startswith(_SIGNATURE):
        return False
    while kind != _END:
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        body, after = data[at + 4 : at + 8 + size], data[at + 8 + size : at + 12 + size]
        if len(after) < 4 or zlib.crc32(body) != int.from_bytes(after, "big"):
            return False
        at += 12 + size
    return at == len(data)


def _opened(path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except zipfile.BadZipFile:
        raise Refused(f"{path} is no zip; name another --out") from None


def _document(read, place) -> dict:
    """The settings of an album. Raises Refused for what is none."""
    try:
        found = documents.from_json(read(SETTINGS), str(place))
    except KeyError:
        raise Refused(f"{place} holds no samples of ours; name another --out") from None
    return found if isinstance(found, dict) else {}
