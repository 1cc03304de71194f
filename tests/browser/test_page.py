"""What holds for the whole page: links, mistakes, keyboard, themes, sizes, visitors, nothing from elsewhere."""

import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from gradio_client import Client
from PIL import Image

from edm import render
from edm.__main__ import main
from tests.browser.conftest import start_server
from tests.browser.looking import moved


def test_the_last_of_many_moves_is_what_stays(explore):
    explorer = explore("?count=1000&steps=40")
    explorer.seek(1000)
    for rho in np.linspace(1, 14, 20):
        explorer.set("rho", round(float(rho), 1))
        time.sleep(0.02)
    explorer.settled()
    assert "rho=14" in explorer.query
    moved_there = explorer.pixels()
    direct = explore("?count=1000&steps=40&rho=14")
    direct.seek(1000)
    assert moved(moved_there, direct.pixels()) == 0


def test_quick_moves_lose_no_answer(explore):
    """Moves at all distances in time, so that some begin just when another answer ends."""
    explorer = explore("?steps=6&count=50")
    for i in range(50):
        before = explorer.serial
        explorer.set("rho", 2 + (i * 7 % 90) / 10)
        explorer.wait(lambda before=before: explorer.serial > before, timeout=2.5)
        time.sleep((i * 37 % 100) / 1000)
    explorer.settled()
    assert "rho=9.3" in explorer.query.split("&")


def test_two_visitors_do_not_disturb_each_other(explore):
    anna, bert = explore("?model=spiral"), explore("?model=digits")
    for i in range(10):
        anna.set("rho", 3 + i / 2)
        bert.set("seed", i)
    anna.settled()
    bert.settled()
    assert "Spiral" in anna.text(".summary")
    assert "Digits" in bert.text(".summary")
    assert "rho=7.5" in anna.query
    assert "seed=9" in bert.query


def test_a_png_carries_its_settings(explore, tmp_path):
    explorer = explore("?model=smiley&steps=7&count=33")
    explorer.seek(1000)
    with explorer.page.expect_download() as download:
        explorer.page.click("text=PNG")
    path = tmp_path / "picture.png"
    download.value.save_as(path)
    assert render.read_document(path) == {"model": "smiley", "count": 33, "sampling": {"steps": 7}}


def test_films_and_drawings_are_those_of_the_command_line_and_open_again_where_they_are_dropped(explore, tmp_path):
    explorer = explore("?model=smiley&steps=7&count=9&__theme=dark")
    for form in ("gif", "svg"):
        with explorer.page.expect_download() as download:
            explorer.page.click(f"header button:text-is('{form.upper()}')")
        assert download.value.suggested_filename == f"edm-smiley.{form}"
        download.value.save_as(tmp_path / f"page.{form}")
        written = main(
            ["sample", f"--config={tmp_path / 'page'}.{form}", "--dark", f"--out={tmp_path / 'here'}.{form}"]
        )
        assert written == 0
        assert (tmp_path / f"page.{form}").read_bytes() == (tmp_path / f"here.{form}").read_bytes()
    explorer.page.click("[data-model=two_diracs]")
    explorer.settled()
    for form in ("gif", "svg"):
        explorer.page.click("text=Train")
        drop(explorer.page, tmp_path / f"page.{form}")
        explorer.page.wait_for_selector(".explorer[data-tab=sampler]")
        explorer.page.wait_for_function("location.search.includes('model=smiley')")
        assert "steps=7" in explorer.query
    Image.new("RGB", (8, 8)).save(tmp_path / "stripped.png")
    (tmp_path / "notes.txt").write_text("edm")
    for name, said in (("stripped.png", "has removed them"), ("notes.txt", "is no picture of the explorer's")):
        drop(explorer.page, tmp_path / name)
        explorer.page.wait_for_selector(f".notice:visible:has-text({said!r})")
    explorer.page.go_back()
    explorer.page.wait_for_selector(".explorer[data-tab=train]")


def drop(page, path):
    """A file onto the page, after a look at the hint that appears meanwhile."""
    dragged = """([name, content]) => {
        const carried = new DataTransfer();
        carried.items.add(new File([Uint8Array.from(atob(content), (c) => c.charCodeAt(0))], name));
        const tell = (kind) => document.body.dispatchEvent(
            new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true }));
        tell("dragenter");
        const hinted = document.querySelector(".dropping").checkVisibility();
        tell("drop");
        return hinted && !document.querySelector(".dropping").checkVisibility();
    }"""
    assert page.evaluate(dragged, [path.name, base64.b64encode(path.read_bytes()).decode()])


def test_nothing_is_fetched_from_elsewhere(explore, server):
    explorer = explore()
    explorer.page.click("[data-model=digits]")
    explorer.settled()
    assert len(explorer.requests) > 10
    assert [url for url in explorer.requests if not url.startswith((server, "data:", "blob:"))] == []


