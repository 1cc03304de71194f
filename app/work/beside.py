"""What takes its time is done beside the event loop."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import aclosing, suppress

import anyio

_THREADS = anyio.CapacityLimiter(1000)  # one for each answer that is computed or waits for its turn


async def beside(items: Iterator[bytes] | AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """The items; each of a plain iterator is waited for in a thread.

    Closing this closes the iterator; one that is at work just then goes on until it sees that nobody wants it.
    """
    if isinstance(items, AsyncGenerator):
        async with aclosing(items):
            async for item in items:
                yield item
        return
    try:
        while (item := await anyio.to_thread.run_sync(next, items, None, limiter=_THREADS)) is not None:
            yield item
    finally:
        if isinstance(items, Generator):
            with suppress(ValueError):  # it is at work
                items.close()
