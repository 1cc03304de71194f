"""What somebody brought becomes a set, squares of one size in a zip or points; and a sheet that shows what it holds."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from app.uploads import pictured
from edm.base.atomic import atomic
from edm.base.errors import Refused
from edm.data.brought import Brought, Choice, LeftOut, NotTaken, told
from edm.data.brought.names import hidden
from edm.data.points import digest as digest_of

AS_THEY_ARE = "as they are"
SIZES = (16, 28, 32, 64)
SIDES = (4, 64)  # of pictures that are taken as they are
CHOSEN = ", ".join(map(str, SIZES))
EQUAL = "These pictures are all equal, so that there is nothing to learn: a run of them needs a sigma_data"
FIRST, LONGEST = 10, 200  # of what was left out: how many are told, and letters of each
MOST_COUNTED = 200  # classes
_OPTION = re.compile(r"(; others can be named)? \(--[a-z-]+\)")


def side_of(brought: Brought, resolution: int | str) -> int:
    """The side of the squares that pictures become. Raises Refused for what is not square, of one size and small, and
    is to stay as it is."""
    if resolution != AS_THEY_ARE:
        return int(resolution)
    _, height, width = brought.shape
    low, high = SIDES
    if height == width and low <= height <= high:
        return height
    sizes = f"{width}×{height}" if height and width else "not all of one size"
    raise NotTaken(
        f"these pictures are {sizes}: those that stay as they are must be square, of one size from {low} to {high}; "
        f"choose a picture size, {CHOSEN}, to which the middle of each is brought",
        choices=[Choice("resolution", str(size), f"{size} × {size}") for size in SIZES],
    )


def pictures(
    brought: Brought, place: Path, resolution: int | str, leave_out: bool, most: int, read: Callable, progress: Callable
) -> tuple[dict, dict]:
    """Write the pictures as a zip that the one reader reads. Returns (what is known of the set, its sheet).

    most: pixels that are decoded of all. read(work), where work() -> (value, pixels), gives the value when it is its
    turn. progress(done, total). Raises Refused for pictures that are broken, unless they are to be left out, and for
    one alone.
    """
    side = side_of(brought, resolution)
    source = brought.source(side, resolution != AS_THEY_ARE, 3)
    numbers = None if source.labels is None else np.asarray(source.labels)
    held = set(np.asarray(getattr(source, "held", ())).tolist())
    digest, decoded, broken, items = hashlib.sha256(f"{side}".encode()), 0, [], []
    grey, first, equal, shown = True, None, True, pictured.Contact(numbers, brought.class_names, source.size)
    with atomic(place) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for number in range(source.size):
            found, area = read(lambda number=number: _decoded(source, number))
            progress({"done": number + 1, "total": source.size})
            decoded += area
            if decoded > most:
                raise Refused("these images have too many pixels in all; shrink them before the upload")
            if isinstance(found, LeftOut):
                broken.append(found)
                continue
            label = None if numbers is None else int(numbers[number])
            name = f"{'val/' if number in held else 'train/' if held else ''}{len(items):06}.png"
            archive.writestr(zipfile.ZipInfo(name), _png(found))
            digest.update(f"{label} {number in held}".encode() + found.tobytes())
            items.append([name, label])
            grey = grey and bool((found == found[:1]).all())
            first = found if first is None else first
            equal = equal and bool((found == first).all())
            shown.add(number, found)
        _check(items, broken, "what was brought", leave_out)
        if numbers is not None:
            document = {"labels": items, "class_names": list(brought.class_names)}
            archive.writestr(zipfile.ZipInfo("dataset.json"), json.dumps(document, ensure_ascii=False))
            digest.update(json.dumps(brought.class_names).encode())
    left_out = (*brought.left_out, *broken)
    counts = Counter(label for _, label in items if label is not None)
    about = {
        "id": digest.hexdigest()[:16],
        "dataset": "folder",
        "count": len(items),
        "shape": [1 if grey else 3, side, side],
        "classes": brought.classes,
        "class_names": list(brought.class_names),
        "greyscale": grey,
        "thumbnail": pictured.packed(first[: 1 if grey else 3]),
    }
    seen = {**_sheet(brought, left_out, counts), "pictures": shown.document(grey)}
    seen["notes"] += [EQUAL] if equal else []
    return about, seen


def points(brought: Brought, place: Path) -> tuple[dict, dict]:
    """The same of points: a .npz that the one reader reads."""
    table = brought.table
    if table.labels is None and not table.units.scaled and all(map(str.isdecimal, table.columns)):
        about, seen = drawing(table.numbers, place.with_suffix(".npy"))  # like one that was drawn
        about.pop("title")
        return about, {**_sheet(brought, brought.left_out, {}), "points": seen["points"]}
    _check_points(table.points)
    with atomic(place) as file:
        table.write(file)
    counts = Counter(() if table.labels is None else table.labels.tolist())
    about = {
        "id": _digest(table.numbers, table.labels, table.class_names, table.columns),
        "dataset": "points",
        "count": len(table.points),
        "shape": list(table.points.shape[1:]),
        "classes": len(table.class_names),
        "class_names": list(table.class_names),
        "greyscale": False,
        "thumbnail": pictured.thumbnail(table.points),
    }
    names = ["" if name.isdecimal() else name for name in table.columns]
    scatter = pictured.scatter(table.numbers, table.labels) | {"names": names}
    return about, {**_sheet(brought, brought.left_out, counts), "points": scatter}


def drawing(known: np.ndarray, place: Path) -> tuple[dict, dict]:
    """The same of points that were drawn: they are taken as they are."""
    _check_points(known)
    with atomic(place) as file:
        np.save(file, known)
    about = {
        "id": digest_of(known),
        "dataset": "points",
        "title": "Drawing",
        "count": len(known),
        "shape": list(known.shape[1:]),
        "classes": 0,
        "class_names": [],
        "greyscale": False,
        "thumbnail": pictured.thumbnail(known),
    }
    told = {"left_out": [], "omitted": 0, "hidden": 0, "notes": [], "offers": [], "counts": [], "held_out": 0}
    return about, {**told, "points": pictured.scatter(known, None) | {"names": []}}


def _check_points(known):
    if not (known != known[:1]).any():
        what = "one point is" if len(known) == 1 else f"these {len(known):,} points are all equal, which is"
        raise Refused(f"{what} nothing to learn from; bring different ones")


def _digest(*parts) -> str:
    digest = hashlib.sha256()
    for part in parts:
        data = np.asarray([] if part is None else part)
        digest.update(f"{data.dtype.kind} {data.shape}".encode())
        digest.update(data.tobytes() if data.dtype.kind in "fiu" else json.dumps(data.tolist()).encode())
    return digest.hexdigest()[:16]


def _sheet(brought, left_out, counts) -> dict:
    """What a sheet says of a set beside what it shows."""
    missed = [one for one in left_out if not hidden(one.name)]
    return {
        "left_out": [{"name": one.name[:LONGEST], "reason": one.reason[:LONGEST]} for one in missed[:FIRST]],
        "omitted": len(missed),
        "hidden": len(left_out) - len(missed),
        "notes": [sentence(note) for note in brought.notes],
        "offers": offered(brought.choices),
        "counts": [counts[label] for label in range(min(brought.classes, MOST_COUNTED))],
        "held_out": brought.held_out,
    }


def sentence(text: str) -> str:
    """A sentence of the library on the page, where no option is given: its choices are buttons."""
    text = _OPTION.sub("", text)
    return text[:1].upper() + text[1:]


def offered(choices: Iterable[Choice]) -> list[dict]:
    """Choices for the page, as `app.messages.uploads.Offer`."""

    def given(value):
        return ["1"] if value is True else [str(one) for one in value] if isinstance(value, list | tuple) else [value]

    return [{"name": one.name, "given": given(one.value), "text": sentence(one.title)} for one in choices]


def _decoded(source, number):
    """((one picture, uint8 [3, side, side], or why it is left out, pixels), pixels that were decoded)."""
    try:
        square = getattr(source, "square", None)  # of files, quicker
        found = square(number) if square else _read(source, number)
        return found, found[1]
    except Refused as error:
        name = source.names[number] if source.names else f"picture {number + 1}"
        return (LeftOut(name, getattr(error, "reason", str(error))), 0), 0


def _read(source, number):
    return source.read(np.array([number]))[0][0].numpy(), int(np.prod(source.shape[1:]))


def _check(items, broken, place, leave_out):
    if broken and not leave_out:
        if len(items) > 1:
            raise told.broken(broken, place, len(items) + len(broken))
        raise Refused(f"none of these pictures can be read: {broken[0].name!r:.80} {broken[0].reason}")
    if len(items) < 2:
        raise Refused("one picture is nothing to learn from; bring at least two, best some hundreds")


def _png(square) -> bytes:
    file = io.BytesIO()
    Image.fromarray(square.transpose(1, 2, 0)).save(file, "PNG", compress_level=1)
    return file.getvalue()
