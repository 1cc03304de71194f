"""python -m app.work.copying_runs: how training few samples goes over from learning to copying, as the page shows it.

The preset training/plane is trained with each number n of samples, and what its ticks say is written down
(assets/copying.json): about two minutes on two cores. Delete the file to train them anew.
"""

from __future__ import annotations

from app.work.recorded import record, settings_of, shipped
from edm.base.resources import ASSETS
from edm.training.events import Tick
from edm.training.loop import train
from edm.training.score import score
from edm.training.settings import Training

PLACE, PRESET = ASSETS / "copying.json", "training/plane"
COUNTS = (16, 64, 256)  # samples that are learned


def settings(examples: int) -> Training:
    """Of the run that learns so many samples."""
    return settings_of(PRESET, data={"examples": examples})


def measured(examples: int) -> dict:
    """What the ticks of that run say: {images, copies, error}, of which the last is E[λ·error]."""
    found: dict = {"images": [], "copies": [], "error": []}
    for event in train(settings(examples)):
        if isinstance(event, Tick):
            found["images"].append(event.images)
            found["copies"].append(round(event.copies or 0.0, 3))
            found["error"].append(round(score({"sigmas": [*event.sigmas], "validation": [*event.validation]}), 4))
    return found


def recorded() -> list[dict]:
    """Those that ship, from few samples to many."""
    return shipped(PLACE)


if __name__ == "__main__":
    record(PLACE, PRESET, ({"examples": examples} for examples in COUNTS), measured)
