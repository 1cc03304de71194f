"""The names of a classroom: each is a student's or the teacher's, and may open with a word of its own."""

from __future__ import annotations

import logging
import os
import re
import secrets
import threading
import unicodedata
from pathlib import Path

from app.visitors.passwords import hashed, same
from edm.runs import places

NAMES_FILE = ".classroom.json"  # in the runs folder
MOST_NAMES = 2000
LONGEST_NAME = 40
_NAME = re.compile(r"[^\W_](?:[\w .'-]*[\w.])?")


def key_of(name: str) -> str | None:
    """A name without what makes no difference to a reader; None if it cannot be one."""
    key = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
    return key if len(key) <= LONGEST_NAME and _NAME.fullmatch(key) else None


class Names:
    """Thread-safe. What is kept lies in the runs folder; who is in now is known here only."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._roles: dict[str, bool] = {}  # key -> is it the teacher's?
        self._lock = threading.Lock()  # of the file and of _roles

    def is_teacher(self, name: str | None) -> bool | None:
        """Whether a name that is in is the teacher's; None for one that is not in."""
        return self._roles.get(key_of(name)) if name else None

    def enter(self, name: str, teacher: bool) -> bool:
        """Whether the name is free for one of them, who then is in."""
        key = key_of(name)
        with self._lock:
            full = len(self._roles) >= MOST_NAMES and not teacher and key not in self._roles
            if full or self._roles.setdefault(key, teacher) != teacher:
                logging.getLogger(__name__).warning("a log-in was refused: the name %r is taken", name)
                return False
        return True

    def opens(self, name: str, word: str) -> bool:
        """Whether a student's name opens with this word, or has not been used before. Takes a moment."""
        key = key_of(name)
        if self._roles.get(key):  # the teacher's
            return False
        kept = places.read(self._folder / NAMES_FILE).get(key)
        if kept is None:
            new = hashed(word, secrets.token_hex(8)) if word else ""
            with self._lock:
                known = places.read(self._folder / NAMES_FILE)
                if key not in known and len(known) >= MOST_NAMES:
                    return False
                if key not in known:
                    self._folder.mkdir(parents=True, exist_ok=True)
                    places.write(self._folder / NAMES_FILE, known | {key: new}, durable=False)
                    os.chmod(self._folder / NAMES_FILE, 0o600)
                kept = known.get(key, new)
        salt = kept.partition(":")[0]
        return same(hashed(word, salt) if kept and word else word, kept)
