"""The instruments in a real browser: first answers, whole comparisons, cancelling, memory."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

import torch
from playwright.sync_api import sync_playwright

from app.instruments import INSTRUMENTS
from app.work.tickets import Superseded, Tickets
from app.work.watch import Watch
from tests.app.instruments import bodies
from tests.benchmarks.served import served
from tests.benchmarks.table import Row
from tests.browser.conftest import FLAGS, Explorer, chromium

MOVES, CHANGES = 5, 120  # of a knob: for a median, and for the memory

# milliseconds from the change of a knob to the first answer that is painted / to a condition
TIMER = """([name, attribute, value, wanted]) => new Promise((resolve, reject) => {
    const node = document.querySelector(`.instrument[data-show=${name}]`);
    const before = node.dataset[attribute], start = performance.now();
    setTimeout(() => reject(new Error(`no ${attribute} after ${wanted} = ${value} in ${name}`)), 30000);
    const seen = new MutationObserver(() => {
        if (node.dataset[attribute] === before) return;
        seen.disconnect();
        requestAnimationFrame(() => resolve(performance.now() - start));
    });
    seen.observe(node, { attributes: true });
    const knob = document.querySelector(`.tab:not([hidden]) [data-knob='${wanted}']`);
    knob.value = value;
    knob.dispatchEvent(new Event('input', { bubbles: true }));
    knob.dispatchEvent(new Event('change', { bubbles: true }));
})"""


def first_slider(explorer):
    """The first slider of the instrument that is shown: [name, positions]."""
    return explorer.page.evaluate(
        """() => { const r = [...document.querySelectorAll('.tab:not([hidden]) .knobs input[type=range]')]
            .find((node) => node.offsetParent); return r && [r.dataset.knob, Number(r.min), Number(r.max)]; }"""
    )


def answers(explorer, name, attribute, count, knob=None):
    found = knob or first_slider(explorer)
    if not found:
        return None
    wanted, low, high = found
    taken = []
    for k in range(count):
        value = low + (high - low) * ((k * 0.37 + 0.21) % 1)
        taken.append(explorer.page.evaluate(TIMER, [name, attribute, round(value), wanted]))
        explorer.page.wait_for_timeout(150)
    return median(taken)


def cancelling():
    """Evaluations that an overtaken sweep still makes."""
    tickets, calls = Tickets(), []

    def count():
        calls.append(1)
        if len(calls) == 400:
            tickets.take("someone", "sweep", 2)

    try:
        list(bodies("sweep", Watch(tickets.take("someone", "sweep", 1, None, count))))
    except Superseded:
        return len(calls) - 400
    raise RuntimeError("the sweep was not cancelled")


def memory(explorer, count):
    """(browser, after) heap in MB before and after `count` changes."""
    session = explorer.context.new_cdp_session(explorer.page)

    def heap():
        session.send("HeapProfiler.collectGarbage")
        return explorer.page.evaluate("performance.memory.usedJSHeapSize") / 1e6

    answers(explorer, "lanes", "messages", 20)
    before = heap()
    answers(explorer, "lanes", "messages", count)
    return before, heap()


def rows(options, tree: Path | None):
    torch.set_num_threads(1)
    yield Row("evaluations after a sweep was overtaken", cancelling(), "", 1)
    with served() as (_, address), sync_playwright() as playwright:
        flags = [*FLAGS, "--enable-precise-memory-info", "--js-flags=--expose-gc"]
        browser = playwright.chromium.launch(executable_path=chromium(), args=flags)
        for name in INSTRUMENTS:
            explorer = Explorer(browser, address, f"?show={name}")
            explorer.page.wait_for_selector(f".instrument[data-show={name}][data-messages]")
            time.sleep(1)
            taken = answers(explorer, name, "messages", MOVES)
            if taken is not None:
                yield Row(f"{name}: knob → first answer painted", taken, "ms", 300)
            explorer.context.close()
        for query, title, asked in (
            ("?show=lanes", "four lanes, toy, exact", 250),
            (
                "?show=lanes&lanes.data=digits&lanes.denoiser=own&lanes.equal=steps&lanes.steps=18",
                "four lanes, digits",
                1500,
            ),
        ):
            explorer = Explorer(browser, address, query)
            explorer.page.wait_for_selector(".instrument[data-complete]", timeout=60_000)
            taken = answers(explorer, "lanes", "complete", MOVES)
            yield Row(f"{title}: knob → all four painted", taken, "ms", asked)
            explorer.context.close()
        explorer = Explorer(browser, address, "?show=lanes&lanes.nfe=12")
        explorer.page.wait_for_selector(".instrument[data-complete]")
        before, after = memory(explorer, CHANGES)
        yield Row(f"browser heap after {CHANGES} changes / before ({before:.0f} MB)", after / before, "×", 1.1)
        browser.close()
