"""Coroutines in tests: a browser that is under test keeps an event loop of its own in the main thread."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing


def run(coroutine):
    """The result of a coroutine, run in a thread of its own."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


def items(generator, most=None) -> list:
    """What an asynchronous generator gives, or so many of it; then it is closed."""

    async def given():
        found = []
        async with aclosing(generator):
            async for item in generator:
                found.append(item)
                if len(found) == most:
                    break
        return found

    return run(given())
