"""Kinds of guidance as instruments offer them."""

from __future__ import annotations

from edm.base.choices import titles
from edm.plots.looks import Look, counted
from edm.sampling.guidance import GUIDANCES


def independent() -> dict[str, str]:
    """The kinds whose samples do not depend on each other, "none" first; name -> title."""
    return {name: title for name, title in titles(GUIDANCES).items() if not GUIDANCES[name].population}


def look_of_kind(name: str) -> Look:
    """The same wherever a kind of guidance is a line."""
    return counted(list(GUIDANCES).index(name))
