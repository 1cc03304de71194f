"""python -m tests.figures [NAME …]: draw the pictures of the figure presets (assets/figures/) from the page itself."""

from __future__ import annotations

import argparse
import io
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from edm import presets
from tests.browser.conftest import FLAGS, chromium, start_server

FOLDER = Path(__file__).resolve().parents[1] / "assets" / "figures"
SIZE = 720, 450
PATIENCE = 400_000  # ms


def main():
    known = [name.split("/")[1] for name in presets.names("figures")]
    parser = argparse.ArgumentParser(prog="python -m tests.figures", description=__doc__)
    parser.add_argument("names", nargs="*", help="which (default: all)")
    parser.add_argument("--seconds", type=float, default=40, help="the longest wait for one that goes on refining")
    options = parser.parse_args()
    process, address = start_server("--port", "0")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        for name in options.names or known:
            draw(browser, address, name, options.seconds)
            print(FOLDER / f"{name}.png", flush=True)
        browser.close()
    process.terminate()
    process.wait()


def draw(browser, address, name, seconds):
    page = browser.new_page(viewport={"width": 1436, "height": 760})
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{address}?figure={name}")
    page.wait_for_selector(".instrument[data-messages]", timeout=PATIENCE)
    streams = page.evaluate("document.querySelector('.instrument').dataset.streams === 'true'")
    done = ".instrument[data-busy=false][data-messages]"
    if streams:
        page.wait_for_timeout(seconds * 1000)
    else:
        page.wait_for_selector(done, timeout=PATIENCE)
    page.wait_for_timeout(800)
    shot = page.locator(".instrument .figure").screenshot()
    image = Image.open(io.BytesIO(shot)).convert("RGB")
    image.thumbnail(SIZE, Image.Resampling.LANCZOS)
    image.quantize(256, dither=Image.Dither.NONE).save(FOLDER / f"{name}.png", optimize=True)
    page.close()


if __name__ == "__main__":
    main()
