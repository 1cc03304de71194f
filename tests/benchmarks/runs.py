"""Training through the page beside training in a terminal, the page with many runs, and a class of thirty."""

from __future__ import annotations

import json
import os
import shutil
import signal
import statistics
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from gradio_client import Client
from playwright.sync_api import sync_playwright

from edm import runs
from edm.training.settings import Training
from tests.benchmarks.page import median
from tests.browser.conftest import FLAGS, Explorer, chromium, start_server
from tests.edm.runs import points

DIGITS = {
    "data": {"dataset": "digits"},
    "architecture": {"channels": 32, "channel_mult": [1, 2], "blocks": 1, "attention": []},
    "images": 10**6,
    "batch": 32,
    "tick": 2400,
    "checkpoint": 4800,
}
VISITORS, PAGES, SECONDS = 30, 6, 60
MODELS = ("eight_gaussians", "spiral", "two_moons")
SHOWN = (
    "document.querySelectorAll('.run').length === 52"
    " && document.querySelectorAll('.curves .chart[data-drawn]').length === 2"
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

# What a visitor of the Sampler does: one knob after the other, at the pace of a person. Times from input to painted.
SAMPLER = """([k, seconds]) => {
  const root = document.querySelector(".explorer"), knob = document.querySelector("[data-knob=rho]");
  const end = performance.now() + 1000 * seconds;
  window.took = [];
  const move = () => {
    if (performance.now() > end) {
      knob.value = 5;
      knob.dispatchEvent(new Event("input", { bubbles: true }));
      return (window.over = true);
    }
    const start = performance.now(), before = Number(root.dataset.serial);
    const watch = new MutationObserver(() => {
      if (Number(root.dataset.serial) <= before) return;
      watch.disconnect();
      requestAnimationFrame(() => setTimeout(() => window.took.push(performance.now() - start)));
    });
    watch.observe(root, { attributes: true });
    knob.value = 2 + ((k * 7 + window.took.length * 13) % 100) / 10;
    knob.dispatchEvent(new Event("input", { bubbles: true }));
    setTimeout(move, 1500 + ((k * 37 + window.took.length * 101) % 1500));
  };
  setTimeout(move, (k * 71) % 1500);
}"""

# What a visitor of Train does: chooses a seed, reads what it would take, and starts a run half a minute later.
TRAIN = """([k, seconds]) => {
  const root = document.querySelector(".explorer"), form = document.querySelector(".form");
  const knob = form.querySelector("[data-knob=seed]"), end = performance.now() + 1000 * seconds;
  window.took = [];
  const move = () => {
    if (performance.now() > end) return (window.over = true);
    const start = performance.now(), before = form.dataset.planned;
    const watch = new MutationObserver(() => {
      if (form.dataset.planned === before) return;
      watch.disconnect();
      window.took.push(performance.now() - start);
    });
    watch.observe(form, { attributes: true });
    knob.value = Number(knob.value) === 3 ? 4 : 3;
    knob.dispatchEvent(new Event("input", { bubbles: true }));
    setTimeout(move, 4000 + ((k * 37) % 1500));
  };
  setTimeout(move, (k * 71) % 1500);
  setTimeout(() => document.querySelector("[data-action=start]").click(), 1000 * (5 + (k % 10)));
}"""


@contextmanager
def served(folder):
    process, address = start_server("--runs", str(folder))
    try:
        yield address
    finally:
        process.terminate()
        output, _ = process.communicate(timeout=30)
        for run in runs.all_runs(folder):
            if not run.over:
                runs.stop(run.folder, grace=1)
        while not all(run.over for run in runs.all_runs(folder)):
            runs.advance(folder)
            time.sleep(0.2)
        assert "Traceback" not in output, output


def throughput(repeats=8, seconds=5):
    """(rate of a run alone over its rate while a page shows it, in turns: page and server are stopped and go on;
    percent of this machine's cores that server and browser take of it)."""
    ratios, shares = [], []
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        mark = "EDM_BENCHMARK=watching"
        with marked(mark), served(Path(place)) as address:
            browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
            run = runs.start(Training.parse(DIGITS), place, "cpu", "watched")
            Explorer(browser, address, f"?tab=train&train.runs={run.name}").page.wait_for_selector(".reel[data-images]")
            time.sleep(5)
            for _ in range(repeats):
                rates = {}
                for number in (signal.SIGCONT, signal.SIGSTOP):
                    for process in having(mark):
                        os.kill(process, number)
                    before, began = spending(having(mark)), time.monotonic()
                    rates[number] = rate(run, seconds)
                    if number == signal.SIGCONT:
                        shares.append((spending(having(mark)) - before) / (time.monotonic() - began) / os.cpu_count())
                ratios.append(rates[signal.SIGSTOP] / rates[signal.SIGCONT])
            for process in having(mark):
                os.kill(process, signal.SIGCONT)
            browser.close()
    return median(ratios), 100 * median(shares)


def spending(numbers) -> float:
    """Seconds that processes have computed."""
    ticks = 0
    for number in numbers:
        with suppress(OSError):
            fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def rate(run, seconds):
    """Images a second, by two of its signs of life."""
    signs = []
    for _ in range(2):
        time.sleep(1.5 if not signs else seconds)
        signs.append(json.loads((run / "status.json").read_text()))
    return (signs[1]["images"] - signs[0]["images"]) / (signs[1]["heartbeat"] - signs[0]["heartbeat"])


@contextmanager
def marked(mark):
    """What is started meanwhile carries a mark in its environment, but for workers."""
    name, _, value = mark.partition("=")
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]


