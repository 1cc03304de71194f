"""Files on their way: a parcel comes in pieces, lies on the disk for a while, and can be read again with other choices.

RUNS/.data/.parcel-<id>/one       the file of a parcel that is one file, as it came
                        many.zip  or all files of several, uncompressed, under the names that they came with

Each visitor has one parcel, the last; what nobody has touched for an hour is swept away with all that is unfinished
beside the sets (`app.uploads.places`). No name from outside reaches the file system.
"""

from __future__ import annotations

import os
import shutil
import threading
import uuid
import zipfile
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from cachetools import LRUCache

from app.sentences.denials import Denied
from app.uploads import places
from edm.base.errors import Refused

MOST_KEPT = 1000  # parcels, of the visitors who came last
MOST_FILES = 2_000_000
PIECE = 1 << 20
_DAY = (1980, 1, 1, 0, 0, 0)
_GONE = "these files are not on the server any more; choose them again"


class Parcel:
    """Files of one visitor. count: how many there are to be. title: what they are called together. size: bytes so far.
    whole: no more come."""

    def __init__(self, folder: Path, count: int, title: str):
        self.identity, self.count, self.title, self.size, self.whole = uuid.uuid4().hex, count, title, 0, False
        self.place = folder / f".parcel-{self.identity}"
        self._names: set[str] = set()
        self._file: IO[bytes] | None = None  # of several, into which the last one that came is written
        self._archive: zipfile.ZipFile | None = None
        self.place.mkdir()

    def add(self, name: str, file: IO[bytes], more: bool = False) -> None:
        """A file, or with `more` the next piece of the last one. Raises Refused for what is not as was agreed."""
        if self.whole or (more and not self._names):
            raise Refused("this upload is not as it was announced; choose the files again")
        if not more:
            self._begin(name)
        self.size += file.seek(0, 2)
        file.seek(0)
        if self.count == 1:
            with open(self.place / "one", "ab") as whole:
                shutil.copyfileobj(file, whole, PIECE)
        else:
            shutil.copyfileobj(file, self._file, PIECE)
        os.utime(self.place)

    def finish(self) -> None:
        """All of them are there."""
        if not self.whole and len(self._names) != self.count:
            raise Refused(f"{len(self._names):,} of {self.count:,} files have come; send them again")
        self._close()
        self.whole = True

    @contextmanager
    def given(self) -> Iterator[list[tuple[str, IO[bytes]]]]:
        """What `edm.data.bring` reads."""
        name = "one" if self.count == 1 else "many.zip"
        told = next(iter(self._names)) if self.count == 1 else f"{self.title or 'files'}.zip"
        os.utime(self.place)
        with open(self.place / name, "rb") as file:
            yield [(told, file)]

    def drop(self) -> None:
        self.whole = True
        self._close()
        shutil.rmtree(self.place, ignore_errors=True)

    def _begin(self, name):
        if name in self._names:
            raise Refused(f"{name!r:.80} is there twice; give the files different names")
        if len(self._names) >= self.count:
            raise Refused(f"more files have come than the {self.count:,} that were announced; choose them again")
        if self._file is not None:
            self._file.close()
        self._names.add(name)
        if self.count == 1:
            return
        if self._archive is None:
            self._archive = zipfile.ZipFile(self.place / "many.zip", "w", zipfile.ZIP_STORED)
        self._file = self._archive.open(zipfile.ZipInfo(name, _DAY), "w", force_zip64=True)

    def _close(self):
        for one in (self._file, self._archive):
            if one is not None:
                one.close()
        self._file = self._archive = None


class Parcels:
    """All parcels: of each visitor the last one. Thread-safe; a parcel is its visitor's alone."""

    def __init__(self, folder):
        self._folder, self._lock = Path(folder) / places.FOLDER, threading.Lock()
        self._known: LRUCache = LRUCache(MOST_KEPT)

    def begin(self, key: Hashable, count: int, title: str = "") -> Parcel:
        """A parcel of so many files, in the place of the visitor's last one."""
        if not 1 <= count <= MOST_FILES:
            raise Refused(f"{count:,} files: at most {MOST_FILES:,} can be brought at once; bring fewer")
        places.swept(self._folder)
        made = Parcel(self._folder, count, title)
        with self._lock:
            before = self._known.pop(key, None)
            self._known[key] = made
        if before is not None:
            before.drop()
        return made

    def find(self, key: Hashable, identity: str) -> Parcel:
        """Raises Denied if there is none of that name, or it is not the visitor's."""
        with self._lock:
            found = self._known.get(key)
        if found is None or found.identity != identity or not found.place.is_dir():
            raise Denied(404, _GONE)
        return found

    def drop(self, key: Hashable, identity: str) -> None:
        """Forget a visitor's parcel, if it is there still."""
        with self._lock:
            found = self._known.get(key)
            if found is None or found.identity != identity:
                return
            del self._known[key]
        found.drop()
