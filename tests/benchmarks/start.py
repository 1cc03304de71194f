"""From the command to the first picture."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median
from urllib.request import urlopen

from playwright.sync_api import sync_playwright

from tests.benchmarks.served import served
from tests.benchmarks.table import Row
from tests.browser.conftest import FLAGS, ROOT, chromium

STARTS, OPENINGS = 3, 4


def started(tree):
    """Seconds until the page is answered."""
    began = time.perf_counter()
    with served(tree) as (_, address), urlopen(address) as answer:
        answer.read()
        return time.perf_counter() - began


def opening(browser, address):
    """Seconds from the page's address to its first picture, in a browser that has nothing of it."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page, began = context.new_page(), time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_selector(".explorer[data-serial]")
    taken = time.perf_counter() - began
    context.close()
    return taken


def openings(browser, tree):
    with served(tree) as (_, address):
        opening(browser, address)
        return median(opening(browser, address) for _ in range(OPENINGS))


def rows(options, tree: Path | None):
    trees = [path for path in (ROOT, tree) if path]
    starts = [[started(path) for path in trees] for _ in range(STARTS)]
    found = [median(column) for column in zip(*starts, strict=True)]
    yield Row("python -m app → the page is answered", found[0], "s", 5, *found[1:])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        found = [openings(browser, path) for path in trees]
        browser.close()
    yield Row("page opened → first picture", found[0], "s", 1, *found[1:])
