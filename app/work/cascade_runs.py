"""python -m app.work.cascade_runs FOLDER: what noise in the low-resolution images of a cascade does, measured and
written down for the page.

The points of the figure are measured (assets/cascade.json): about ten minutes of a core, with the models that ship.
FOLDER keeps the samples that are finished, and the same command goes on from there; use another one for other models.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from functools import lru_cache

from app.work import guided_runs
from edm.base.resources import ASSETS
from edm.evaluation import Report, Weighed, over_weights
from edm.experiments import cascades, models
from edm.experiments.experiment import Experiment
from edm.sampling.settings import Sampling

PLACE = ASSETS / "cascade.json"
MODEL, ALONE = "scenes_16_32", "scenes_edm"  # a cascade, and what makes the same images in one stage
STEPS, ALONE_STEPS = 8, 9  # which take about the same time
LEVELS = (0.0, 0.1, 0.3)  # σ_c, up to the most that the upsampler was trained with
HASTY = 3  # steps of a base that makes mistakes
SAMPLES, REFERENCE = 500, 2000
BASES = {  # whose low-resolution images are made larger: what that changes of an experiment
    "sampled": {},
    "data": {"cascade": cascades.DATA},
    "hasty": {"cascade_steps": HASTY},
}


def staged(base: str, sigma_c: float, steps: int = STEPS, seed: int = 0, model: str = MODEL) -> Experiment:
    """A cascade from that base of BASES."""
    sampling = Sampling(steps=steps, seed=seed)
    return Experiment(model=model, sampling=sampling, cascade_noise=sigma_c, **BASES[base])


def alone(seed: int = 0) -> Experiment:
    """The same images in one stage."""
    return Experiment(model=ALONE, sampling=Sampling(steps=ALONE_STEPS, seed=seed))


def planned() -> list[Experiment]:
    """What is measured."""
    return [*(staged(base, sigma_c) for base in BASES for sigma_c in LEVELS), alone()]


def measured(folder: str | None = None) -> Iterator[tuple[str, Report]]:
    """(key, report) of each of them."""
    for experiment in planned():
        for event in over_weights(experiment, [experiment.guidance_weight], SAMPLES, REFERENCE, keep=folder):
            if isinstance(event, Weighed):
                yield guided_runs.key(experiment, SAMPLES), event.report


@lru_cache(maxsize=1)
def recorded() -> dict[str, Report]:
    """Those that ship."""
    return guided_runs.read(PLACE)


def learned() -> dict[str, int]:
    """From how many images each of the models that are measured has learned."""
    base = cascades.base_of(models.load(MODEL), None).name
    headers = {name: models.load(name).header for name in (base, MODEL, ALONE)}
    return {name: header.images for name, header in headers.items() if header}


def seen() -> dict[str, int]:
    """The same of those that were measured."""
    return json.loads(PLACE.read_text(encoding="utf-8"))["of"]


def main() -> None:
    found: dict[str, Report] = {}
    for name, report in measured(sys.argv[1] if len(sys.argv) > 1 else None):
        found[name] = report
        guided_runs.write(found, PLACE, learned())
        sys.stdout.write(f"{name}: {report.frechet:.3f}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
