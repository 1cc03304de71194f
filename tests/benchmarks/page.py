"""The page, in a real headless Chromium: what a knob's move takes, of this tree and of the one before in turns."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from playwright.sync_api import sync_playwright

from tests.benchmarks.served import family, served
from tests.benchmarks.table import Row
from tests.browser.conftest import FLAGS, ROOT, Explorer, chromium

# From an input event on a knob to the frame after the paint that shows its result: [first picture, finished], in ms.
MOVE = """([name, value]) => new Promise((resolve, reject) => {
  const root = document.querySelector(".explorer"), knob = document.querySelector(`[data-knob="${name}"]`);
  const before = Number(root.dataset.serial), start = performance.now();
  let first = null;
  const watch = new MutationObserver(() => {
    if (Number(root.dataset.serial) <= before) return;
    first ??= performance.now() - start;
    if (root.dataset.finished !== "true") return;
    watch.disconnect();
    requestAnimationFrame(() => setTimeout(() => resolve([first, performance.now() - start])));
  });
  watch.observe(root, { attributes: true });
  knob.value = value;
  knob.dispatchEvent(new Event("input", { bubbles: true }));
  setTimeout(() => reject("no answer"), 60000);
})"""


def moves(explorer, knob, values, pause=0.25):
    """[(first picture, finished)] in ms for each move."""
    taken = []
    for value in values:
        taken.append(explorer.page.evaluate(MOVE, [knob, value]))
        time.sleep(pause)
    return taken


def opened(browser, address, query):
    """A page that is itself idle, and warm."""
    explorer = Explorer(browser, address, query)
    explorer.page.click(".play")  # pause
    moves(explorer, "rho", [5, 6, 5])
    return explorer


def in_turns(browser, addresses, query, values, pause):
    """Of each address: (median of the first picture, of the finished one)."""
    explorers = [opened(browser, address, query) for address in addresses]
    taken = [[] for _ in explorers]
    for value in values:
        for explorer, times in zip(explorers, taken, strict=True):
            times += moves(explorer, "rho", [value], pause)
    for explorer in explorers:
        explorer.context.close()
    return [tuple(map(median, zip(*times, strict=True))) for times in taken]


def knobs(browser, addresses, count):
    """addresses: of the server of this tree, and of the one before, if there is one."""
    values = [2 + 0.1 * i for i in range(count)]
    for model, query in (("eight Gaussians", ""), ("spiral", "&model=spiral"), ("with churn", "&S_churn=20")):
        found = in_turns(browser, addresses, f"?steps=40{query}", values, 0.15)
        yield Row(f"toy knob → repaint, 400 × 40, {model}", found[0][1], "ms", 50, *(one[1] for one in found[1:]))
    for model, whole in (("digits", 300), ("digits_edm", 300), ("scenes_edm", None)):
        found = in_turns(browser, addresses, f"?model={model}", values[: count // 4], 0.4)
        for title, k, asked in (("first preview", 0, 150), ("finished", 1, whole)):
            what = f"16 {model}, N = 18: knob → {title}"
            yield Row(what, found[0][k], "ms", asked, *(one[k] for one in found[1:]))
    few = in_turns(browser, addresses, "?model=scenes_edm&solver=ipndm&order=3&steps=12", values[: count // 4], 0.4)
    what = "16 scenes_edm, 12 evaluations, as its previews: knob → finished"
    yield Row(what, few[0][1], "ms", 500, *(one[1] for one in few[1:]))


def memory(browser, address, process, count):
    """Growth of browser heap and server memory over `count` moves, in MB, after as many as warm them up."""

    def resident():
        return sum(one.memory_info().rss for one in family(process)) / 1e6

    explorer = Explorer(browser, address, "?steps=40")
    session = explorer.context.new_cdp_session(explorer.page)

    def heap():
        session.send("HeapProfiler.collectGarbage")
        return explorer.page.evaluate("performance.memory.usedJSHeapSize") / 1e6

    readings = []
    for part in range(3):
        moves(explorer, "rho", [1 + (part * count + i) % 130 / 10 for i in range(count // 2)], pause=0)
        readings.append((heap(), resident()))
    explorer.context.close()
    return readings


def rows(options, tree: Path | None):
    with sync_playwright() as playwright, ExitStack() as stack:
        servers = [stack.enter_context(served(path)) for path in (ROOT, tree) if path]
        flags = [*FLAGS, "--enable-precise-memory-info", "--js-flags=--expose-gc"]
        browser = playwright.chromium.launch(executable_path=chromium(), args=flags)
        yield from knobs(browser, [address for _, address in servers], options.moves)
        process, address = servers[0]
        readings = memory(browser, address, process, options.memory_moves)
        browser.close()
    for name, k in (("browser heap", 0), ("server", 1)):
        last, first = readings[-1][k], readings[0][k]
        yield Row(f"{name} after {options.memory_moves} moves / before ({first:.0f} MB)", last / first, "×", 1.1)
