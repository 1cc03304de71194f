"""python -m app.work.copying_runs: how training few samples goes over from learning to copying, as the page shows it.

The preset training/plane is trained with each number n of samples, and what its ticks say is written down
(assets/copying.json): about two minutes on two cores.
"""

from __future__ import annotations

import json
import sys
from functools import lru_cache

from edm import presets
from edm.base.atomic import atomic
from edm.base.resources import ASSETS
from edm.training.events import Tick
from edm.training.loop import train
from edm.training.score import score
from edm.training.settings import Training

PLACE = ASSETS / "copying.json"
COUNTS = (16, 64, 256)  # samples that are learned


def settings(examples: int) -> Training:
    """Of the run that learns so many samples."""
    document = presets.read("training/plane")["training"]
    return Training.parse(document | {"data": document["data"] | {"examples": examples}})


def measured(examples: int) -> dict:
    """What the ticks of that run say: {examples, images, copies, error}, of which the last is E[λ·error]."""
    found: dict = {"examples": examples, "images": [], "copies": [], "error": []}
    for event in train(settings(examples)):
        if isinstance(event, Tick):
            found["images"].append(event.images)
            found["copies"].append(round(event.copies or 0.0, 3))
            found["error"].append(round(score({"sigmas": [*event.sigmas], "validation": [*event.validation]}), 4))
    return found


@lru_cache(maxsize=1)
def recorded() -> list[dict]:
    """Those that ship, from few samples to many."""
    return json.loads(PLACE.read_text(encoding="utf-8"))["runs"]


def main() -> None:
    text = json.dumps({"preset": "training/plane", "runs": [measured(examples) for examples in COUNTS]}, indent=1)
    with atomic(PLACE) as file:
        file.write(f"{text}\n".encode())
    sys.stdout.write(f"{PLACE}\n")


if __name__ == "__main__":
    main()
