"""The Sampler tab: pictures, their measures, and the path of a particle."""

from __future__ import annotations

import json

import gradio as gr

from app.messages.requests import Picture, Probe
from app.sentences import faults
from app.tabs.wiring import Wiring, experiment_of
from app.transport.presence import Left
from app.work.pictures import Work
from app.work.scripts import Scripts
from app.work.slots import visitor_of

EVENTS = {"ask": Picture, "askPinned": Picture, "measure": Picture, "measurePinned": Picture, "probe": Probe}


def build(blocks: gr.Blocks, wiring: Wiring, work: Work, scripts: Scripts) -> None:
    """Wire the tab's events, inside `blocks`."""

    def results(message, guard):
        return work.results(experiment_of(message.values), _field(message.field), guard)

    def measures(message, guard):
        yield json.dumps(work.measures(experiment_of(message.values), guard)), True

    def path(message, guard):
        experiment = experiment_of(message.values)
        with work.slots.turn(visitor_of(guard)):
            found = work.probe(experiment, message.level, list(message.position), guard)
        yield json.dumps(found), True

    async def sample(settings: dict, request: gr.Request) -> dict:
        """Sample {"model": …, "steps": …} or {"model": …, "sampling": {…}}: samples, levels, measures."""
        try:
            return await scripts.sample(settings, request)
        except Left as error:
            raise gr.Error(str(error), print_exception=False) from None
        except Exception as error:
            raise gr.Error(faults.told(error), print_exception=False) from None

    lanes = {
        "ask": ("main", results, wiring.stage),
        "askPinned": ("pinned", results, None),
        "measure": ("main", measures, None),
        "measurePinned": ("pinned", measures, None),
        "probe": ("probe", path, None),
    }
    for event, (lane, respond, output) in lanes.items():
        wiring.on(event, lane, EVENTS[event], respond, output)
    gr.api(sample, api_name="sample", concurrency_limit=None)  # which Scripts sees to, for each visitor


def _field(arrows) -> dict | None:
    if arrows is None:
        return None
    return {"aspect": min(max(arrows.aspect or 1.0, 0.1), 10.0), "follow": arrows.follow}
