"""The page as people see it: every tab and instrument, in both themes, on a screen and on a phone."""

from __future__ import annotations

from itertools import product

from playwright.sync_api import sync_playwright

from app.instruments import INSTRUMENTS
from tests.browser import accessible
from tests.browser.conftest import FLAGS, chromium, start_server


def everywhere(folder, dice):
    """axe-core finds nothing wrong with any tab, instrument or dialog."""
    process, address = start_server("--port", "0", "--runs", str(folder))
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
            for theme, (width, height) in product(("light", "dark"), (accessible.SCREEN, accessible.PHONE)):
                page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=theme)
                page.goto(address)
                page.wait_for_selector(".explorer[data-measured]", timeout=60_000)
                accessible.bring(page)
                found = accessible.wrong(page, "sampler") + list(accessible.instruments(page, INSTRUMENTS))
                found += accessible.train(page) + list(accessible.dialogs(page))
                page.close()
                yield f"{theme}, {width} × {height}: {len(INSTRUMENTS)} instruments"
                assert not found, "\n".join(found)
            browser.close()
    finally:
        process.terminate()
        process.wait()
