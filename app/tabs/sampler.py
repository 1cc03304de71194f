"""The Sampler tab: pictures, their measures, and the path of a particle."""

from __future__ import annotations

import json

import gradio as gr

from app.presence import Left
from app.scripts import Scripts
from app.slots import visitor_of
from app.tabs.wiring import Wiring, experiment_of
from app.work import Work

EVENTS = ("ask", "askPinned", "measure", "measurePinned", "probe")


def build(blocks: gr.Blocks, wiring: Wiring, work: Work, scripts: Scripts) -> None:
    """Wire the tab's events, inside `blocks`."""

    def results(message, guard):
        return work.results(experiment_of(message["values"]), _field(message), guard)

    def measures(message, guard):
        yield json.dumps(work.measures(experiment_of(message["values"]), guard)), True

    def path(message, guard):
        position = [float(value) for value in message["position"]]
        with work.slots.turn(visitor_of(guard)):
            found = work.probe(experiment_of(message["values"]), int(message["level"]), position, guard)
        yield json.dumps(found), True

    async def sample(settings: dict, request: gr.Request) -> dict:
        """Sample an experiment document ({"model": …, "sampling": {…}}): its samples, levels and measures."""
        try:
            return await scripts.sample(settings, request)
        except (ValueError, Left) as error:
            raise gr.Error(str(error), print_exception=False) from None

    wiring.on("ask", "main", results, wiring.stage)
    wiring.on("askPinned", "pinned", results)
    wiring.on("measure", "main", measures)
    wiring.on("measurePinned", "pinned", measures)
    wiring.on("probe", "probe", path)
    gr.api(sample, api_name="sample", concurrency_limit=None)  # which Scripts sees to, for each visitor


def _field(message) -> dict | None:
    field = message.get("field")
    if not field:
        return None
    return {"aspect": min(max(float(field["aspect"]), 0.1), 10.0), "follow": bool(field["follow"])}
