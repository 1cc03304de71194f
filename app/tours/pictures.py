"""Pictures of states as the page draws them: a server of its own, and a browser without a window."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from PIL import Image

from edm.base.errors import Refused
from edm.base.extras import needed

SIZE = {"width": 1280, "height": 760}
PATIENCE = 300_000  # ms, for one picture on a slow machine
REFINED = 20_000  # ms after which a figure that goes on refining is taken
COLORS = 256  # of a picture in the file
FLAGS = ["--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
_OF_A_SERVER = ("EDM_PASSWORD", "EDM_TEACHER_PASSWORD", "GRADIO_ROOT_PATH")  # that others shall reach: not this one
_STATE = ".explorer[data-finished=true], .instrument[data-messages]"
_RENDER = """async ([kind, texts]) => {
    const url = performance.getEntriesByType("resource").map((one) => one.name)
        .find((name) => name.endsWith("/lessons/markdown.js"));
    const { markdown, inline } = await import(url);
    return texts.map((text) => {
        const box = document.createElement("div");
        box.append(...(kind === "blocks" ? markdown(text) : inline(text)));
        return box.innerHTML;
    });
}"""


class Drawn:
    """The explorer's page in that browser."""

    def __init__(self, page: Any, address: str):
        self._page, self._address = page, address

    def picture(self, query: str) -> bytes:
        """The state of a link's query as a PNG: the Sampler's stage, or the live figure."""
        page = self._page
        page.goto(f"{self._address}?{query.removeprefix('?')}", timeout=PATIENCE)
        page.wait_for_selector(_STATE, state="attached", timeout=PATIENCE)
        figure = page.locator(".instrument .figure:visible")
        if figure.count():
            streams = page.locator(".instrument[data-streams=true]:visible").count()
            quiet = ".instrument[data-busy=false][data-messages]:visible"
            if streams:
                page.wait_for_timeout(REFINED)
            else:
                page.wait_for_selector(quiet, timeout=PATIENCE)
        page.wait_for_timeout(500)  # what has come is painted
        box = figure.first if figure.count() else page.locator(".stages").first
        return _small(box.screenshot(timeout=PATIENCE))

    def blocks(self, texts: list[str]) -> list[str]:
        """Texts of a lesson as HTML, by the page's own script: what they hold of HTML is text there."""
        return self._page.evaluate(_RENDER, ["blocks", texts])

    def inline(self, texts: list[str]) -> list[str]:
        """The same, of single lines."""
        return self._page.evaluate(_RENDER, ["inline", texts])


@contextmanager
def explorer(theme: str, runs: str | None = None) -> Iterator[Drawn]:
    """The page, in "light" or "dark", while the block lasts. Raises Refused where no browser is there."""
    with needed("export", "exporting a lesson"):
        from playwright import sync_api
    with sync_api.sync_playwright() as playwright:
        browser = chromium(playwright, sync_api.Error)
        try:
            with _server(runs) as address:
                page = browser.new_page(viewport=SIZE, color_scheme=theme, reduced_motion="reduce")
                try:
                    yield Drawn(page, address)
                except sync_api.TimeoutError as error:
                    said = str(error).splitlines()[0]
                    raise Refused(f"the page drew nothing within {PATIENCE // 60_000} minutes ({said})") from None
        finally:
            browser.close()


def chromium(playwright, error: type[Exception]):
    """The system's Chromium, or else Playwright's own. Raises Refused, with the remedy, where none can be started."""
    own = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    try:
        return playwright.chromium.launch(executable_path=own, args=FLAGS)
    except error as problem:
        said = str(problem).strip().splitlines()[0]
        raise Refused(
            f"no Chromium could be started ({said}); install one of your system, or run python -m playwright install "
            "chromium"
        ) from None


@contextmanager
def _server(runs) -> Iterator[str]:
    """The address of a server of one's own on a free port, which ends with the block, after Ctrl-C too."""
    command = [sys.executable, "-m", "app", "--no-browser", "--port", "0", "--workers", "1"]
    command += ["--runs", runs] if runs else []
    surroundings = {name: value for name, value in os.environ.items() if name not in _OF_A_SERVER}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8", env=surroundings
    )
    try:
        yield address_of(process)
    finally:
        process.terminate()
        try:
            process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def address_of(process) -> str:
    """Where a server that is being started answers. Raises Refused, with what it has said, where it does not."""
    said = ""
    for line in process.stdout:
        if found := re.search(r"http://\S+", line):
            return found.group()
        said = line.strip() or said
    raise Refused(f"the explorer did not start: {said or 'it said nothing'}")


def _small(picture: bytes) -> bytes:
    """The PNG with few colours: a third of its size, hardly to be told from it."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    made = io.BytesIO()
    image.quantize(COLORS, dither=Image.Dither.NONE).save(made, "PNG", optimize=True)
    return made.getvalue()
