"""A choice that is made by name, and what people are told of it.

A registry is a dictionary of entries by name. All that page, command line and figures say of a choice stands on its
entry, as title, formula, help and knobs; an entry that leaves them out, such as a plain function, is shown by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Alias:
    """sets: what the name means besides the entry: other values of these knobs do not go with it. usual: values of
    knobs that count where they are not given. title: as people say it, for lists; "": another spelling. help: a line.
    """

    name: str
    title: str = ""
    sets: Mapping[str, Any] = field(default_factory=dict)
    usual: Mapping[str, Any] = field(default_factory=dict)
    help: str = ""


def spelled(*names: str) -> tuple[Alias, ...]:
    """Names that mean the entry and nothing more."""
    return tuple(Alias(name) for name in names)


@dataclass(frozen=True)
class Choice:
    """An entry that is a function: calling it calls `make`.

    title: a word or two, for a button. formula: in the paper's symbols, as in Table 1. help: a line.
    knobs: the fields of the settings that change something only where this is chosen; None: not said.
    aliases: other names that people have for it (`Alias`).
    """

    name: str
    title: str
    make: Callable
    formula: str = ""
    help: str = ""
    knobs: tuple[str, ...] | None = ()
    aliases: tuple = ()

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self.make(*arguments, **named)


class Choices:
    """What a field may name: the entries of a registry, as it is when they are asked for."""

    def __init__(self, registry: Collection[str] | Callable[[], Collection[str]]):
        self.registry = registry

    @property
    def entries(self) -> dict[str, Any]:
        """The entries by name; of plain names, None."""
        found = self.registry() if callable(self.registry) else self.registry
        return dict(found) if isinstance(found, Mapping) else dict.fromkeys(found)

    def __contains__(self, name: object) -> bool:
        return name in (self.registry() if callable(self.registry) else self.registry)


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
    """Its formula, its line of help, and what else it is called; "" where it has none of these."""
    entry = registry[name]
    told = ": ".join(filter(None, (getattr(entry, "formula", ""), getattr(entry, "help", ""))))
    called = [alias.title for alias in getattr(entry, "aliases", ()) if alias.title]
    return "; ".join(filter(None, (told, f"also called {', '.join(called)}" if called else "")))


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
