"""What a cascade asks: what is made larger, by which model, with how much noise."""

from __future__ import annotations

from app.instruments.base import View, option
from app.instruments.starts import seed_option
from app.work import cascade_runs
from edm import models
from edm.diagnostics.ranges import EXAMPLES
from edm.experiments import cascades

LINES = {  # whose low-resolution images they are, of the bases of `cascade_runs`
    "sampled": "a model's samples",
    "hasty": f"its samples in {cascade_runs.HASTY} steps",
    "data": "true images, made small",
}


def offered() -> dict[str, str]:
    """The models that make images larger, of which there is a base."""
    return {model.name: model.title for model in models.upsamplers() if cascades.fitting(model)}


class Cascading(View):
    """What is made larger, by which model, and how it is measured."""

    model: str = option(
        cascade_runs.MODEL, "model", "What makes images larger", choices=offered, list=True, section="Upsampler"
    )
    base: str = option(
        "sampled",
        "base",
        "Whose low-resolution images the pictures are of; the chart has all three",
        choices=lambda: LINES,
        list=True,
        section="Low-resolution images",
    )
    levels: str = option(
        ",".join(f"{level:g}" for level in cascade_runs.LEVELS),
        "σ<sub>c</sub>",
        f"Noise that they get, of which the network is told; {EXAMPLES}",
        section="Low-resolution images",
    )
    count: int = option(
        cascade_runs.SAMPLES, "samples", "That are measured at each σ<sub>c</sub>", slider=(100, 5000), log=True,
        ge=50, le=50_000, section="Measure",
    )  # fmt: skip
    steps: int = option(
        cascade_runs.STEPS, "N", "Steps of both stages (EDM's sampler)", slider=(4, 40), step=1, ge=2, le=200,
        section="Measure",
    )  # fmt: skip
    seed: int = seed_option("The same noise for all", "Measure")
    run: bool = option(False, "run", "Start, however long it takes", hidden=True)
