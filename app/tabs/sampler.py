"""The Sampler tab: pictures, their measures, and the path of a particle."""

from __future__ import annotations

import json

import gradio as gr

from app.tabs.wiring import Wiring, experiment_of
from app.work import Work
from edm.settings import Experiment

EVENTS = ("ask", "askPinned", "measure", "measurePinned", "probe")


def build(blocks: gr.Blocks, wiring: Wiring, work: Work) -> None:
    """Wire the tab's events, inside `blocks`."""

    def results(message, guard):
        return work.results(experiment_of(message["values"]), _field(message), guard)

    def measures(message, guard):
        yield json.dumps(work.measures(experiment_of(message["values"]), guard)), True

    def path(message, guard):
        position = [float(value) for value in message["position"]]
        yield json.dumps(work.probe(experiment_of(message["values"]), int(message["level"]), position, guard)), True

    def sample(settings: dict) -> dict:
        """Sample an experiment document ({"model": …, "sampling": {…}}): its samples, levels and measures."""
        try:
            return work.plain(Experiment.parse(settings))
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from None

    wiring.on("ask", "main", results, wiring.stage)
    wiring.on("askPinned", "pinned", results)
    wiring.on("measure", "main", measures)
    wiring.on("measurePinned", "pinned", measures)
    wiring.on("probe", "probe", path)
    gr.api(sample, api_name="sample", concurrency_limit=2)


def _field(message) -> dict | None:
    field = message.get("field")
    if not field:
        return None
    return {"aspect": min(max(float(field["aspect"]), 0.1), 10.0), "follow": bool(field["follow"])}
