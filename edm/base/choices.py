"""A choice that is made by name, and what people are told of it.

A registry is a dictionary of entries by name. All that page, command line and figures say of a choice stands on its
entry, as title, formula, help and knobs; an entry that leaves them out, such as a plain function, is shown by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Choice:
    """An entry that is a function: calling it calls `make`.

    title: a word or two, for a button. formula: in the paper's symbols, as in Table 1. help: a line.
    knobs: the fields of the settings that change something only where this is chosen; None: not said.
    """

    name: str
    title: str
    make: Callable
    formula: str = ""
    help: str = ""
    knobs: tuple[str, ...] | None = ()

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self.make(*arguments, **named)


def title_of(registry: Mapping[str, object], name: str) -> str:
    """What a button says."""
    return getattr(registry[name], "title", "") or name


def titles(registry: Mapping[str, object]) -> dict[str, str]:
    """name -> title of all that is registered now."""
    return {name: title_of(registry, name) for name in registry}


def formula_of(registry: Mapping[str, object], name: str) -> str:
    """How it is written in a table: its formula, or else its title."""
    return getattr(registry[name], "formula", "") or title_of(registry, name)


def help_of(registry: Mapping[str, object], name: str) -> str:
    """Its formula and its line of help; "" where it has neither."""
    entry = registry[name]
    return ": ".join(filter(None, (getattr(entry, "formula", ""), getattr(entry, "help", ""))))


def knobs_of(registry: Mapping[str, object], name: str) -> tuple[str, ...] | None:
    """The fields that matter only where it is chosen; None where it does not say."""
    return getattr(registry[name], "knobs", None)


def family_of(registry: Mapping[str, object], name: str) -> str:
    """What it is one of, where there are many; "" where that is not said."""
    return getattr(registry[name], "family", "")


def own_of(registry: Mapping[str, object], name: str) -> dict[str, Any]:
    """Fields that are automatic where they are None -> what they are then, where this is chosen."""
    return dict(getattr(registry[name], "own", {}))


def forms_of(registry: Mapping[str, object], name: str) -> list[str]:
    """The names of its forms, its own first."""
    return list(getattr(registry[name], "forms", ()))


def leaves_of(registry: Mapping[str, object], name: str) -> list[str]:
    """The fields that change nothing where it is chosen, though they do elsewhere."""
    return list(getattr(registry[name], "leaves", ()))
