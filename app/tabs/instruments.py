"""A tab made of instruments: each request goes to one of them, and its bodies go back as they come."""

from __future__ import annotations

from app.instruments import of_tab
from app.instruments.job import Figure
from app.messages import requests
from app.tabs.base import Answers, Event, House, experiment_of
from edm.base.flat import unflatten


class Bench:
    """A tab made of instruments: those that say so."""

    kind, jobs = "instruments", (Figure,)

    def __init__(self, name: str, title: str):
        self.name, self.title = name, title
        self.sheets = tuple(one.name for one in of_tab(name))

    @property
    def events(self) -> dict[str, Event]:
        return {one.name: Event(requests.Figure, one.body, one.name) for one in of_tab(self.name)}

    def boot(self, house: House) -> dict:
        return {"instruments": [instrument.described() for instrument in of_tab(self.name)]}

    def serve(self, house: House) -> Answers:
        settings = {one.name: one.settings for one in of_tab(self.name)}

        def answers(event, message, ticket, request):
            values = unflatten(message.values, settings[event])
            yours = experiment_of(message.yours or {})
            job = Figure(instrument=event, settings=settings[event].parse(values), yours=yours)
            return house.pool.answers(job, ticket)

        return answers
