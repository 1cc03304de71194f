"""The instruments of the page. To add one, write it beside the others and put it into INSTRUMENTS."""

from __future__ import annotations

from app.instruments import (
    cascade,
    churn,
    clocks,
    copying,
    curvature,
    guide,
    lanes,
    led,
    loss,
    oracle,
    order,
    preconditioning,
    predicting,
    race,
    sameness,
    sweep,
    times,
    tradeoff,
    training_time,
    truncation,
    walk,
)
from app.instruments.base import Context, Instrument

TABS = {"loss": "Loss & curvature", "compare": "Compare"}  # made of instruments: name -> title
INSTRUMENTS: dict[str, Instrument] = {
    instrument.name: instrument
    for instrument in (
        loss.INSTRUMENT,
        oracle.INSTRUMENT,
        preconditioning.INSTRUMENT,
        curvature.INSTRUMENT,
        clocks.INSTRUMENT,
        truncation.INSTRUMENT,
        order.INSTRUMENT,
        copying.INSTRUMENT,
        times.INSTRUMENT,
        predicting.INSTRUMENT,
        training_time.INSTRUMENT,
        guide.INSTRUMENT,
        churn.INSTRUMENT,
        lanes.INSTRUMENT,
        walk.INSTRUMENT,
        race.INSTRUMENT,
        sweep.INSTRUMENT,
        tradeoff.INSTRUMENT,
        cascade.INSTRUMENT,
        led.INSTRUMENT,
        sameness.INSTRUMENT,
    )
}


def of_tab(tab: str) -> list[Instrument]:
    """The instruments that a tab is made of."""
    return [instrument for instrument in INSTRUMENTS.values() if instrument.tab == tab]


__all__ = ["INSTRUMENTS", "TABS", "Context", "Instrument", "of_tab"]
