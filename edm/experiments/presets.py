"""Presets: YAML files under presets/, each an `Experiment` document or a part of one."""

from __future__ import annotations

import copy
import re
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from edm.base.atomic import stamp
from edm.base.errors import shown
from edm.base.fields import SettingsError
from edm.base.resources import PRESETS

if TYPE_CHECKING:
    from edm.experiments.experiment import Experiment


_parsing = Lock()


def names(kind: str = "designs") -> list[str]:
    """The presets of a kind, in the order of their `order` line, then by name."""
    found = [f"{kind}/{path.stem}" for path in (PRESETS / kind).glob("*.yaml")]
    return sorted(found, key=lambda name: (_order(PRESETS / f"{name}.yaml"), name))


def titles(kind: str = "designs") -> dict[str, str]:
    """The presets of a kind, in their order: name without the kind -> title."""
    return {name.split("/")[1]: read(name)["title"] for name in names(kind)}


def read(name: str) -> dict:
    """The file "designs/edm" as {title, about, experiment}. Raises SettingsError for an unknown name."""
    path = PRESETS / f"{name}.yaml"
    if not re.fullmatch(r"[a-z0-9_]{1,40}/[a-z0-9_]{1,40}", name) or not path.is_file():
        known = ", ".join(sorted(f"{p.parent.name}/{p.stem}" for p in PRESETS.glob("*/*.yaml")))
        raise SettingsError(f"there is no preset {shown(name)}; there are {known}", ("preset",))
    return _read(path)


def load(name: str) -> Experiment:
    """The preset as an `edm.Experiment`, with defaults for what it leaves open."""
    from edm.experiments.experiment import Experiment

    return Experiment.parse(read(name)["experiment"])


def figure(name: str) -> tuple[str, dict]:
    """(instrument, its settings) of a preset of the folder figures, as "figures/fig3" or "fig3"."""
    preset = read(name if "/" in name else f"figures/{name}")
    return preset["show"], preset.get("settings") or {}


def _order(path: Path) -> int:
    return _known(path).get("order", 99)


def _read(path: Path) -> dict:
    return copy.deepcopy(_known(path))


def _known(path: Path) -> dict:
    with _parsing:  # a class that comes at once waits for one that reads, instead of reading all of it thirty times
        return _parsed(path, stamp(path))


@lru_cache(maxsize=128)
def _parsed(path, _stamp) -> dict:
    from edm.base import settings_files

    return settings_files.read(path)
