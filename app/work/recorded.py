"""Runs that were trained once, and of which the page shows what was measured: a file of JSON in assets/."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path

from edm import presets
from edm.base.atomic import atomic
from edm.training.settings import Training


@lru_cache(maxsize=8)
def shipped(place: Path) -> list[dict]:
    """What ships of each run."""
    return json.loads(place.read_text(encoding="utf-8"))["runs"]


def settings_of(preset: str, **changes: dict) -> Training:
    """Those of a preset, with other fields in some of its groups."""
    document = presets.read(preset)["training"]
    return Training.parse(document | {group: document[group] | fields for group, fields in changes.items()})


def record(place: Path, preset: str, asked: Iterable[dict], measured: Callable[..., dict]) -> None:
    """Write down what `measured` finds of each run that is `asked` for, which is named by what it is given. Those that
    the file holds are not trained again."""
    runs = json.loads(place.read_text(encoding="utf-8"))["runs"] if place.exists() else []
    for names in asked:
        if not any(names.items() <= run.items() for run in runs):
            runs.append(names | measured(**names))
            with atomic(place) as file:
                file.write(f"{json.dumps({'preset': preset, 'runs': runs}, indent=1)}\n".encode())
    sys.stdout.write(f"{place}\n")
