"""The walk from one column of Table 1 to another, a row at a time, in lanes."""

from __future__ import annotations

from itertools import pairwise

from app.instruments import choosing, lanes, ways
from app.instruments.base import Instrument, option
from app.instruments.solving import PAPERS_NFE
from app.messages import comparisons
from edm import diagnostics, presets
from edm.plots.looks import YOURS

EDM = "edm"
FLOW = "flow"
FLOW_HEUN = "flow_heun"


def ends() -> dict[str, str]:
    """Where a walk may end; name -> title."""
    return {**ways.offered(), FLOW_HEUN: "Flow with Heun"}


class Walk(lanes.Comparison):
    """What the walk shows."""

    start: str = option("vp", "from", "Where the walk starts", choices=presets.titles, section="From")
    end: str = option(
        EDM, "to", "Where it ends; Flow with Heun has flow's time steps, σ(t) and s(t)", choices=ends, list=True,
        section="To",
    )  # fmt: skip
    via: bool = option(
        True, "by way of EDM", "To EDM first, and on to flow matching from there", section="To",
        when={"end": [FLOW, FLOW_HEUN]},
    )  # fmt: skip
    shift: float = option(
        0.5, "α", "Of flow's time steps at the end: below 1 they crowd towards low noise", slider=(0.1, 3), log=True,
        ge=0.01, le=100, section="To", when={"end": [FLOW_HEUN]},
    )  # fmt: skip
    nfe: int = lanes.nfe_option("Evaluations in every step of the walk")


def respond(settings: Walk, context):
    def sampling(name):
        if name == FLOW_HEUN:
            return ways.flow_with_heun(context.yours, settings.seed, settings.shift)
        return ways.sampling_of(name, context.yours, settings.seed)

    by = [EDM] if settings.via and settings.end in (FLOW, FLOW_HEUN) and settings.start != EDM else []
    found: list[lanes.Lane] = []
    for first, second in pairwise([settings.start, *by, settings.end]):
        steps = diagnostics.walk(sampling(first), sampling(second))
        for step in steps[1:] if found else steps:
            equal = diagnostics.with_evaluations(step.sampling, settings.nfe).changed(seed=settings.seed)
            title = f"+ {lanes.short(step.rows[0])}" if found else ways.offered()[settings.start]
            if step is steps[-1] and second in by:
                title += f" = {ways.offered()[second]}"
            found.append(lanes.lane_of(title, first, equal, settings))
    column = FLOW if settings.end == FLOW_HEUN else settings.end
    if settings.denoiser == choosing.OWN and column not in (settings.start, YOURS):
        sampled = diagnostics.with_evaluations(sampling(settings.end), settings.nfe)
        found.append(lanes.lane_of("+ network, training", column, sampled, settings))
    beside = None
    if settings.end in (FLOW, FLOW_HEUN) and settings.nfe < PAPERS_NFE:
        paper = diagnostics.with_evaluations(sampling(EDM), PAPERS_NFE)
        beside = lanes.lane_of("EDM's sampler", EDM, paper, settings)
    yield from lanes.pictures(found, context, lanes.sampled(settings), chain=True, beside=beside)


INSTRUMENT = Instrument(
    "walk",
    "compare",
    "One change",
    "Which row of Table 1 brings how much?",
    Walk,
    respond,
    script="lanes",
    body=comparisons.Lanes,
)
