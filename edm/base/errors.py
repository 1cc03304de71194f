"""A mistake of whoever asks, told apart from a mistake of this program, and how both become a sentence."""

from __future__ import annotations

import errno
import reprlib
from collections.abc import Iterator
from contextlib import contextmanager

LONGEST = 800  # letters of a sentence
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.ENAMETOOLONG, errno.ELOOP, errno.EIO, errno.ESTALE)
_FILE = (FileNotFoundError, PermissionError, FileExistsError, IsADirectoryError, NotADirectoryError)


class Refused(ValueError):
    """What was asked for cannot be. The message is a sentence that names the value and the remedy, for people.

    Only this is shown as somebody's mistake, on the page and on the command line; any other error is a defect. The
    sentence is one line of letters that can be printed, and not longer than anybody reads.
    """

    def __init__(self, sentence: object = "", *more: object):
        super().__init__(one_line(sentence), *more)

    def __str__(self):
        return self.args[0]


@contextmanager
def during(what: str) -> Iterator[None]:
    """An error that leaves this context bears a note of what was under way (`__notes__`)."""
    try:
        yield
    except Exception as error:
        error.add_note(what)
        raise


def one_line(text: object, most: int = LONGEST) -> str:
    """Text on one line, without letters that cannot be printed, cut at the end."""
    letters = (c if c.isprintable() else " " if c.isspace() else "�" for c in str(text)[: 4 * most])
    text = " ".join("".join(letters).split())
    return text if len(text) <= most else text[: most - 1] + "…"


class _Short(reprlib.Repr):
    """Like repr, and as quick for a list of a million numbers as for one of six."""

    def __init__(self):
        super().__init__()
        self.maxlevel, self.maxdict, self.maxother = 3, 4, 200
        self.maxstring = self.maxlong = 200

    def repr_int(self, x, level):
        return f"a number of some {x.bit_length() * 3 // 10} digits" if x.bit_length() > 200 else repr(x)

    def repr_bytes(self, x, level):
        return repr(x[:200])


_short = _Short()


def shown(value: object, most: int = 60) -> str:
    """A value as Python writes it, for a sentence: at most so many letters, whatever it is."""
    text = _short.repr(value)
    return text if len(text) <= most else text[: most - 1] + "…"


def sentence_of(error: BaseException) -> str | None:
    """What to tell whoever asked; None for a mistake of this program, which belongs into a log with its traceback.

    Files that are not there or may not be read, and disks that are full, are theirs too.
    """
    if isinstance(error, Refused):
        return str(error)
    if isinstance(error, _FILE) or (isinstance(error, OSError) and error.errno in _DISK):
        return one_line(f"{error.filename}: {error.strerror}" if error.filename and error.strerror else error)
    return None
