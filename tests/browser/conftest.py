"""A real server and a real Chromium. A missing Chromium is a failure."""

import io
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
COLORS = {"noise": (217, 107, 31), "data": (47, 111, 181)}  # of the light theme


def chromium():
    """The system's Chromium, or None for Playwright's own."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def start_server(*arguments, module="app", tree=ROOT):
    """(process, address) of `python -m app`; of "tests.checked" its messages are held to their schema.

    tree: the folder of the code that is started."""
    command = [sys.executable, "-m", module, "--no-browser", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=tree)
    for line in process.stdout:
        found = re.search(r"http://\S+", line)
        if found:
            return process, found.group()
    raise RuntimeError(f"the server did not start (exit code {process.wait()})")


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    process, address = start_server("--runs", str(tmp_path_factory.mktemp("runs")), module="tests.checked")
    yield address
    process.terminate()
    output, _ = process.communicate(timeout=20)
    assert "Traceback" not in output, output


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield browser
        browser.close()


class Explorer:
    """One visitor's page, and what a person does with it."""

    def __init__(self, browser, address, query=None):
        self.context = browser.new_context()
        self.page, self.address = self.context.new_page(), address
        self.requests, self.errors = [], []
        self.page.on("request", self.note)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda message: message.type == "error" and self.errors.append(message.text))
        if query is not None:
            self.come(query)

    def note(self, request):
        if not ('"clock"' in (request.post_data or "") and '"runs"' in request.post_data):  # a look at the runs
            self.requests.append(request.url)

    def come(self, query, width=1280, height=800, color_scheme="light", moving=False):
        """As somebody who has not been here."""
        self.page.set_viewport_size({"width": width, "height": height})
        motion = "no-preference" if moving else "reduce"
        self.page.emulate_media(color_scheme=color_scheme, reduced_motion=motion)
        self.requests.clear()
        self.open(query)

    def leave(self):
        self.page.evaluate("localStorage.clear(); sessionStorage.clear()")
        self.page.goto("about:blank")

    def open(self, query=""):
        self.page.goto(self.address + query)
        ready = ".explorer[data-measured], .instrument[data-messages], .form[data-planned]"
        self.page.wait_for_selector(ready, timeout=60_000)

    def wait(self, condition, timeout=60):
        end = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < end, "waited in vain"
            time.sleep(0.02)

    @property
    def serial(self):
        return int(self.page.get_attribute(".explorer", "data-serial"))

    def settled(self):
        """No request is under way: what is shown has been measured."""
        quiet = (
            "() => { const d = document.querySelector('.explorer').dataset;"
            " return d.asked === d.serial && d.serial === d.measured && d.finished === 'true'; }"
        )
        self.frames()
        self.page.wait_for_function(quiet, timeout=60_000)

    def seek(self, permille):
        self.page.evaluate(
            "(v) => { const t = document.querySelector('.time input'); t.value = v;"
            " t.dispatchEvent(new Event('input', { bubbles: true })); }",
            permille,
        )
        self.frames()

    def frames(self, count=3):
        self.page.evaluate(
            "(n) => new Promise((r) => { const f = () => (n-- ? requestAnimationFrame(f) : r()); f(); })", count
        )

    def find(self, selector):
        """What a person sees of it: tabs that are not shown have parts of the same names."""
        return self.page.locator(selector).locator("visible=true")

    def box(self, selector="canvas[data-lane=main]"):
        return self.find(selector).bounding_box()

    def pixels(self, selector="canvas[data-lane=main]"):
        """What is on the screen there: [height, width, 3], 0 … 255."""
        shot = self.find(selector).screenshot()
        return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)

    def share_of(self, color, pixels=None, tolerance=60):
        """Fraction of pixels near one of the page's colours."""
        pixels = self.pixels() if pixels is None else pixels
        return float((np.abs(pixels - COLORS[color]).sum(2) < tolerance).mean())

    def drag(self, start, *stops, steps=12):
        self.page.mouse.move(*start)
        self.page.mouse.down()
        for stop in stops:
            self.page.mouse.move(*stop, steps=steps)
        self.page.mouse.up()

    def set(self, knob, value):
        """Move a slider as a hand would: one input event."""
        self.page.evaluate(
            "([name, value]) => { const r = document.querySelector(`[data-knob='${name}']`); r.value = value;"
            " r.dispatchEvent(new Event('input', { bubbles: true })); }",
            [knob, value],
        )

    def text(self, selector):
        return self.find(selector).inner_text()

    @property
    def query(self):
        """The address follows when the hand rests: the page's timer for that ends before this one does."""
        return self.page.evaluate("new Promise((r) => setTimeout(() => r(location.search), 250))").removeprefix("?")


@pytest.fixture(scope="session")
def explorers():
    """Pages that nobody uses: one that is opened again is there in half the time."""
    return []


@pytest.fixture
def explore(browser, server, explorers, request):
    """explore(query, …) -> Explorer, of somebody who prefers calm, unless moving=True: pages that play take a core.

    At the end, no script may have failed.
    """
    opened = []

    def open_page(query="", **options):
        opened.append(explorers.pop() if explorers else Explorer(browser, server))
        opened[-1].come(query, **options)
        return opened[-1]

    yield open_page
    if getattr(request.node, "failed", False):
        folder = Path(__file__).parent / "failures"
        folder.mkdir(exist_ok=True)
        for explorer in opened:
            explorer.page.screenshot(path=folder / f"{re.sub(r'[^a-z0-9_]+', '-', request.node.name)}.png")
            explorer.context.close()
        return
    errors = [error for explorer in opened for error in explorer.errors]
    for explorer in opened:
        explorer.leave()
        explorers.append(explorer)
    assert errors == []


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if call.when == "call" and outcome.get_result().failed:
        item.failed = True


@pytest.fixture(scope="session", autouse=True)
def _no_proxy():
    os.environ["NO_PROXY"] = "127.0.0.1,localhost"
