"""Colours and line styles: one meaning for each, the same on the page and in notebooks.

Colours are names of the page's palette. Each column of Table 1 has its own, as its preset declares.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from edm.experiments import presets

PALETTE = {  # of the page's light theme
    "bg": "#fbfbfa",
    "ink": "#1d2330",
    "mute": "#5f6673",
    "line": "#e3e5e8",
    "noise": "#d96b1f",
    "data": "#2f6fb5",
    "vp": "#8a63b8",
    "ve": "#27978a",
    "iddpm": "#b1810b",
    "edm": "#c2457a",
    "flow": "#4c8f2f",
    "yours": "#1d2330",
    "c1": "#2f6fb5",
    "c2": "#d96b1f",
    "c3": "#27978a",
    "c4": "#8a63b8",
}
YOURS = "yours"  # settings of somebody's own
_COLORS = ("ink", "c1", "c2", "c3", "c4", "edm", "vp", "ve")
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")


@dataclass(frozen=True)
class Look:
    """color: of PALETTE. dash, symbol: as Plotly calls them."""

    color: str = "ink"
    dash: str = "longdash"
    symbol: str = "circle"


def look_of(name: str) -> Look:
    """That of a column of Table 1, for whatever has its name; of what has no column, the plain one."""
    if name == YOURS:
        return Look(YOURS)
    return _declared(name) if f"designs/{name}" in presets.names("designs") else Look()


@lru_cache(maxsize=64)
def _declared(name) -> Look:
    return Look(**presets.read(f"designs/{name}").get("look", {}))


def counted(k: int) -> Look:
    """The look of the k-th of things that have no look of their own."""
    return Look(_COLORS[k % len(_COLORS)], _DASHES[k % len(_DASHES)])
