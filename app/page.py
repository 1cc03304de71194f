"""The page: one live component that holds all tabs, and what happens when a visitor comes and goes."""

from __future__ import annotations

import asyncio
import json
from functools import partial

import gradio as gr

from app.sentences import faults
from app.tabs import TABS, controls, train
from app.tabs.base import House
from app.tabs.links import opened_from
from app.tabs.wiring import Wiring
from app.training.board import Board
from app.transport import corners
from app.transport.live import Live
from app.transport.presence import Left
from app.visitors.room import Room
from app.work.jobs import Threads
from app.work.scripts import Scripts
from app.work.shared import Work

STAY_SECONDS = 5


def build(device, room: Room) -> gr.Blocks:
    """The whole page. device: where the computing runs. room: who may do what, with the runs in its folder."""
    pool, board = Threads(Work(device, own=room.kind == "own")), Board(room.folder)
    house = House(pool, board, room)
    known = boot(house)
    board.begin()
    with gr.Blocks(title="EDM Explorer", analytics_enabled=False, fill_width=True, fill_height=True) as blocks:
        stage = Live("main.js", known, (*(event for tab in TABS for event in tab.events), "halt"))
        wiring = Wiring(stage, room.key)
        for tab in TABS:
            wiring.connect(tab, house)
        wiring.halt()
        _attend(blocks, wiring, house)
        _answer_scripts(Scripts(pool, room.key))
    corners.prepare(blocks)
    return blocks


def boot(house: House) -> dict:
    """What a page knows from the start, as JSON data (`app.messages.boot.Boot`)."""
    tabs = [{"name": tab.name, "title": tab.title, "kind": tab.kind, **tab.boot(house)} for tab in TABS]
    return controls.boot() | {"tabs": tabs}


def _answer_scripts(scripts):
    async def sample(settings: dict, request: gr.Request) -> dict:
        """Sample {"model": …, "steps": …} or {"model": …, "sampling": {…}}: samples, levels, measures."""
        try:
            return await scripts.sample(settings, request)
        except Left as error:
            raise gr.Error(str(error), print_exception=False) from None
        except Exception as error:
            raise gr.Error(faults.told(error), print_exception=False) from None

    gr.api(sample, api_name="sample", concurrency_limit=None)  # which Scripts sees to, for each visitor


def opened(query, check) -> dict:
    """What an address says (see `app.tabs.links`): whatever that is, the page opens. check: of the Train tab's form."""
    try:
        return opened_from(getattr(query, "multi_items", query.items)(), check)
    except Exception as error:
        return opened_from({}) | {"notice": faults.logged(error)}


def _attend(blocks, wiring, house):
    """What happens when a visitor comes, stays and leaves."""

    def come(request: gr.Request):
        return json.dumps(
            {"opened": opened(request.query_params, partial(train.check, house)) | {"models": house.models.since()}}
        )

    async def stay():
        """An event that lasts as long as the visitor stays, so that the stream of answers stays open.

        Gradio closes it whenever nothing is under way; an event that starts just then loses its answer
        (measured: 42 of 250 moves of a knob).
        """
        while True:
            yield  # where Gradio ends it once the visitor has left
            await asyncio.sleep(STAY_SECONDS)

    async def left(request: gr.Request):  # async, or a hundred who leave at once take a thread each
        wiring.leave(request)

    blocks.load(come, None, wiring.stage, api_visibility="private", show_progress="hidden")
    blocks.load(stay, None, None, api_visibility="private", show_progress="hidden", concurrency_limit=None)
    blocks.unload(left)
