"""Classes that a file tells: `dataset.json`, as StyleGAN and EDM write it, or Hugging Face's `metadata.csv`."""

from __future__ import annotations

import csv
import io
import json
import reprlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edm.base import documents
from edm.base.errors import Refused, shown
from edm.data import classes
from edm.data.brought.names import checked, composed, folder_of
from edm.data.brought.told import listed

if TYPE_CHECKING:
    from edm.data.brought.files import Files

FILE = "dataset.json"
TABLES = ("metadata.csv", "metadata.jsonl")
MAX_BYTES = 2**26
MAX_CLASSES, MAX_LETTERS = 65_536, 1 << 20
_COLUMNS = ("label", "labels", "class", "classes", "category", "class_name", "class_label", "label_name", "target")
_FILE_COLUMNS = ("file_name", "filename", "file", "image", "path")


@dataclass
class Told:
    """numbers: the class of each image by its name, None: there are none. class_names may be () though there are
    classes. left_out: images of which nothing is told, with the reason. files: which have told it. final: whether
    what they say counts though it is that there are no classes."""

    numbers: dict[str, int] | None
    classes: int = 0
    class_names: tuple[str, ...] = ()
    left_out: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    files: tuple[str, ...] = ()
    final: bool = False


def told(files: Files, names: Sequence[str]) -> Told | None:
    """What files among the images say of their classes; None where there is none that does."""
    return _dataset(files, names) or _tables(files, names)


def numbered(labels: dict[str, str], place: str) -> tuple[tuple[str, ...], dict[str, int]]:
    """(class names in their order, number of the class of each) of labels that are names."""
    class_names = classes.ordered(labels.values(), place)
    if len(class_names) > MAX_CLASSES or sum(map(len, class_names)) > MAX_LETTERS:
        allowed = f"at most {MAX_CLASSES} classes are read, whose names have {MAX_LETTERS:,} letters in all"
        raise Refused(f"{place} has {len(class_names)} classes; {allowed}")
    numbers = {name: number for number, name in enumerate(class_names)}
    return class_names, {name: numbers[label] for name, label in labels.items()}


def _among(files: Files, wanted: Iterable[str], names: Sequence[str]) -> list[str]:
    """Those files of these names, in any case, that lie above all images together: the nearest to the root."""
    found = [name for name in files.names if name.rpartition("/")[2].casefold() in wanted]
    folders = {folder_of(name) for name in names}
    for depth in sorted({name.count("/") for name in found}):
        level = [name for name in found if name.count("/") == depth]
        above = [folder_of(name) for name in level]
        if all(any(not one or folder == one or folder.startswith(one + "/") for one in above) for folder in folders):
            return level
    return []


def _dataset(files, names) -> Told | None:
    found = _among(files, (FILE,), names)
    if not found:
        return None
    labels: dict[str, int] = {}
    class_names: tuple[str, ...] = ()
    empty = 0
    for name in found:
        folder = folder_of(name)
        inside = {one for one in names if not folder or one.startswith(folder + "/")}
        its, called = _listed(files, name, inside)
        class_names, empty = called or class_names, empty + (its is None)
        labels |= its or {}
    if empty:
        if labels:
            raise Refused(f"{files.told(found[0])} and others do not agree whether there are classes; write all anew")
        return Told(None, files=tuple(found), final=True)
    count = max(max(labels.values()) + 1, len(class_names))
    if class_names and len(class_names) < count:
        raise Refused(f"{files.told(found[0])} names {len(class_names)} classes, but has the label {count - 1}")
    return Told(labels, count, class_names, files=tuple(found), final=True)


