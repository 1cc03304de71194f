"""What visitors bring: a zip of images, image files, or points become datasets in RUNS/.data/<id>.

RUNS/.data/<id>/set.zip       squares of one size, as PNG in an uncompressed zip: what `folder` trains on
                points.npy    or points: what `points` trains on
                about.json    what the page shows of it, and who brought it

An id is a digest of what a set holds. Everything is checked before it is used; names of files only decide the order
and the classes, and none reaches the file system. A set appears whole or not at all, and whoever is told of it can rely
on it: it is on the disk.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import shutil
import threading
import time
import uuid
import zipfile
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from app.uploads import archives
from edm import runs
from edm.base.atomic import atomic, make, move
from edm.base.errors import Refused
from edm.data import classes, images, points
from edm.data.brought import tables
from edm.runs import places

FOLDER = ".data"
SIZES = (16, 32, 64)
STALE = 3600.0  # seconds after which what nobody has finished is swept away
THUMBNAIL_POINTS = 220
LONGEST_TITLE = 60
MAX_TABLE = 1 << 22
_ID = re.compile(r"[0-9a-f]{16}")
_FILES = {"folder": "set.zip", "points": "points.npy"}
_owning = threading.Lock()


@dataclass(frozen=True)
class Bounds:
    """files: images of a set. pixels: of one image; decoded: of all. unpacked: bytes of all images of a zip. folder:
    bytes of all sets together. sets: that one visitor may have."""

    files: int = 20_000
    pixels: int = 1 << 25
    decoded: int = 1 << 32
    unpacked: int = 1 << 30
    folder: int = 4 << 30
    sets: int = 40


def intake(
    given, folder, *, owner: str | None = None, resolution: int = 32, title: str = "", bounds=None,
    read: Callable = lambda decode: decode()[0],
) -> dict:  # fmt: skip
    """Make a dataset of what somebody brought, and describe it (see `described`). The same content is the same set.

    given: a list, of points [x, y], or of files as tuples (name, binary file): one .zip, .csv or .npy file, or
    images. folder: of all runs. owner: any text. resolution: 16, 32 or 64, of the images' central squares.
    read: is given each piece of the work, a function that returns (value, pixels), and returns the value; what it
    raises ends the work.
    Raises Refused with a sentence for anything that cannot be taken; then nothing is left of it.
    """
    bounds = bounds or Bounds()
    if resolution not in SIZES:
        raise Refused(f"resolution = {resolution!r:.40}: must be one of {', '.join(map(str, SIZES))}")
    place = Path(folder).absolute() / FOLDER
    if not isinstance(given, list):
        raise Refused("bring points as a list, or files")
    if sum(owner in one["owners"] for one in _all(place)) >= bounds.sets:
        raise Refused(f"you have {bounds.sets} datasets already; remove one first")
    with _new(place) as new:
        if given and isinstance(given[0], tuple):
            about = _brought(given, new, resolution, bounds, read)
        else:
            about = _points(points.checked(given, "the drawing"), new)
        about["title"] = _title(title) or about["title"]
        return _settled(new, place, about, owner, bounds)


def described(folder, identity: str) -> dict:
    """A dataset: {id, dataset, path, title, count, shape, classes, class_names, greyscale, thumbnail, fields, …}.

    dataset: "folder" or "points". thumbnail: base64 of the first image, uint8 [C, H, W], or of points, float32.
    fields: what `edm.data.settings.Data` needs. Raises Refused if there is none of that id.
    """
    path = path_of(folder, identity)
    about = _about(path)
    fields = {"dataset": about["dataset"], "path": str(path)} | ({"greyscale": True} if about["greyscale"] else {})
    return {"id": identity, **about, "path": str(path), "fields": fields}


def _about(path) -> dict:
    about = places.read(path.parent / "about.json")
    if not about:  # removed meanwhile
        raise Refused(f"there is no dataset {path.parent.name!r:.40}; upload it again")
    return about


def listed(folder, owner: str | None = None) -> list[dict]:
    """All datasets, the newest first; with `owner`, those that one visitor has brought."""
    found = [one for one in _all(Path(folder) / FOLDER) if owner is None or owner in one["owners"]]
    return [described(folder, one["id"]) for one in sorted(found, key=lambda one: -one["time"])]


def path_of(folder, identity) -> Path:
    """The file of the dataset of that id. Raises Refused if there is none, or it is no id."""
    if isinstance(identity, str) and _ID.fullmatch(identity):
        place = Path(folder).absolute() / FOLDER / identity
        for name in _FILES.values():
            if not place.is_symlink() and (place / name).is_file():
                return place / name
    raise Refused(f"there is no dataset {identity!r:.40}; upload it again")


def is_ours(path, folder) -> bool:
    """Whether a path in settings is that of an uploaded dataset."""
    try:
        return str(path) == str(path_of(folder, Path(path).parent.name))
    except Refused:
        return False


def remove(folder, identity: str, owner: str | None = None) -> None:
    """Delete a dataset; with `owner`, if nobody else has brought it, too. Raises Refused if a run needs it, or it
    is not the owner's."""
    path = path_of(folder, identity)
    with _owning:
        about = _about(path)
        others = [one for one in about["owners"] if one != owner]
        if owner is not None and owner not in about["owners"]:
            raise Refused(f"the dataset {about['title']!r} is somebody else's; you can remove your own")
        if owner is not None and others:
            places.write(path.parent / "about.json", {**about, "owners": others})
            return
        for run in runs.all_runs(folder):
            data = places.read(run.folder / "config.json").get("data")
            if isinstance(data, dict) and data.get("path") == str(path):
                raise Refused(f"the run {run.name!r} is of the dataset {about['title']!r}; delete the run first")
        gone = path.parent.with_name(f".gone-{uuid.uuid4().hex}")
        path.parent.rename(gone)  # at once, so that nobody sees half of it
    shutil.rmtree(gone)


