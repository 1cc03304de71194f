"""Classes that a file tells: `dataset.json`, as StyleGAN and EDM write it."""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from edm.base import documents
from edm.base.errors import Refused

if TYPE_CHECKING:
    from edm.data.brought.files import Files

FILE = "dataset.json"
MAX_BYTES = 2**26
MAX_CLASSES = 65_536


def listed(files: Files, names: Sequence[str]) -> list[int] | None:
    """The label of each name from `dataset.json`, {"labels": [["a/b.png", 3], …]}, or None where that says null."""
    place = files.told(FILE)
    document = documents.from_json(files.contents(FILE, MAX_BYTES), place, MAX_BYTES)
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