def having(mark):
    """Numbers of processes with the mark, but for this one and the workers of runs."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            environment, command = ((entry / part).read_bytes() for part in ("environ", "cmdline"))
            if mark.encode() in environment and b"--beginning" not in command and b"node" not in command:
                found.append(int(entry.name))
    return [number for number in found if number != os.getpid()]


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


def crowded(browser):
    """(seconds until the tab shows all, of its opening in an open page, ms of an update)."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "runs")
        many(folder)
        with served(folder) as address:
            whole, tab, updates = [], [], []
            Explorer(browser, address, "?tab=train&train.runs=done-01").context.close()  # histories are read once
            for _ in range(5):
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
                for _ in range(6):
                    time.sleep(1.1)
                    updates.append(page.evaluate(POLL))
                context.close()
            return median(whole), median(tab), median(updates)


def call(address, k, over):
    """A visitor whose browser is elsewhere, which on this machine would take more than the server: (ms, wrong)."""
    client, took, wrong = Client(address, verbose=False), [], []
    while not over.wait(10 + (k * 37 + len(took) * 101) % 100 / 10):
        seed, start = 1000 * k + len(took), time.perf_counter()
        document = {"model": MODELS[k % len(MODELS)], "count": 400, "sampling": {"steps": 20, "seed": seed}}
        settings = client.predict(document, api_name="/sample")["settings"]
        took.append(1000 * (time.perf_counter() - start))
        if (settings.get("model", MODELS[0]), settings["sampling"].get("seed", 0)) != (document["model"], seed):
            wrong.append(f"visitor {k} asked for {document} and got {settings}")
    return took, wrong


def visitors(browser):
    """({kind: ms}, [what went wrong]) of PAGES visitors in a real browser, and scripts for the others."""
    wrong, took, over = [], {"knob → repaint": [], "form → estimate": [], "script → samples": []}, threading.Event()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "runs")
        with served(folder) as address, ThreadPoolExecutor(VISITORS) as pool:
            pages = []
            for k in range(PAGES):
                run = f"?tab=train&train.data=spiral&train.images=2000&train.name=visitor-{k}"
                query = run if k % 3 == 2 else f"?steps=20&seed={k // 3}"
                pages.append((k, k % 3 == 2, Explorer(browser, address, query)))
            others = [pool.submit(call, address, k, over) for k in range(PAGES, VISITORS)]
            time.sleep(20)  # until they are all there
            for k, trains, explorer in pages:
                explorer.page.evaluate(TRAIN if trains else SAMPLER, [k, SECONDS])
            for _, _, explorer in pages:
                explorer.page.wait_for_function("window.over", timeout=1000 * (SECONDS + 60), polling=200)
            over.set()
            for other in others:
                times, mistakes = other.result()
                took["script → samples"] += times
                wrong += mistakes
            pictures = {}
            for k, trains, explorer in pages:
                if trains:
                    if f"train.runs=visitor-{k}" not in explorer.query:
                        wrong.append(f"visitor {k} watches another's run: {explorer.query}")
                else:
                    explorer.settled()
                    pictures.setdefault(k // 3, set()).add(explorer.pixels().tobytes())
                took["form → estimate" if trains else "knob → repaint"] += explorer.page.evaluate("window.took")
                wrong += [f"visitor {k}: {error}" for error in explorer.errors]
            for seed, found in pictures.items():
                if len(found) > 1:
                    wrong.append(f"visitors with seed {seed} see different pictures")
            if len(set().union(*pictures.values())) != len(pictures):
                wrong.append("visitors with different seeds see the same picture")
            for _, _, explorer in pages:
                explorer.context.close()
        names = {run.name for run in runs.all_runs(folder)}
    wrong += [f"visitor {k} has no run" for k, trains, _ in pages if trains and f"visitor-{k}" not in names]
    return took, wrong


def rows(options):
    """(what, got, asked, unit) for each budget."""
    ratio, share = throughput()
    yield "training alone / shown by a page on the same cores", ratio, 1.03, "×"
    yield "the same: what server and browser take of all cores", share, 3, "%"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        whole, tab, update = crowded(browser)
        yield "the page with 52 runs, one of 100,000 points: opened on Train", 1000 * whole, 1500, "ms"
        yield "the same: Train in a page that is open", 1000 * tab, 1500, "ms"
        yield "the same: an update, from question to painted", update, 150, "ms"
        took, wrong = visitors(browser)
        for name, times in took.items():
            cuts = statistics.quantiles(times, n=20)
            yield f"{VISITORS} visitors, {SECONDS} s, {len(times)} × {name}, p50", cuts[9], float("inf"), "ms"
            yield f"{VISITORS} visitors, {SECONDS} s, {len(times)} × {name}, p95", cuts[18], float("inf"), "ms"
        for sentence in wrong:
            print(sentence)
        yield f"{VISITORS} visitors: errors, and states that crossed", len(wrong), 0, ""
        browser.close()
