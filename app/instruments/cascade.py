"""A cascade: what noise in its low-resolution images does, to pictures and to the distance to the data.

Each picture is made larger by the network, and by the exact denoiser of a finite set of its training images. What was
recorded (`app.work.cascade_runs`), or measured here before, is there at once; the rest is measured as in `tradeoff`.
"""

from __future__ import annotations

from app.instruments import tradeoff
from app.instruments.base import Instrument
from app.instruments.cascade_figure import Found
from app.instruments.cascade_lines import Cascading, offered
from app.messages import comparisons
from app.work import cascade_runs
from edm import models
from edm.base.errors import Refused


def respond(settings: Cascading, context):
    if not offered():
        raise Refused("there is no model that makes images larger, or no base for it; train both first")
    model = models.load(settings.model)
    known = cascade_runs.recorded() | tradeoff.kept(context)
    yield from tradeoff.answered(Found(settings, model, known), context, cascade_runs.REFERENCE)


INSTRUMENT = Instrument(
    "cascade",
    "compare",
    "Cascade",
    "What is noise in low-resolution images good for? What one model has drawn, made larger by another.",
    Cascading,
    respond,
    script="cascade",
    body=comparisons.Cascade,
)