def test_everything_is_reached_by_keyboard(explore):
    explorer = explore("?steps=6")
    reached = set()
    for _ in range(90):
        explorer.page.keyboard.press("Tab")
        reached.add(
            explorer.page.evaluate(
                "() => { const e = document.activeElement; const d = e.dataset; return d.knob || d.model"
                " || d.design || d.value || d.view || d.lane || d.level || e.className || e.innerText; }"
            )
        )
    for wanted in (
        "rho",
        "S_churn",
        "seed",
        "digits",
        "vp",
        "euler",
        "main",
        "play",
        "pin",
        "0",
        "coordinates:data",
    ):
        assert wanted in reached, wanted
    explorer.page.focus("[data-knob=rho]")
    explorer.page.keyboard.press("ArrowRight")
    explorer.settled()
    assert "rho=7.1" in explorer.query
    explorer.page.focus("circle[data-level='0']")
    explorer.page.keyboard.press("ArrowRight")
    explorer.page.keyboard.press("ArrowUp")
    explorer.settled()
    assert "sigmas=80," in explorer.query


@pytest.mark.parametrize("model", ["eight_gaussians", "digits", "two_diracs", "digits_edm"])
def test_the_page_fits_the_screen_in_both_themes(explore, model):
    explorer = explore(f"?model={model}")
    for width, height in ((1280, 800), (1920, 1080)):
        explorer.page.set_viewport_size({"width": width, "height": height})
        for scheme in ("light", "dark"):
            explorer.page.emulate_media(color_scheme=scheme)
            explorer.frames()
            measured = explorer.page.evaluate(
                "() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight,"
                " document.querySelector('aside').scrollHeight - document.querySelector('aside').clientHeight]"
            )
            assert measured[0] <= width
            assert measured[1] <= height
            assert measured[2] <= 0  # no knob is hidden
            brightness = explorer.pixels(".explorer header").mean()
            assert brightness > 200 if scheme == "light" else brightness < 60


def test_a_phone_can_read_it(explore):
    explorer = explore("", width=390, height=844)
    assert explorer.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert explorer.pixels().std() > 5


def test_the_theme_can_be_switched_and_stays(explore):
    explorer = explore(color_scheme="light")
    explorer.page.click("[aria-label='Light or dark']")
    explorer.frames()
    assert explorer.pixels(".explorer header").mean() < 60
    assert explorer.pixels().mean() < 90
    explorer.open()
    assert explorer.pixels(".explorer header").mean() < 60


def test_reduced_motion_is_respected(explore):
    explorer = explore()
    still = explorer.pixels()
    time.sleep(0.5)
    assert moved(still, explorer.pixels()) == 0
    assert explorer.text(".time output") == "σ = 0"


def test_a_script_gets_plain_numbers_and_sentences(server):
    client = Client(server, verbose=False)
    result = client.predict({"model": "spiral", "count": 5, "sampling": {"steps": 4}}, api_name="/sample")
    assert np.array(result["samples"]).shape == (5, 2)
    with pytest.raises(Exception, match="rho = 0"):
        client.predict({"sampling": {"rho": 0}}, api_name="/sample")
    assert list(client.view_api(return_format="dict")["named_endpoints"]) == ["/sample"]


def test_strangers_need_the_password(browser):
    process, address = start_server("--host", "0.0.0.0", "--password", "open sesame")
    try:
        page = browser.new_page()
        page.goto(address)
        page.wait_for_selector("input[type=password]")
        assert page.locator(".explorer").count() == 0
        page.locator("input").first.fill("edm")
        page.locator("input[type=password]").fill("open pesame")
        page.keyboard.press("Enter")
        page.get_by_role("alert").get_by_text("do not belong together").wait_for()
        page.locator("input[type=password]").fill("open sesame")
        page.keyboard.press("Enter")
        page.wait_for_selector(".explorer[data-serial]", timeout=60_000)
        page.close()
    finally:
        process.terminate()
        process.communicate(timeout=20)


def test_ten_visitors_at_once_each_get_their_own(server):
    def visit(k):
        client = Client(server, verbose=False)
        return [
            client.predict({"count": 1, "sampling": {"steps": 3, "seed": 10 * k + i}}, api_name="/sample")
            for i in range(3)
        ]

    with ThreadPoolExecutor(10) as pool:
        results = list(pool.map(visit, range(10)))
    assert [r["settings"]["sampling"].get("seed", 0) for visitor in results for r in visitor] == [
        10 * k + i for k in range(10) for i in range(3)
    ]
    assert len({json.dumps(r["samples"]) for visitor in results for r in visitor}) == 30
