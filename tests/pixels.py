"""python -m tests.pixels FOLDER [--before FOLDER]: pictures of every tab and instrument of the page, and what changed.

Two sizes and two themes, fixed seeds, nothing moves. What time decides is left blank: milliseconds, estimates, and how
far a refining figure has come. With --before, each picture is held against the one of the same name there; those that
differ are listed with the number of their pixels that do, and painted red in FOLDER/differences. With --compare
nothing is drawn anew. The exit code is 1 where anything differs.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image
from playwright.sync_api import Error, sync_playwright

from tests.browser.conftest import FLAGS, Explorer, chromium, start_server
from tests.fixtures.make import SHOWN
from tests.fixtures.numbers import BEFORE

SIZES = ((1280, 800), (1920, 1080))
THEMES = ("light", "dark")
STREAMS = ("loss", "oracle", "training")  # instruments that refine as long as they may
SAMPLER = {
    "points": "?model=spiral&steps=9&seed=2&count=200",
    "follow": "?model=pinwheel&solver=euler&discretization=ve&steps=11&S_churn=3&count=150&view.coordinates=data",
    "arrows": "?steps=9&view.field=on",
    "line": "?model=two_diracs&steps=9&schedule=vp",
    "digits": "?model=digits&steps=9",
    "network": "?model=digits_edm&steps=5&label=3",
    "drawn": "?model=drawn&points=0,1,1.5,-0.5&sigmas=20,3,0.5",
    "pinned": "?steps=7&pin.steps=5&pin.solver=euler",
    "notice": "?steps=9&rho=0&nonsense=4",
}
TRAIN = {
    "form": "?tab=train&train.data=digits&train.design=vp",
    "run": "?tab=train&train.runs=moons",
    "runs": "?tab=train&train.runs=moons,digits",
}
BLANK = """
.estimate { visibility: hidden !important }
* { animation: none !important; transition: none !important; caret-color: transparent !important }
"""
TIMELESS = """() => {
  for (const span of document.querySelectorAll("span"))
    if (/^[\\d.,]+ ms$/.test(span.textContent)) span.querySelector("b").textContent = "0";
}"""
REFINING = ".instrument :is(.figure, .foot) { visibility: hidden !important }"


def links() -> dict[str, str]:
    """Addresses by the names of their pictures."""
    found = {f"sampler-{name}": query for name, query in SAMPLER.items()}
    found |= {f"train-{name}": query for name, query in TRAIN.items()}
    for query in (*SHOWN, *(f"?show={name}" for name in STREAMS)):
        name = query.split("show=")[1].split("&")[0]
        number = sum(key.startswith(f"{name}-") for key in found)
        found[f"{name}-{number}"] = query
    return found


def draw(folder: Path, names, sizes, themes) -> None:
    """One picture for each address, size and theme."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as place:
        runs = shutil.copytree(BEFORE / "runs", Path(place, "runs"))
        for file in runs.rglob("*"):
            os.utime(file, (1_700_000_000, 1_700_000_000))
        process, address = start_server("--runs", str(runs))
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
                explorer = Explorer(browser, address)
                for name, query in links().items():
                    if names and not any(name.startswith(one) for one in names):
                        continue
                    for size in sizes:
                        for theme in themes:
                            path = folder / f"{name}-{size[0]}x{size[1]}-{theme}.png"
                            picture(explorer, query, size, theme, path)
                            print(path.name, flush=True)
                browser.close()
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)


def picture(explorer, query, size, theme, path) -> None:
    explorer.come(query, *size, color_scheme=theme)
    streams = any(f"show={name}" in query for name in STREAMS)
    explorer.page.add_style_tag(content=BLANK + REFINING * streams)
    try:
        if "tab=train" in query:
            explorer.page.wait_for_selector(".form[data-planned]", timeout=60_000)
            explorer.page.wait_for_timeout(1500)
        elif "show=" in query and not streams:
            explorer.page.wait_for_selector(".instrument[data-busy=false][data-messages]", timeout=120_000)
        elif not streams:
            explorer.settled()
    except Error as error:
        print(f"{path.name}: was not ready ({error.message.splitlines()[0]})", file=sys.stderr)
    explorer.page.evaluate(TIMELESS)
    explorer.page.mouse.move(0, 0)
    path.write_bytes(still(explorer))
    explorer.leave()


def still(explorer, looks: int = 20) -> bytes:
    """The page, once it looks as it did half a second before."""
    before = None
    for _ in range(looks):
        explorer.page.wait_for_timeout(500)
        explorer.frames(5)
        now = explorer.page.screenshot(animations="disabled")
        if now == before:
            break
        before = now
    return now


def compare(before: Path, now: Path) -> list[str]:
    """A line for each picture that is not as it was."""
    found = []
    for name in sorted(file.name for file in now.glob("*.png")):
        if not (before / name).exists():
            found.append(f"{name}: was not there")
            continue
        old, new = (np.asarray(Image.open(folder / name).convert("RGB")).astype(int) for folder in (before, now))
        if old.shape != new.shape:
            found.append(f"{name}: {new.shape[1]} × {new.shape[0]} pixels, was {old.shape[1]} × {old.shape[0]}")
            continue
        distance = np.abs(old - new).max(2)
        if not distance.any():
            continue
        rows, columns = np.nonzero(distance)
        (now / "differences").mkdir(exist_ok=True)
        marked = np.where(distance[..., None] > 0, [255, 0, 0], new // 2 + 127).astype(np.uint8)
        Image.fromarray(marked).save(now / "differences" / name)
        place = f"x {columns.min()}…{columns.max()}, y {rows.min()}…{rows.max()}"
        found.append(f"{name}: {len(rows)} pixels by up to {distance.max()} of 255, within {place}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.pixels", description=__doc__)
    parser.add_argument("folder", type=Path, help="of the pictures")
    parser.add_argument("--before", type=Path, help="other pictures of the same, to compare with")
    parser.add_argument("--compare", action="store_true", help="compare what is there, and draw nothing")
    parser.add_argument("--only", nargs="*", default=[], help="pictures whose names begin so (default: all)")
    parser.add_argument("--size", choices=[f"{w}x{h}" for w, h in SIZES], help="one of the sizes (default: both)")
    parser.add_argument("--theme", choices=THEMES, help="one of the themes (default: both)")
    options = parser.parse_args()
    if not options.compare:
        sizes = [size for size in SIZES if options.size in (None, f"{size[0]}x{size[1]}")]
        draw(options.folder, options.only, sizes, [options.theme] if options.theme else THEMES)
    found = compare(options.before, options.folder) if options.before else []
    print(*found, f"{len(found)} pictures differ" if options.before else "", sep="\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
