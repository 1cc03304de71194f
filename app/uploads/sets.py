"""What visitors bring: images or points become datasets in RUNS/.data/<id>.

RUNS/.data/<id>/set.zip       squares of one size, as PNG in an uncompressed zip: what `folder` trains on
                points.npz    or points, of a table (points.npy: of a drawing): what `points` trains on
                about.json    what the page lists of it, and who brought it
                sheet.json    what the page shows of it

An id is a digest of what a set holds. `edm.data.bring` reads what comes; no name from outside reaches the file system,
nor one of a class. A set appears whole or not at all, and whoever is told of it can rely on it: it is on the disk.
"""

from __future__ import annotations

import re
import shutil
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.sentences.denials import UNLIMITED
from app.uploads import making, places
from app.uploads.making import AS_THEY_ARE, SIZES
from app.uploads.places import FOLDER
from edm import runs
from edm.base.atomic import move
from edm.base.errors import Refused
from edm.data import bring, points
from edm.data.brought import Limits
from edm.runs import places as files

LONGEST_TITLE = 60
SHEET = "sheet.json"
_ID = re.compile(r"[0-9a-f]{16}")
_FILES = ("set.zip", "points.npz", "points.npy")
CLASSROOM = Limits(files=20_000, unpacked=1 << 30, pixels=1 << 25, table_bytes=1 << 26, looked=-1)
_owning = threading.Lock()


@dataclass(frozen=True)
class Bounds:
    """limits: of what comes out of files. decoded: pixels of all images. folder: bytes of all sets together. sets: that
    one visitor may have."""

    limits: Limits = CLASSROOM
    decoded: int = 1 << 32
    folder: int = 4 << 30
    sets: int = 40

    @classmethod
    def endless(cls) -> Bounds:
        """For the owner of the machine."""
        return cls(Limits(looked=-1), 1 << 62, 1 << 62, 1 << 30)


def intake(
    given, folder, *, owner: str | None = None, resolution: int | str = 32, title: str = "", bounds=None,
    read: Callable = lambda decode: decode()[0], progress: Callable = lambda news: None, **options,
) -> dict:  # fmt: skip
    """Make a dataset of what somebody brought, and describe it: as `described`, with its sheet. The same content is the
    same set.

    given: a list, of points [x, y], or of files as tuples (name, binary file). folder: of all runs. owner: any text.
    resolution: one of SIZES, of the images' central squares, or "as they are". read: is given each piece of the work, a
    function that returns (value, pixels), and returns the value; what it raises ends the work. progress: is told
    {done, total} of the images. options: columns, labels, leave_out of `edm.data.bring`.
    Raises Refused with a sentence for anything that cannot be taken; then nothing is left of it.
    """
    bounds = bounds or Bounds()
    if resolution != AS_THEY_ARE and (type(resolution) is not int or resolution not in SIZES):
        raise Refused(f"resolution = {resolution!r:.40}: must be one of {making.CHOSEN}, or {AS_THEY_ARE!r}")
    place = Path(folder).absolute() / FOLDER
    if not isinstance(given, list):
        raise Refused("bring points as a list, or files")
    if sum(owner in one["owners"] for one in _all(place)) >= bounds.sets:
        raise Refused(f"you have {bounds.sets} datasets already; remove one first")
    with places.unfinished(place) as new:
        about, seen = _become(given, new, resolution, bounds, read, progress, options)
        about["title"] = _title(title) or about["title"]
        return {**_settled(new, place, about, seen, owner, bounds), "sheet": seen}


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
    about = files.read(path.parent / "about.json")
    if not about:  # removed meanwhile
        raise Refused(f"there is no dataset {path.parent.name!r:.40}; upload it again")
    return about


def sheet(folder, identity: str) -> dict:
    """What a set holds, as it was seen when it was made. Raises Refused if there is no set of that id, or it was made
    before there were sheets."""
    found = files.read(path_of(folder, identity).parent / SHEET)
    if not found:
        raise Refused("what this dataset holds was not written down when it was uploaded; upload it again to see it")
    return found


def listed(folder, owner: str | None = None) -> list[dict]:
    """All datasets, the newest first; with `owner`, those that one visitor has brought."""
    found = [one for one in _all(Path(folder) / FOLDER) if owner is None or owner in one["owners"]]
    return [described(folder, one["id"]) for one in sorted(found, key=lambda one: -one["time"])]


def path_of(folder, identity) -> Path:
    """The file of the dataset of that id. Raises Refused if there is none, or it is no id."""
    if isinstance(identity, str) and _ID.fullmatch(identity):
        place = Path(folder).absolute() / FOLDER / identity
        for name in _FILES:
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
            files.write(path.parent / "about.json", {**about, "owners": others})
            return
        for run in runs.all_runs(folder):
            data = files.read(run.folder / "config.json").get("data")
            if isinstance(data, dict) and data.get("path") == str(path):
                raise Refused(f"the run {run.name!r} is of the dataset {about['title']!r}; delete the run first")
        gone = path.parent.with_name(f".gone-{uuid.uuid4().hex}")
        path.parent.rename(gone)  # at once, so that nobody sees half of it
    shutil.rmtree(gone)


def _become(given, new, resolution, bounds, read, progress, options) -> tuple[dict, dict]:
    """(what is known of the set that is made of it, its sheet)."""
    if not (given and isinstance(given[0], tuple)):
        return making.drawing(points.checked(given, "the drawing"), new / "points.npy")
    brought = bring(given, limits=bounds.limits, work=read, **options)
    words = _title(Path(given[0][0]).name.partition(".")[0]) if len(given) == 1 else ""
    if brought.kind == "points":
        about, seen = making.points(brought, new / "points.npz")
        return {"title": words or "Points", **about}, seen
    most, leave_out = bounds.decoded, options.get("leave_out", False)
    about, seen = making.pictures(brought, new / "set.zip", resolution, leave_out, most, read, progress)
    return {"title": words or "Images", **about}, seen


def _settled(new, place, about, seen, owner, bounds) -> dict:
    """Give a set that is whole its place, or the one that is there another owner. What is seen of it is that of who
    brought it last."""
    target = place / about.pop("id")
    with _owning:
        known = files.read(target / "about.json")
        if not known:
            used = runs.disk_use(place)
            if used > bounds.folder:
                raise Refused(
                    f"the uploads of this server take {used / 1e9:.1f} GB, and may take {bounds.folder / 1e9:.1f} GB; "
                    f"remove some that nobody needs, or train on it {UNLIMITED}"
                )
            files.write(new / SHEET, seen)
            shutil.rmtree(target, ignore_errors=True)  # what a power cut has left of a set, if there is any
            files.write(new / "about.json", {**about, "owners": [owner], "time": time.time()})
            move(new, target)
        elif owner not in known["owners"]:
            files.write(target / "about.json", {**known, "owners": [*known["owners"], owner]})
    return described(place.parent, target.name)


def _title(text) -> str:
    """Text that somebody gave, on one line, without what cannot be printed."""
    words = "".join(c if c.isprintable() else " " for c in str(text)).split()
    return " ".join(words)[:LONGEST_TITLE]


def _all(place) -> list[dict]:
    """The about.json of every set, with its id."""
    found = [(path, files.read(path / "about.json")) for path in place.glob("*") if _ID.fullmatch(path.name)]
    return [{"id": path.name, **about} for path, about in found if about]
