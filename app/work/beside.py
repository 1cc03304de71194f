"""What takes its time is done beside the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from concurrent.futures import ThreadPoolExecutor

THREADS = 256  # that work, or wait for their turn
_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="answers")


def beside(items: Generator[bytes] | AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """The items, those of a plain generator each waited for in a thread.

    Closing this closes the generator; a plain one once it is not at work.
    """
    return items if isinstance(items, AsyncGenerator) else _threaded(items)


async def _threaded(items):
    step = _threads.submit(next, items, None)
    try:
        while (item := await asyncio.wrap_future(step)) is not None:
            yield item
            step = _threads.submit(next, items, None)
    finally:
        step.add_done_callback(lambda _: items.close())
