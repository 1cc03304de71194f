"""Other names that people have for a choice: read as the entry's own name, with the knobs that go with them.

They stand on the entries of the registries (`aliases`). Case, hyphens and blanks do not matter, nor does ++ for pp:
"DPM++ 2M" is dpmpp_2m.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import NamedTuple

from edm.base.choices import Alias, Choices

NEAR, ALIKE = 3, 0.6  # how many names a refusal proposes, and how much they must have in common with what was said


class Meaning(NamedTuple):
    """The entry's own name, and the alias that was used; None: it was the own name, written otherwise."""

    name: str
    alias: Alias | None


def aliases(entries: Collection[str]) -> Iterator[tuple[str, Alias]]:
    """(the entry's own name, alias) of all entries of a registry."""
    for name, entry in entries.items() if isinstance(entries, Mapping) else ():
        for alias in getattr(entry, "aliases", ()):
            yield name, alias


def meaning(entries: Collection[str], said: str) -> Meaning | None:
    """What a name stands for that is none of a registry's own; None where nobody knows it."""
    plain = _plain(said)
    if plain == "none":  # Python's word for nothing
        return None
    for name in entries:
        if plain == _plain(name):
            return Meaning(name, None)
    return next((Meaning(name, alias) for name, alias in aliases(entries) if alias.name == plain), None)


def near(entries: Collection[str], said: str) -> str:
    """What may have been meant, as the end of a sentence; "" where nothing is like it."""
    known = {**{alias.name: name for name, alias in aliases(entries)}, **{name: name for name in entries}}
    found = get_close_matches(_plain(said), known, NEAR, ALIKE)
    told = [repr(name) if known[name] == name else f"{name!r}, which is {known[name]!r}" for name in found]
    return f"; did you mean {' or '.join(told)}?" if told else ""


def owned(fields: Iterable[tuple[str, Choices]], values: dict) -> tuple[dict, tuple[str, str, str] | None]:
    """(the values with the entries' own names, and with what an alias implies; None, or what does not go with one: the
    field, what was said, and a sentence). fields: (name, what it may be)."""
    for name, known in fields:
        said = values.get(name)
        if not isinstance(said, str) or said in known or (found := meaning(known.entries, said)) is None:
            continue
        own, alias = found
        if alias is not None:
            if wrong := _conflict(own, alias, values):
                return values, (name, said, wrong)
            values = {**alias.usual, **values, **alias.sets}
        values = {**values, name: own}
    return values, None


def _conflict(own, alias, values) -> str:
    """Why a value that is given does not go with the alias; "" where all do."""
    for knob, implied in alias.sets.items():
        given = values.get(knob)
        if given is not None and not _equal(given, implied):
            return (
                f"is {own!r} with {knob} = {implied}, and {knob} = {given!r:.40} is given, too; leave one of them out"
            )
    return ""


def _equal(given, implied) -> bool:
    try:
        return float(given) == float(implied)
    except (TypeError, ValueError):
        return given == implied


def _plain(said: str) -> str:
    return "_".join(said.strip().lower().replace("++", "pp").replace("-", " ").replace("_", " ").split())
