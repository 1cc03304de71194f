"""The walk from one column of Table 1 to another, a row at a time, in lanes."""

from __future__ import annotations

from app.instruments import choosing, lanes
from app.instruments.base import Instrument, option
from app.messages import drawings
from edm import diagnostics, presets
from edm.plots.looks import YOURS


class Walk(lanes.Comparison):
    """What the walk shows."""

    start: str = option("vp", "from", "Where the walk starts", choices=presets.titles, section="From")
    end: str = option("edm", "to", "Where it ends", choices=lanes.offered, list=True, section="To")
    nfe: int = lanes.nfe_option("Evaluations in every step of the walk")


def respond(settings: Walk, context):
    start, end = (lanes.sampling_of(name, context.yours, settings.seed) for name in (settings.start, settings.end))
    found: list[lanes.Lane] = []
    for step in diagnostics.walk(start, end):
        sampling = diagnostics.with_evaluations(step.sampling, settings.nfe).changed(seed=settings.seed)
        title = f"+ {lanes.short(step.rows[0])}" if found else lanes.offered()[settings.start]
        found.append(lanes.lane_of(title, settings.start, sampling, settings))
    if settings.denoiser == choosing.OWN and settings.end not in (settings.start, YOURS):
        found.append(lanes.lane_of("+ network, training", settings.end, sampling, settings))
    yield from lanes.pictures(found, context, lanes.sampled(settings), chain=True)


INSTRUMENT = Instrument(
    "walk",
    "compare",
    "One change",
    "Which row of Table 1 brings how much?",
    Walk,
    respond,
    script="lanes",
    body=drawings.Lanes,
)
