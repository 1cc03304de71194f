"""The Sampler tab: pictures, their measures, and the path of a particle."""

from __future__ import annotations

import json

import gradio as gr

from app import faults
from app.messages import Picture, Probe
from app.tabs.wiring import Wiring, experiment_of
from app.work import Work
from edm import documents
from edm.errors import Refused, shown
from edm.flat import unflatten
from edm.settings import Experiment

EVENTS = {"ask": Picture, "askPinned": Picture, "measure": Picture, "measurePinned": Picture, "probe": Probe}


def build(blocks: gr.Blocks, wiring: Wiring, work: Work) -> None:
    """Wire the tab's events, inside `blocks`."""

    def results(message, guard):
        return work.results(experiment_of(message.values), _field(message.field), guard)

    def measures(message, guard):
        yield json.dumps(work.measures(experiment_of(message.values), guard)), True

    def path(message, guard):
        experiment = experiment_of(message.values)
        yield json.dumps(work.probe(experiment, message.level, list(message.position), guard)), True

    def sample(settings: dict) -> dict:
        """Sample {"model": …, "steps": …} or {"model": …, "sampling": {…}}: samples, levels, measures."""
        try:
            return work.plain(asked(settings))
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
    gr.api(sample, api_name="sample", concurrency_limit=2)


def asked(settings) -> Experiment:
    """The settings that a script sends: fields by their names, in their groups, or both. Raises Refused."""
    if not isinstance(settings, dict):
        raise Refused(f'settings are names and values, like {{"model": "spiral", "steps": 10}}, not {shown(settings)}')
    return Experiment.parse(unflatten(documents.plain(settings, "the request")))


def _field(arrows) -> dict | None:
    if arrows is None:
        return None
    return {"aspect": min(max(arrows.aspect or 1.0, 0.1), 10.0), "follow": arrows.follow}
