"""Images out of what visitors send: zips and files by the dozen. Nothing is unpacked onto the disk.

Each function yields (name for people, class or "", a function that returns the image file's bytes), in the order of
the names. The classes are the folders at the first level where pictures part, if there are two or more.
"""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator

from edm.base.errors import Refused
from edm.data.brought.labels import FILE as LABELS
from edm.data.images import SUFFIXES

MAX_BYTES = 1 << 26  # of one image file
DIRECTORY = 4 << 20  # bytes of a zip's directory, of which each entry costs us ten times as much
RATIO, PLAIN = 100, 1 << 20  # an entry of more than PLAIN bytes may not be packed more tightly than this
LONGEST_LABEL = 40

# What zipfile raises on damaged files; anything else is a fault of this program
_BROKEN = (
    zipfile.BadZipFile, zlib.error, ValueError, EOFError, NotImplementedError, OverflowError, RuntimeError,
    struct.error,
)  # fmt: skip


def images_of(file, place: str, most: int, unpacked: int) -> Iterator[tuple[str, str, Callable]]:
    """The images in a zip, a binary file that can seek: at most `most`, and `unpacked` bytes in all.

    Raises Refused with a sentence that names `place` or the entry at fault, for entries that are links, encrypted,
    point elsewhere, or claim too much, also of their ratio.
    """
    modest = _Modest(file)
    try:
        archive = zipfile.ZipFile(modest)
        entries = archive.infolist()
    except _BROKEN as error:
        raise Refused(f"{place!r:.80} is not a whole zip ({error}); pack it again") from None
    modest.most, found, total = MAX_BYTES, {}, 0
    for entry in entries:
        name = entry.filename.replace("\\", "/")
        _check_name(name)
        if _wanted(name):
            _check_entry(entry, name, name in found)
            total += entry.file_size
            found[name] = entry
    if total > unpacked:
        raise Refused(f"{place!r:.80} unpacks to {total:,} bytes; at most {unpacked:,} are taken: shrink the images")
    readers = {name: lambda entry=entry, name=name: _read(archive, entry, name) for name, entry in found.items()}
    return _sorted(readers, place, most)


def images_among(given, most: int) -> Iterator[tuple[str, str, Callable]]:
    """The images among files that came one by one, [(name, binary file), …]."""
    if any(name.lower().endswith(".zip") for name, _ in given):
        raise Refused("bring one zip alone, or images without a zip")
    found = {}
    for name, file in given:
        name = name.replace("\\", "/")
        _check_name(name)
        if _wanted(name):
            if name in found:
                raise Refused(f"{name!r:.80} is there twice; give the files different names")
            found[name] = lambda file=file, name=name: _limited(file, name)
    return _sorted(found, "what was sent", most)


class _Modest(io.BufferedIOBase):
    """A binary file of which zipfile reads no giant piece at once, whatever the file's directory claims."""

    def __init__(self, file):
        self._file, self.most = file, DIRECTORY

    def read(self, size=-1):
        if size is not None and size > self.most:
            raise zipfile.BadZipFile("it has too many entries, or none")
        return self._file.read(size)

    def seek(self, *place):
        try:
            return self._file.seek(*place)
        except (OSError, ValueError):
            raise zipfile.BadZipFile("its directory points out of it") from None

    def tell(self):
        return self._file.tell()

    def seekable(self):
        return True


def _check_name(name):
    if name.startswith("/") or name[1:2] == ":" or ".." in name.split("/") or "\0" in name:
        raise Refused(f"{name!r:.80} points out of the set; pack it again from inside its folder")
    if name.rpartition("/")[2] == LABELS:
        raise Refused(f"{name!r:.80} is not read: sort the images into one folder for each class, and leave it out")


def _wanted(name) -> bool:
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))
    return not hidden and name.lower().endswith(SUFFIXES)


def _check_entry(entry, name, known):
    if known:
        raise Refused(f"{name!r:.80} is there twice; pack the zip again")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise Refused(f"{name!r:.80} is a link or no plain file; put the image itself into the zip")
    if entry.flag_bits & 1:
        raise Refused(f"{name!r:.80} is encrypted; pack the zip without a password")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Refused(f"{name!r:.80} is packed in an unusual way; pack an ordinary zip")
    if entry.file_size > MAX_BYTES:
        raise Refused(f"{name!r:.80} has {entry.file_size:,} bytes; an image file has at most {MAX_BYTES:,}")
    if entry.file_size > PLAIN and entry.file_size > RATIO * entry.compress_size:
        raise Refused(f"{name!r:.80} claims to unpack to more than {RATIO} times its size; no photograph does")


def _read(archive, entry, name) -> bytes:
    try:
        with archive.open(entry) as file:
            return file.read(entry.file_size + 1)
    except _BROKEN as error:
        raise Refused(f"{name!r:.80} cannot be unpacked ({error}); pack the zip again") from None


def _limited(file, name) -> bytes:
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise Refused(f"{name!r:.80} is too large; an image file has at most {MAX_BYTES:,} bytes")
    return data


def _sorted(found, place, most):
    if not found:
        raise Refused(f"{place!r:.80} holds no images ({', '.join(SUFFIXES)})")
    if len(found) > most:
        raise Refused(f"{place!r:.80} holds {len(found):,} images; at most {most:,} are taken")
    labels = _labels(found)
    return ((name, labels.get(name, ""), found[name]) for name in sorted(found))


def _labels(names) -> dict[str, str]:
    """name -> its class; nothing where folders do not part all images into two classes or more."""
    rests = {name: name.split("/") for name in names}
    while len({parts[0] for parts in rests.values()}) == 1 and all(len(parts) > 1 for parts in rests.values()):
        rests = {name: parts[1:] for name, parts in rests.items()}
    folders = sorted({parts[0] for parts in rests.values()})
    if len(folders) < 2 or any(len(parts) < 2 for parts in rests.values()):
        return {}
    labels: dict[str, str] = {}
    for number, folder in enumerate(folders):
        label = "".join(c if c.isalnum() or c in " -_" else "_" for c in folder)[:LONGEST_LABEL].strip(" _")
        label = label or f"class {number}"
        while label in labels.values():
            label += "-"
        labels[folder] = label
    return {name: labels[parts[0]] for name, parts in rests.items()}
