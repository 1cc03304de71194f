"""A class of thirty: some in real browsers, at the Sampler and at Train, and scripts for the others."""

from __future__ import annotations

import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gradio_client import Client

from edm import runs
from tests.benchmarks.served import training_served
from tests.browser.conftest import Explorer

VISITORS, PAGES, SECONDS = 30, 6, 20
MODELS = ("eight_gaussians", "spiral", "two_moons")

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
  setTimeout(() => document.querySelector("[data-action=start]").click(), 1000 * (3 + (k % 10)));
}"""


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


def lesson(browser):
    """({kind: ms}, [what went wrong]) of PAGES visitors in a real browser, and scripts for the others."""
    wrong, took, over = [], {"knob → repaint": [], "form → estimate": [], "script → samples": []}, threading.Event()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "runs")
        with training_served(folder) as address, ThreadPoolExecutor(VISITORS) as pool:
            pages = []
            for k in range(PAGES):
                run = f"?tab=train&train.data=spiral&train.images=2000&train.name=visitor-{k}"
                query = run if k % 3 == 2 else f"?steps=20&seed={k // 3}"
                pages.append((k, k % 3 == 2, Explorer(browser, address, query)))
            others = [pool.submit(call, address, k, over) for k in range(PAGES, VISITORS)]
            time.sleep(10)  # until they are all there
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
