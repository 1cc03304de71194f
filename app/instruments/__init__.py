"""The instruments of the page, by tab. To add one, write it beside the others and put it into its tab's list."""

from __future__ import annotations

from app.instruments import (
    churn,
    curvature,
    lanes,
    loss,
    oracle,
    order,
    preconditioning,
    race,
    sweep,
    training_time,
    truncation,
)
from app.instruments.base import Context, Instrument

TABS: dict[str, tuple[str, list[Instrument]]] = {
    "loss": (
        "Loss & curvature",
        [
            loss.INSTRUMENT,
            oracle.INSTRUMENT,
            preconditioning.INSTRUMENT,
            curvature.INSTRUMENT,
            truncation.INSTRUMENT,
            order.INSTRUMENT,
            training_time.INSTRUMENT,
            churn.INSTRUMENT,
        ],
    ),
    "compare": ("Compare", [lanes.LANES_INSTRUMENT, lanes.WALK_INSTRUMENT, race.INSTRUMENT, sweep.INSTRUMENT]),
}
INSTRUMENTS = {instrument.name: instrument for _, instruments in TABS.values() for instrument in instruments}


def tab_of(name: str) -> str:
    """The tab that shows the instrument."""
    return next(tab for tab, (_, instruments) in TABS.items() if any(i.name == name for i in instruments))


__all__ = ["INSTRUMENTS", "TABS", "Context", "Instrument", "tab_of"]
