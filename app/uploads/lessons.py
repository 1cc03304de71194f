"""Lessons that were shared here, RUNS/.lessons/<key>.json, each under a short key that goes into a link.

A key is a digest of the lesson: the same lesson has the same address, before and after a restart. No name from outside
reaches the file system but what looks like a key.
"""

from __future__ import annotations

import base64
import hashlib
import re
import threading
import time
from pathlib import Path

from edm import lessons
from edm.base.atomic import make
from edm.base.errors import Refused, shown
from edm.runs import places

FOLDER, BEGIN = ".lessons", "s-"
MOST, MOST_EACH = 1000, 200  # lessons of all, and of one who shares
_KEY = re.compile(rf"{BEGIN}[a-z2-7]{{8}}")
_adding = threading.Lock()


class Shelf:
    """Thread-safe. folder: of all runs."""

    def __init__(self, folder: Path):
        self._place = Path(folder) / FOLDER

    def find(self, name: str) -> lessons.Lesson:
        """A lesson by what stands in a link: one that ships, that is shared here, or that the link itself holds.
        Raises Refused."""
        if not name.startswith(BEGIN):
            return lessons.find(name)
        kept = places.read(self._file(name)) if _KEY.fullmatch(name) else {}
        if not kept:
            raise Refused(f"no lesson is shared here under {shown(name)}; ask for its full link")
        return lessons.parse(kept.get("lesson"))

    def put(self, lesson: lessons.Lesson, owner: str | None) -> str:
        """Its key, once it is on the disk. owner: who shares it. Raises Refused where there are too many."""
        word = lessons.packed(lesson)
        key = BEGIN + base64.b32encode(hashlib.sha256(word.encode()).digest()).decode().lower()[:8]
        document = lesson.document()
        with _adding:
            kept = places.read(self._file(key))
            if kept and kept.get("lesson") != document:  # one of 10¹² others: whoever shares it changes a letter
                raise Refused("another lesson has this short address; change a word of yours, and share it again")
            if not kept:
                self._check_room(owner)
                make(self._place)
                places.write(self._file(key), {"owner": owner, "time": time.time(), "lesson": document})
        return key

    def _check_room(self, owner):
        there = [path for path in self._place.glob("*.json") if _KEY.fullmatch(path.stem)]
        theirs = sum(places.read(path).get("owner") == owner for path in there)
        if len(there) >= MOST or theirs >= MOST_EACH:
            number, whose = (MOST, "this server keeps") if len(there) >= MOST else (MOST_EACH, "of one person it keeps")
            raise Refused(
                f"{whose} {number} shared lessons, the most there can be; give the full link, or remove files from "
                f"{FOLDER} in the folder of its runs"
            )

    def _file(self, key):
        return self._place / f"{key}.json"
