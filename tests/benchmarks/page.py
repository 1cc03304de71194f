"""The page, in a real headless Chromium, and the sampler's loop."""

from __future__ import annotations

import statistics
import time

import torch

import edm
from tests.browser.conftest import FLAGS, Explorer, chromium, start_server

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
  setTimeout(() => reject("no answer"), 10000);
})"""


def moves(explorer, knob, values, pause=0.25):
    """[(first picture, finished)] in ms for each move."""
    taken = []
    for value in values:
        taken.append(explorer.page.evaluate(MOVE, [knob, value]))
        time.sleep(pause)
    return taken


def median(values):
    return statistics.median(values)


def page_benchmarks(browser, address, count):
    def steady(query):
        explorer = Explorer(browser, address, query)
        explorer.page.click(".play")  # pause: the page itself is idle
        moves(explorer, "rho", [5, 6, 5])
        return explorer

    values = [2 + 0.1 * i for i in range(count)]
    for model, query in (("eight Gaussians", ""), ("spiral", "&model=spiral"), ("with churn", "&S_churn=20")):
        explorer = steady(f"?steps=40{query}")
        taken = moves(explorer, "rho", values)
        yield f"toy knob → repaint, 400 × 40, {model}", median(t[1] for t in taken), 100, "ms"
        explorer.context.close()
    for model, first, finished in (("digits", 200, 400), ("digits_edm", 200, 400), ("scenes_edm", 200, 1300)):
        explorer = steady(f"?model={model}")
        taken = moves(explorer, "rho", values, pause=0.25 if model == "digits" else 1)
        yield f"16 {model}, N = 18: knob → first preview", median(t[0] for t in taken), first, "ms"
        yield f"16 {model}, N = 18: knob → finished", median(t[1] for t in taken), finished, "ms"
        explorer.context.close()


def opening(browser, address, count=5):
    taken = []
    for _ in range(count):
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        page, start = context.new_page(), time.perf_counter()
        page.goto(address)
        page.wait_for_selector(".explorer[data-serial]")
        taken.append(time.perf_counter() - start)
        context.close()
    return median(taken)


def memory(browser, address, process, count):
    """Growth of browser heap and server memory over `count` moves, in MB, after as many as warm them up."""

    def resident():
        with open(f"/proc/{process.pid}/statm") as file:
            return int(file.read().split()[1]) * 4096 / 1e6

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


def sampler_loop(repeats=9):
    """Time of a run over the time of as many bare calls, side by side; a 1.2 M-parameter convolutional stand-in."""
    torch.set_num_threads(2)
    layers = [torch.nn.Conv2d(3, 128, 3, padding=1)]
    for _ in range(8):
        layers += [torch.nn.SiLU(), torch.nn.Conv2d(128, 128, 3, padding=1)]
    network = torch.nn.Sequential(*layers, torch.nn.Conv2d(128, 3, 3, padding=1)).eval()
    parameters = sum(p.numel() for p in network.parameters())
    latents = edm.latents(edm.seeds(0, 8), (3, 32, 32))
    sampling = edm.Sampling(steps=6)

    def denoiser(x, sigma):
        return network(x) * 1e-3

    def bare():
        with torch.no_grad():
            for _ in range(11):
                denoiser(latents, 1.0)

    def ours():
        edm.last(edm.sample(denoiser, latents, sampling))

    ratios = []
    for _ in range(repeats):
        times = {}
        for name, run in (("bare", bare), ("ours", ours), ("ours again", ours), ("bare again", bare)):
            start = time.perf_counter()
            run()
            times[name] = time.perf_counter() - start
        ratios.append((times["ours"] + times["ours again"]) / (times["bare"] + times["bare again"]))
    return median(ratios), parameters


def rows(options):
    """(what, got, asked, unit) for each budget, and the memory's readings as text."""
    ratio, parameters = sampler_loop()
    yield f"sampler loop / bare calls, {parameters / 1e6:.1f} M parameters, batch 8", ratio, 1.03, "×"
    starts = []
    for _ in range(3):
        begun = time.perf_counter()
        process, address = start_server()
        starts.append(time.perf_counter() - begun)
        process.terminate()
        process.wait()
    yield "python -m app → server answers", median(starts), 8, "s"
    process, address = start_server()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium(), args=[*FLAGS, "--enable-precise-memory-info", "--js-flags=--expose-gc"]
        )
        yield "page opened → first picture", opening(browser, address), 3, "s"
        yield from page_benchmarks(browser, address, options.moves)
        readings = memory(browser, address, process, options.memory_moves)
        browser.close()
    process.terminate()
    process.wait()
    for name, k in (("browser heap", 0), ("server", 1)):
        last, first = readings[-1][k], readings[0][k]
        yield f"{name} after {options.memory_moves} moves / before ({first:.0f} MB)", last / first, 1.1, "×"
