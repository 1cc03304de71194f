"""Classes: the order of their names, and which one a label means.

A model counts its classes from 0, in the order of their names. People give names: the number 2 is the class named
"2" wherever classes have numbers for names, and a class's place only where none has.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from edm.base.errors import Refused

_EXACT = 15  # digits of a whole number that every reader of JSON keeps


def ordered(names: Iterable[str], place: str) -> tuple[str, ...]:
    """The names, each once: by number where all are whole numbers, else by their letters.

    Raises ValueError, which names `place`, for two that are the same number ("1" and "01").
    """
    names = sorted(set(names))
    if not all(map(_is_number, names)):
        return tuple(names)
    known: dict[str, str] = {}
    for name in names:
        other = known.setdefault(_digits(name), name)
        if other != name:
            raise Refused(f"{place}: the classes {other!r:.60} and {name!r:.60} are one number; rename one of them")
    return tuple(known[digits] for digits in sorted(known, key=lambda digits: (len(digits), digits)))


def find(label: int | str, names: Sequence[str]) -> int | None:
    """The number of the class that `label` means among all `names`, in their order; None if there is none.

    In turn: the name itself, a name that is the same number, the name in other capitals, and where no name is a whole
    number, the place of a class, from 0.
    """
    text, names = str(label), tuple(names)
    if text in names:
        return names.index(text)
    if _is_number(text):
        alike = [k for k, name in enumerate(names) if _is_number(name) and _digits(name) == _digits(text)]
        if any(map(_is_number, names)) or len(text) > _EXACT:
            return alike[0] if len(alike) == 1 else None
        return int(text) if int(text) < len(names) else None
    alike = [k for k, name in enumerate(names) if name.casefold() == text.casefold()]
    return alike[0] if len(alike) == 1 else None


def written(name: str) -> int | str:
    """A class's name as settings hold it: a number where it is written like one."""
    return int(name) if _is_number(name) and len(name) <= _EXACT and name == _digits(name) else name


def turns(classes: Sequence[int], count: int, first: int = 0) -> list[int]:
    """The labels of `count` samples from the one of number `first` on: the numbers of `classes` by turns."""
    return [classes[k % len(classes)] for k in range(first, first + count)]


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdecimal()


def _digits(name: str) -> str:
    return name.lstrip("0") or "0"