def _listed(files, name, names) -> tuple[dict[str, int] | None, tuple[str, ...]]:
    """(the label of each image below a `dataset.json`, {"labels": [["a/b.png", 3], …]}, or None where that says null;
    names of the classes, where it has them)."""
    place, folder = files.told(name), folder_of(name)
    document = documents.from_json(files.contents(name, MAX_BYTES), place, MAX_BYTES)
    items = document.get("labels", 0) if isinstance(document, dict) else 0
    if items is None:
        return None, ()
    if isinstance(items, dict):
        items = [list(item) for item in items.items()]
    if not isinstance(items, list):
        raise Refused(f'{place} must read {{"labels": [["path/in/set.png", 3], …]}} or {{"labels": null}}')
    known = {composed(one): one for one in names}
    labels: dict[str, Any] = {}
    for item in items:
        if not isinstance(item, list) or len(item) != 2 or not isinstance(item[0], str):
            raise Refused(f'{place} has the item {reprlib.repr(item)}; each must be ["path/in/set.png", label]')
        path = item[0].replace("\\", "/").removeprefix("./")
        inner = f"{folder}/{path}" if folder else path
        if item[1] is not None and (type(item[1]) is not int or not 0 <= item[1] < MAX_CLASSES):
            allowed = f"labels are whole numbers from 0 to {MAX_CLASSES - 1}"
            raise Refused(f"{place} gives {path!r:.200} the label {reprlib.repr(item[1])}; {allowed}")
        inner = known.get(composed(inner), inner)
        if inner in labels:
            raise Refused(f"{place} lists {path!r:.200} twice")
        labels[inner] = item[1]
    if missing := names - labels.keys():
        raise Refused(f"{place} has no label for {min(missing)!r} ({len(missing)} of {len(names)} images)")
    if unknown := labels.keys() - names:
        told = min(unknown).removeprefix(f"{folder}/") if folder else min(unknown)
        raise Refused(f"{place} names {told!r:.200}, which is not an image of the set")
    if all(label is None for label in labels.values()):
        return None, ()
    if without := [one for one, label in labels.items() if label is None]:
        raise Refused(f"{place} gives {min(without)!r:.200} the label None ({len(without)} images), others a number")
    return labels, _called(document.get("class_names"), place)


def _called(found, place) -> tuple[str, ...]:
    """The names of classes that a `dataset.json` may have."""
    if found is None:
        return ()
    if not isinstance(found, list) or not all(isinstance(one, str) and one.strip() for one in found):
        raise Refused(f'{place} has "class_names" that are no list of names, one for each class')
    names = tuple(map(composed, found))
    if len(set(names)) < len(names) or len(names) > MAX_CLASSES or sum(map(len, names)) > MAX_LETTERS:
        raise Refused(f'{place} has the same name twice in "class_names", or too many')
    return names


def _tables(files, names) -> Told | None:
    found = _among(files, TABLES, names)
    if not found:
        return None
    known = {composed(name): name for name in names}
    labels: dict[str, str] = {}
    left_out, absent, columns = dict.fromkeys(names, f"is not in {found[0].rpartition('/')[2]}"), [], []
    for table in found:
        folder, rows = folder_of(table), _rows(files, table)
        heads = [head for row in rows[:100] for head in row]
        file, label = _head(heads, _FILE_COLUMNS), _head(heads, _COLUMNS)
        if file is None or label is None:
            columns.append(f"{shown(table)} tells no classes: it has no column {_COLUMNS[0]!r} beside 'file_name'")
            continue
        for row in rows:
            path = checked(str(row.get(file) or ""), files.told(table))
            name = known.get(composed(f"{folder}/{path}" if folder else path))
            value = row.get(label)
            if name is None:
                absent.append(path)
            elif value is None or isinstance(value, list | dict) or not str(value).strip():
                left_out[name] = f"has no label in {table.rpartition('/')[2]}"
            else:
                labels[name] = composed(str(value).strip())
                left_out.pop(name, None)
    if not labels:
        return Told(None, notes=columns, files=tuple(found)) if columns else None
    class_names, numbers = numbered(labels, files.told(found[0]))
    notes = [*columns, f"the classes are those of {listed(found, 3)}"]
    if absent:
        notes.append(f"{found[0].rpartition('/')[2]} names images that are not there: {listed(absent, 3)}")
    return Told(numbers, len(class_names), class_names, left_out, notes, tuple(found))


def _rows(files, name) -> list[dict[str, Any]]:
    place = files.told(name)
    text = documents.text_of(files.contents(name, MAX_BYTES), place)
    if name.lower().endswith(".csv"):
        lines = [line for line in text.splitlines() if line.strip()]
        separator = max(",;\t", key=lines[0].count) if lines else ","
        try:
            return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=separator))
        except csv.Error as error:
            raise Refused(f"{place} cannot be read as a table ({error}); write it anew") from None
    try:
        rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        line = '{"file_name": "1.png", "label": 3}'
        raise Refused(f"{place} must have a line for each image, such as {line}") from None
    return [row for row in rows if isinstance(row, dict)]


def _head(heads, wanted) -> str | None:
    """The first of the wanted columns that is there, as it is written."""
    found = {str(head).strip().casefold(): head for head in heads if head is not None}
    return next((found[name] for name in wanted if name in found), None)
