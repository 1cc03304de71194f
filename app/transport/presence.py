"""Whether the sender of a request is still there: what Gradio knows of it, and work that ends when they leave."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from app.transport import corners

LOOK = 0.25  # seconds between two looks


class Left(Exception):
    """The sender is gone; the work ends at its next evaluation."""


def present(request) -> Callable:
    """An async function that says whether the sender of this gr.Request still waits for its answer."""
    queued = corners.running()

    async def here():
        # a request that was queued is over by itself as soon as it is in the queue
        return queued.alive if queued else not await request.request.is_disconnected()

    return here


async def attended(work: asyncio.Future, here: Callable, leave: Callable[[], None]):
    """The result of `work`; calls leave(), at which it should end soon, once not here(), or this is cancelled."""
    work.add_done_callback(lambda done: done.cancelled() or done.exception())  # which is then no surprise to asyncio
    try:
        while not work.done() and await here():
            await asyncio.wait({work}, timeout=LOOK)
    finally:
        leave()
    await asyncio.wait({work})
    return work.result()
