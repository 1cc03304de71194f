"""The page: one element that holds all tabs, and what answers scripts."""

from __future__ import annotations

from app.sentences import faults
from app.tabs.base import House
from app.tabs.opening import asked
from app.tabs.wiring import Wiring
from app.training.board import Board
from app.transport import corners, live
from app.transport.presence import Left
from app.transport.quiet import gr
from app.visitors.room import Room
from app.work.jobs import Pool
from app.work.scripts import Scripts


def build(pool: Pool, room: Room) -> tuple[gr.Blocks, Wiring]:
    """The whole page, and what answers it. pool: where the computing runs. room: who may do what, with the runs in its
    folder."""
    board = Board(room.folder)
    wiring = Wiring(asked(), House(pool, board, room))
    board.begin()
    with gr.Blocks(title="EDM Explorer", analytics_enabled=False, fill_width=True, fill_height=True) as blocks:
        live.place()
        _answer_scripts(Scripts(pool, room.key))
    corners.prepare(blocks)
    return blocks, wiring


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
