"""The files that somebody brought, by name: of a folder, a zip or tar, those that were sent, or one alone.

Names are those within the folder or archive, with "/" between folders; they decide the order and the classes, and none
of them reaches the file system but those that a walk through a folder has found there. No file stays open.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from edm.base.errors import Refused
from edm.data.brought import LeftOut, names


class Files:
    """names: of all visible files, sorted. place: what they are called together, in sentences.

    left_out: what is hidden. strange: what is there and no plain file, such as links that lead out of the folder.
    """

    def __init__(
        self, place: str, found: Iterable[str], left_out: Iterable[LeftOut] = (), strange: Iterable[LeftOut] = ()
    ):
        self.place, self.names = place, tuple(sorted(found))
        self.left_out, self.strange = tuple(left_out), tuple(strange)

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """One of them, unpacked, as a binary file that can seek. Raises Refused if it cannot be read."""
        raise NotImplementedError
        yield

    def size(self, name: str) -> int:
        """Its bytes, as it says."""
        raise NotImplementedError

    def path(self, name: str) -> Path | None:
        """Where it lies as a file of its own, so that it can be mapped into memory; None: it does not."""
        return None

    def contents(self, name: str, most: int) -> bytes:
        """Its bytes. Raises Refused for more than `most`."""
        with self.open(name) as file:
            data = file.read(most + 1)
        if len(data) > most:
            raise Refused(f"{self.told(name)} is larger than {most >> 20} MB, the limit for this file")
        return data

    def told(self, name: str) -> str:
        """It, in a sentence."""
        return f"{name!r:.200} in {self.place}"


class Folder(Files):
    """Those in a folder and in the folders within; `alone`: one file."""

    def __init__(self, root: Path, alone: str | None = None):
        self._root, self._alone = root, alone is not None
        found, hidden, strange = ([alone], [], []) if alone else walked(root)
        super().__init__(str(root / alone if alone else root), found, hidden, strange)

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        try:
            with open(self._root / name, "rb") as file:
                yield file
        except OSError as error:
            raise Refused(f"{self.told(name)} cannot be read ({error.strerror or error})") from None

    def size(self, name: str) -> int:
        return os.stat(self._root / name).st_size

    def path(self, name: str) -> Path | None:
        return self._root / name

    def told(self, name: str) -> str:
        return self.place if self._alone else super().told(name)


class Sent(Files):
    """Those that came one by one, as (name, binary file that can seek); they are left open."""

    def __init__(self, given: Sequence[tuple[str, IO[bytes]]]):
        self._given: dict[str, IO[bytes]] = {}
        hidden = []
        for name, file in given:
            name = names.checked(name, "what was sent")
            if reason := names.hidden(name):
                hidden.append(LeftOut(name, reason))
            elif name in self._given:
                raise Refused(f"{name!r:.80} is there twice; give the files different names")
            else:
                self._given[name] = file
        super().__init__("what was sent", list(self._given), hidden)

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        file = self._given[name]
        file.seek(0)
        yield file

    def size(self, name: str) -> int:
        return self._given[name].seek(0, 2)

    def told(self, name: str) -> str:
        return f"{name!r:.200}"


def walked(root: Path) -> tuple[list[str], list[LeftOut], list[LeftOut]]:
    """(names of the files in a folder, what is hidden, what is strange). Links may not leave it, nor stand for
    folders."""
    inside = os.path.join(os.path.realpath(root), "")
    found, hidden, strange, folders = [], [], [], [""]
    while folders:
        folder = folders.pop()
        with os.scandir(root / folder) as entries:
            for entry in entries:
                name = folder + entry.name
                if reason := names.hidden(name):
                    hidden.append(LeftOut(name + "/" * entry.is_dir(), reason))
                elif entry.is_dir(follow_symlinks=False):
                    folders.append(name + "/")
                elif not entry.is_file() or _leaves(entry, inside):
                    strange.append(LeftOut(name, "is no regular file, or links elsewhere; put a copy there"))
                else:
                    found.append(name)
    return found, hidden, strange


def _leaves(entry, inside) -> bool:
    return entry.is_symlink() and not os.path.realpath(entry.path).startswith(inside)
