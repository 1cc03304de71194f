"""A tab made of instruments: each request goes to one of them, and its bodies go back as they come."""

from __future__ import annotations

from app.instruments import Instrument
from app.instruments.job import Figure
from app.messages import drawings, requests
from app.tabs.base import Answers, Event, House, experiment_of
from edm.base.flat import unflatten


class Bench:
    """instruments: those that it shows."""

    kind, jobs = "instruments", (Figure,)

    def __init__(self, name: str, title: str, instruments: list[Instrument]):
        self.name, self.title, self._instruments = name, title, instruments

    @property
    def events(self) -> dict[str, Event]:
        return {one.name: Event(requests.Figure, drawings.body_of(one.name), one.name) for one in self._instruments}

    def boot(self, house: House) -> dict:
        return {"instruments": [instrument.described() for instrument in self._instruments]}

    def serve(self, house: House) -> Answers:
        settings = {one.name: one.settings for one in self._instruments}

        def answers(event, message, ticket, request):
            values = unflatten(message.values, settings[event])
            yours = experiment_of(message.yours or {})
            job = Figure(instrument=event, settings=settings[event].parse(values), yours=yours)
            return house.pool.run(job, ticket)

        return answers
