"""python -m app.work.prediction_runs: what a network should predict where the data fill few of many dimensions.

The preset training/prediction is trained in each number of dimensions with each prediction, and what it draws is
written down (assets/prediction.json), each run in about a minute; delete the file to train all anew.
"""

from __future__ import annotations

import torch

from app.figures.pack import float32
from app.work.recorded import record, settings_of, shipped
from edm import data
from edm.base.resources import ASSETS
from edm.diagnostics.measures import true_points
from edm.embedded import in_plane
from edm.preconditioning import PRECONDITIONINGS, Flow, build
from edm.sampling.loop import last, sample
from edm.sampling.noise import latents, seeds
from edm.sampling.settings import Sampling
from edm.training.events import Checkpoint
from edm.training.loop import train
from edm.training.settings import Training

PLACE, PRESET = ASSETS / "prediction.json", "training/prediction"
DIMENSIONS = (2, 16, 512)
PREDICTIONS = {
    name: made for name, made in ((name, build(name, 1.0)) for name in PRECONDITIONINGS) if isinstance(made, Flow)
}  # preconditionings of one state, of which the network tells the noise, the velocity, or the data
SAMPLING = Sampling(discretization="flow", schedule="flow", scaling="flow")  # no level below those that were learned
COUNT, SHOWN = 1000, 300  # samples that are measured, and that are drawn


def settings(preconditioning: str, dimensions: int) -> Training:
    """Of the run with that prediction in so many dimensions."""
    return settings_of(PRESET, data={"dimensions": dimensions}, design={"preconditioning": preconditioning})


def recorded() -> list[dict]:
    """Those that ship."""
    return shipped(PLACE)


def measured(preconditioning: str, dimensions: int) -> dict:
    """Of a run's samples {distance: to the nearest of many true points, across: from the plane, both medians, points:
    where some of them lie in it, packed}."""
    asked = settings(preconditioning, dimensions)
    *_, end = (event for event in train(asked.changed(tick=asked.images)) if isinstance(event, Checkpoint))
    z = latents(seeds(0, COUNT), (dimensions,))
    x = last(sample(end.state.denoisers()[0], z, SAMPLING)).x.double()
    true = data.chosen(asked.data)
    places, known = (in_plane(points, true.plane) for points in (x, true_points(true)))
    across = (x.square().sum(1) - places.square().sum(1)).clamp(min=0) if dimensions > 2 else torch.zeros(len(x))
    near = torch.cdist(places, known.double()).amin(1).square()
    return {
        "distance": _median(near + across),
        "across": _median(across),
        "points": float32(places[:SHOWN]),
    }


def _median(squares) -> float:
    """Of the roots; a few samples that go astray do not count for all."""
    return float(f"{float(squares.median()) ** 0.5:.4g}")


if __name__ == "__main__":
    asked = ({"preconditioning": one, "dimensions": count} for count in DIMENSIONS for one in PREDICTIONS)
    record(PLACE, PRESET, asked, measured)
