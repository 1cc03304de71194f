"""The Sampler tab: one live component, and the three events behind it."""

from __future__ import annotations

import asyncio
import json
import logging

import gradio as gr

from app import controls
from app.live import Channel, Live
from app.session import Newest, Superseded, from_query
from app.work import Work
from edm.fields import SettingsError
from edm.flat import unflatten
from edm.settings import Experiment

STAY_SECONDS = 5


def build(blocks: gr.Blocks, work: Work) -> None:
    """Lay out the tab and wire its events, inside `blocks`."""
    newest = Newest()
    stage = Live("live.js", controls.boot(), ("ask", "askPinned", "measure", "measurePinned", "probe"))
    pinned, probed = Channel("edm-pinned"), Channel("edm-probed")
    readout, pinned_readout = Channel("edm-measured"), Channel("edm-measured-pinned")

    def answering(lane: str, respond):
        """A handler: respond(message, guard) yields JSON texts; errors become sentences, and the newest wins."""

        def handler(event: gr.EventData, request: gr.Request):
            message = event._data if isinstance(event._data, dict) else {}
            try:
                serial = int(message["serial"])
                guard = newest.guard(request.session_hash, lane, serial)
                for body, finished in respond(message, guard):
                    yield f'{{"serial": {serial}, "finished": {json.dumps(finished)}, "body": {body}}}'
            except Superseded:
                return
            except (ValueError, KeyError, TypeError) as error:
                sentence = str(error) if isinstance(error, ValueError) else f"The request could not be read ({error})."
                yield json.dumps({"serial": message.get("serial", 0), "finished": True, "error": sentence})
            except (ArithmeticError, RuntimeError) as error:  # out of memory among them
                logging.getLogger(__name__).exception("a computation failed")
                sentence = f"These settings could not be computed ({error}). Try others."
                yield json.dumps({"serial": message.get("serial", 0), "finished": True, "error": sentence})

        return handler

    def results(message, guard):
        return work.results(_experiment(message), _field(message), guard)

    def measures(message, guard):
        yield json.dumps(work.measures(_experiment(message), guard)), True

    def path(message, guard):
        position = [float(value) for value in message["position"]]
        yield json.dumps(work.probe(_experiment(message), int(message["level"]), position, guard)), True

    def opened(request: gr.Request):
        experiment, pinned, notice = from_query(dict(request.query_params))
        settings = {"values": experiment.document(complete=True), "notice": notice}
        settings["pinned"] = pinned and pinned.document(complete=True)
        return json.dumps({"opened": settings})

    async def stay():
        """An event that lasts as long as the visitor stays, so that the stream of answers stays open.

        Gradio closes it whenever nothing is under way; an event that starts just then loses its answer
        (measured: 42 of 250 moves of a knob).
        """
        while True:
            yield  # where Gradio ends it once the visitor has left
            await asyncio.sleep(STAY_SECONDS)

    def left(request: gr.Request):
        newest.stop(request.session_hash)

    def sample(settings: dict) -> dict:
        """Sample an experiment document ({"model": …, "sampling": {…}}): its samples, levels and measures."""
        try:
            return work.plain(Experiment.parse(settings))
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from None

    # A lane is what a newer request of the same visitor overtakes: a new picture ends the measuring of the old.
    wiring = [
        (stage.ask, "main", results, stage),
        (stage.askPinned, "pinned", results, pinned),
        (stage.measure, "main", measures, readout),
        (stage.measurePinned, "pinned", measures, pinned_readout),
        (stage.probe, "probe", path, probed),
    ]
    for listen, lane, respond, output in wiring:
        listen(
            answering(lane, respond),
            None,
            output,
            api_visibility="private",
            show_progress="hidden",
            trigger_mode="multiple",
            concurrency_limit=None,
        )
    blocks.load(opened, None, stage, api_visibility="private", show_progress="hidden")
    blocks.load(stay, None, None, api_visibility="private", show_progress="hidden", concurrency_limit=None)
    blocks.unload(left)
    gr.api(sample, api_name="sample", concurrency_limit=2)


def _experiment(message) -> Experiment:
    values = message["values"]
    if not isinstance(values, dict):
        raise SettingsError("the settings must be names and values")
    return Experiment.parse(unflatten(values))


def _field(message) -> dict | None:
    field = message.get("field")
    if not field:
        return None
    return {"aspect": min(max(float(field["aspect"]), 0.1), 10.0), "follow": bool(field["follow"])}