@contextmanager
def _new(place):
    """A directory for a set in the making, which is gone afterwards unless it was renamed."""
    make(place)
    for old in place.glob(".*"):
        with suppress(OSError):  # another server was quicker
            if time.time() - old.stat().st_mtime > STALE:
                shutil.rmtree(old)
    new = place / f".new-{uuid.uuid4().hex}"
    new.mkdir()
    try:
        yield new
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _brought(given, new, resolution, bounds, read) -> dict:
    name, file = given[0]
    kind = Path(name).suffix.lower()
    if len(given) == 1 and kind in tables.SUFFIXES:
        return _points(read(lambda: (_points_of(name, file, kind, new), 0)), new)
    if kind == ".zip" and len(given) == 1:
        found, words = archives.images_of(file, name, bounds.files, bounds.unpacked), Path(name).stem
    else:
        found, words = archives.images_among(given, bounds.files), "Images"
    return {"title": _title(words) or "Images", **_images(found, new, resolution, bounds, read)}


def _points_of(name, file, kind, new):
    path = new / f"brought{kind}"
    path.write_bytes(file.read(MAX_TABLE + 1))
    try:
        return points.read(path)
    except Refused as error:
        raise Refused(str(error).replace(str(path), repr(name)[:80])) from None
    finally:
        path.unlink()


def _points(known, new) -> dict:
    with atomic(new / _FILES["points"]) as file:
        np.save(file, known)
    chosen = known[np.linspace(0, len(known) - 1, min(len(known), THUMBNAIL_POINTS)).astype(int)]
    return {
        "id": points.digest(known),
        "dataset": "points",
        "title": "Drawing",
        "count": len(known),
        "shape": list(known.shape[1:]),
        "classes": 0,
        "class_names": [],
        "greyscale": False,
        "thumbnail": base64.b64encode(chosen.astype("<f4").tobytes()).decode(),
    }


def _images(found, new, resolution, bounds, read) -> dict:
    """Write set.zip of (name, class or "", function that reads the bytes), and describe it."""
    digest, decoded, grey, first = hashlib.sha256(f"{resolution}".encode()), 0, True, None
    labels: dict[str, int] = {}
    with atomic(new / _FILES["folder"]) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for number, (name, label, data) in enumerate(found):

            def decode(name=name, data=data):
                square, pixels = images.square(data(), f"{name!r:.80}", resolution, bounds.pixels)
                return (square, pixels), pixels

            square, pixels = read(decode)
            decoded += pixels
            if decoded > bounds.decoded:
                raise Refused("these images have too many pixels in all; shrink them before the upload")
            grey = grey and bool((square == square[:1]).all())
            first = square if first is None else first
            digest.update(f"/{label}/".encode() + square.tobytes())
            inside = f"{label}/{number:06}.png" if label else f"{number:06}.png"
            archive.writestr(zipfile.ZipInfo(inside), _png(square))
            labels[label] = labels.get(label, 0) + 1
    channels = 1 if grey else 3
    names = classes.ordered((label for label in labels if label), "what was sent")
    return {
        "id": digest.hexdigest()[:16],
        "dataset": "folder",
        "count": sum(labels.values()),
        "shape": [channels, resolution, resolution],
        "classes": len(names),
        "class_names": list(names),
        "greyscale": grey,
        "thumbnail": base64.b64encode(first[:channels].tobytes()).decode(),
    }


def _png(square) -> bytes:
    file = io.BytesIO()
    Image.fromarray(square.transpose(1, 2, 0)).save(file, "PNG", compress_level=1)
    return file.getvalue()


def _settled(new, place, about, owner, bounds) -> dict:
    """Give a set that is whole its place, or the one that is there another owner."""
    target = place / about.pop("id")
    with _owning:
        known = places.read(target / "about.json")
        if not known:
            used = runs.disk_use(place)
            if used > bounds.folder:
                raise Refused(
                    f"the uploads of this server take {used / 1e9:.1f} GB, and may take {bounds.folder / 1e9:.1f} GB; "
                    "remove some that nobody needs"
                )
            shutil.rmtree(target, ignore_errors=True)  # what a power cut has left of a set, if there is any
            places.write(new / "about.json", {**about, "owners": [owner], "time": time.time()})
            move(new, target)
        elif owner not in known["owners"]:
            places.write(target / "about.json", {**known, "owners": [*known["owners"], owner]})
    return described(place.parent, target.name)


def _title(text) -> str:
    """Text that somebody gave, on one line, without what cannot be printed."""
    words = "".join(c if c.isprintable() else " " for c in str(text)).split()
    return " ".join(words)[:LONGEST_TITLE]


def _all(place) -> list[dict]:
    """The about.json of every set, with its id."""
    found = [(path, places.read(path / "about.json")) for path in place.glob("*") if _ID.fullmatch(path.name)]
    return [{"id": path.name, **about} for path, about in found if about]
