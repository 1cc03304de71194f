"""The trial of many visits: pages that are opened and left, answers that are cut. Used by `tests.trials`."""

from __future__ import annotations

import asyncio
import signal
import time
import uuid
from pathlib import Path

import httpx

from tests.browser.conftest import start_server

AT_ONCE, SETTLING = 10, 40  # visitors; seconds in which what was left has to be gone


def taken(process: int) -> dict[str, float]:
    """Threads, open handles, and megabytes of memory of a process."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines())
    return {
        "threads": int(status["Threads"]),
        "handles": len(list(Path(f"/proc/{process}/fd").iterdir())),
        "megabytes": int(status["VmRSS"].split()[0]) / 1024,
    }


async def _visit(client, dice):
    """As a browser does: the page, what its address says, and an answer that is cut when it goes."""
    visit = {"visit": uuid.UUID(int=dice.getrandbits(128)).hex}
    await client.get("/")
    (await client.post("/explorer-ask/open", json={**visit, "query": "?steps=9"})).raise_for_status()
    lines = dice.randint(0, 3)
    async with client.stream("POST", "/explorer-ask/loss", json={**visit, "serial": 1, "values": {}}) as answer:
        answer.raise_for_status()
        async for _ in answer.aiter_lines():
            lines -= 1
            if lines <= 0:
                return


async def _visits(address, count, dice):
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=address, timeout=60, limits=limits) as client:
        left = iter(range(count))

        async def visitor():
            for _ in left:
                await _visit(client, dice)

        await asyncio.gather(*(visitor() for _ in range(AT_ONCE)))


def _after(process, address, count, dice) -> dict[str, float]:
    """What the server takes after so many visits more, once it has had time to forget them."""
    asyncio.run(_visits(address, count, dice))
    time.sleep(SETTLING)
    httpx.get(f"{address}config")  # threads that have been idle end when the next one is wanted
    time.sleep(2)
    return taken(process.pid)


def visits(folder, dice, count=1000):
    """Pages that are opened and left, their answers cut: afterwards the server takes what it took after the first."""
    process, address = start_server("--runs", str(folder))
    try:
        first = _after(process, address, count // 10, dice)
        then = _after(process, address, count - count // 10, dice)
    finally:
        process.send_signal(signal.SIGINT)
        log, _ = process.communicate(timeout=30)
    for what, more in (("threads", 2), ("handles", 2), ("megabytes", 25)):
        assert then[what] <= first[what] + more, (first, then)
    assert "Traceback" not in log, log
    for number, found in ((count // 10, first), (count, then)):
        yield f"after {number:,} visits that were cut: " + ", ".join(f"{v:,.0f} {what}" for what, v in found.items())
