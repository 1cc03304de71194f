"""The page: one live component that holds all tabs, and what happens when a visitor comes and goes."""

from __future__ import annotations

import asyncio
import json
import threading

import gradio as gr

from app import controls, faults, snippets, tabs, transport
from app.classroom import Room
from app.instruments import INSTRUMENTS
from app.links import opened_from
from app.live import Live
from app.scripts import Scripts
from app.tabs import sampler, train
from app.tabs.wiring import Wiring
from app.training.board import Board
from app.work import Work
from edm import data

STAY_SECONDS = 5


def build(device, room: Room) -> gr.Blocks:
    """The whole page. device: where the computing runs. room: who may do what, with the runs in its folder."""
    work, board = Work(device, own=room.kind == "own"), Board(room.folder)
    boot = controls.boot()
    learning = train.boot(board) | {"script": snippets.head(board.folder, work.own)}
    boot["tabs"] = [
        {"name": "sampler", "title": "Sampler", "kind": "sampler"},
        *({**tab, "kind": "instruments"} for tab in boot["tabs"]),
        {"name": "train", "title": "Train", "kind": "train", **learning},
    ]
    board.begin()
    training = train.Train(board, work, room)
    with gr.Blocks(title="EDM Explorer", analytics_enabled=False, fill_width=True, fill_height=True) as blocks:
        stage = Live("main.js", boot, (*sampler.EVENTS, *INSTRUMENTS, *train.EVENTS, "halt"))
        wiring = Wiring(stage, work.slots, room.key)
        sampler.build(blocks, wiring, work, Scripts(work, room.key))
        tabs.instruments.build(wiring, work)
        training.build(wiring)
        wiring.halt()
        _attend(blocks, wiring, training)
    transport.prepare(blocks)
    # scikit-learn takes a second to import: have the digits ready before somebody asks for them
    threading.Thread(target=lambda: data.load("digits").denoiser, daemon=True).start()
    return blocks


def opened(query, check) -> dict:
    """What an address says (see `app.links`): whatever that is, the page opens. check: of the Train tab's form."""
    try:
        return opened_from(getattr(query, "multi_items", query.items)(), check)
    except Exception as error:
        return opened_from({}) | {"notice": faults.logged(error)}


def _attend(blocks, wiring, training):
    """What happens when a visitor comes, stays and leaves."""

    def come(request: gr.Request):
        return json.dumps({"opened": opened(request.query_params, training.check) | {"models": training.models()}})

    async def stay():
        """An event that lasts as long as the visitor stays, so that the stream of answers stays open.

        Gradio closes it whenever nothing is under way; an event that starts just then loses its answer
        (measured: 42 of 250 moves of a knob).
        """
        while True:
            yield  # where Gradio ends it once the visitor has left
            await asyncio.sleep(STAY_SECONDS)

    async def left(request: gr.Request):  # async, or a hundred who leave at once take a thread each
        wiring.newest.stop(request.session_hash)

    blocks.load(come, None, wiring.stage, api_visibility="private", show_progress="hidden")
    blocks.load(stay, None, None, api_visibility="private", show_progress="hidden", concurrency_limit=None)
    blocks.unload(left)
