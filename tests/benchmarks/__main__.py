"""python -m tests.benchmarks: what the page and the library are asked to do, and what they do here.

Medians, in a real headless Chromium on this machine. Prints a table; asserts nothing.
"""

from __future__ import annotations

import argparse
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
    explorer = steady("?model=digits")
    taken = moves(explorer, "rho", values)
    yield "16 digits, N = 18: knob → first preview", median(t[0] for t in taken), 200, "ms"
    yield "16 digits, N = 18: knob → finished", median(t[1] for t in taken), 400, "ms"
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


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--moves", type=int, default=24, help="moves of a knob for each median (default: %(default)s)")
    parser.add_argument("--memory-moves", type=int, default=500, help="moves for the memory (default: %(default)s)")
    options = parser.parse_args()
    rows = []
    ratio, parameters = sampler_loop()
    rows.append((f"sampler loop / bare calls, {parameters / 1e6:.1f} M parameters, batch 8", ratio, 1.03, "×"))
    starts = []
    for _ in range(3):
        begun = time.perf_counter()
        process, address = start_server()
        starts.append(time.perf_counter() - begun)
        process.terminate()
        process.wait()
    rows.append(("python -m app → server answers", median(starts), 8, "s"))
    process, address = start_server()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium(), args=[*FLAGS, "--enable-precise-memory-info", "--js-flags=--expose-gc"]
        )
        rows.append(("page opened → first picture", opening(browser, address), 3, "s"))
        rows += page_benchmarks(browser, address, options.moves)
        readings = memory(browser, address, process, options.memory_moves)
        browser.close()
    process.terminate()
    process.wait()
    print(f"\n{'what':62} {'got':>9} {'asked':>9}")
    for what, got, asked, unit in rows:
        print(f"{what:62} {got:7.3g} {unit:2} {asked:6g} {unit:2} {'' if got <= asked else '  over'}")
    print(f"\nmemory over {options.memory_moves} moves more, after {options.memory_moves // 2} to warm up (MB):")
    for name, k in (("browser heap", 0), ("server", 1)):
        print(f"  {name}: " + " → ".join(f"{reading[k]:.0f}" for reading in readings))


if __name__ == "__main__":
    main()
