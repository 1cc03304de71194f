"""Training through the page: the page with many runs, beside a run's own speed, and a class of thirty."""

from __future__ import annotations

import json
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from statistics import median

from playwright.sync_api import sync_playwright

from edm import runs
from tests.benchmarks.classroom import SECONDS, VISITORS, lesson
from tests.benchmarks.served import training_served
from tests.benchmarks.table import Row
from tests.benchmarks.watching import throughput
from tests.browser.conftest import FLAGS, ROOT, Explorer, chromium
from tests.edm.runs import points

SHOWN = (
    "document.querySelectorAll('.run').length === 52"
    " && document.querySelectorAll('.curves .chart[data-drawn]').length === 2"
)

CROWDED = (
    ("the page with 52 runs, one of 100,000 points: opened on Train", 1500),
    ("the same: Train in a page that is open", 1500),
    ("the same: an update, from question to painted", 150),
)

# A round of polling, from the question to the frame after what is new was drawn, in ms.
POLL = """() => new Promise((resolve) => {
  const root = document.querySelector(".explorer"), before = root.dataset.polls, start = performance.now();
  const watch = new MutationObserver(() => {
    if (root.dataset.polls === before) return;
    watch.disconnect();
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - start)));
  });
  watch.observe(root, { attributes: true });
  document.dispatchEvent(new Event("visibilitychange"));
})"""


def many(folder, finished=50, lines=100_000):
    """A runs folder with finished runs, one with a long history, and two that go on."""
    first = runs.start(points(images=6400, tick=640), folder, "cpu", "done-00")
    while not runs.read(first).over:
        runs.advance(folder)
        time.sleep(0.2)
    for number in range(1, finished):
        shutil.copytree(first, folder / f"done-{number:02}", symlinks=True)
    line = runs.metrics_since(first).lines[-1]
    with open(folder / "done-01" / "metrics.jsonl", "w") as file:
        for k in range(1, lines + 1):
            file.write(json.dumps({**line, "images": 64 * k, "loss": 1 / k**0.3, "seconds": k / 10}) + "\n")
    long = points(images=10**8, batch=64, tick=6400, checkpoint=64_000)
    for name in ("going-1", "going-2"):
        runs.start(long, folder, "cpu", name)
    runs.advance(folder, at_once=2)


def crowded(browser, tree):
    """(ms until the tab shows all, of its opening in an open page, of an update)."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "runs")
        many(folder)
        with training_served(folder, tree) as address:
            whole, tab, updates = [], [], []
            Explorer(browser, address, "?tab=train&train.runs=done-01").context.close()  # histories are read once
            for _ in range(3):
                explorer = Explorer(browser, address, "")
                began = time.perf_counter()
                explorer.page.click('text="Train"')
                explorer.page.wait_for_function(SHOWN, polling=20)
                tab.append(time.perf_counter() - began)
                explorer.context.close()
                context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
                page, began = context.new_page(), time.perf_counter()
                page.goto(f"{address}?tab=train&train.runs=going-1,done-01")
                page.wait_for_function(SHOWN, polling=20)
                whole.append(time.perf_counter() - began)
                for _ in range(3):
                    time.sleep(1.1)
                    updates.append(page.evaluate(POLL))
                context.close()
            return 1000 * median(whole), 1000 * median(tab), median(updates)


def rows(options, tree: Path | None):
    ratios, share = throughput()
    yield Row("training alone / shown by a page on the same cores", None, "", 1.03, ratios=ratios)
    yield Row("the same: what server and browser take of all cores", share, "%", 3)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        found = [crowded(browser, path) for path in (ROOT, tree) if path]
        for k, (what, asked) in enumerate(CROWDED):
            yield Row(what, found[0][k], "ms", asked, *(one[k] for one in found[1:]))
        took, wrong = lesson(browser)
        for name, times in took.items():
            cuts = statistics.quantiles(times, n=20)
            for title, k in (("p50", 9), ("p95", 18)):
                yield Row(f"{VISITORS} visitors, {SECONDS} s, {len(times)} × {name}, {title}", cuts[k])
        for sentence in wrong:
            print(sentence)
        yield Row(f"{VISITORS} visitors: errors, and states that crossed", len(wrong), "", 0)
        browser.close()
