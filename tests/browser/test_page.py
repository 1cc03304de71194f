"""What holds for the whole page: links, mistakes, keyboard, themes, sizes, visitors, nothing from elsewhere."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from gradio_client import Client

from edm import render
from tests.browser.conftest import start_server
from tests.browser.test_sampler import moved

BUSY = (
    "?model=pinwheel&solver=euler&discretization=ve&steps=11&S_churn=3&S_tmax=40&seed=5&count=150&view.coordinates=data"
)


def test_a_link_gives_the_same_picture_after_a_reload_and_elsewhere(explore):
    explorer = explore(BUSY)
    explorer.seek(700)
    picture = explorer.pixels()
    explorer.open(f"?{explorer.query}")
    explorer.seek(700)
    assert moved(picture, explorer.pixels()) == 0
    elsewhere = explore(f"?{explorer.query}")
    elsewhere.seek(700)
    assert moved(picture, elsewhere.pixels()) == 0


def test_the_link_is_shown_as_text_with_python_and_command(explore):
    explorer = explore(BUSY)
    explorer.page.click("text=Share")
    link, python, command = (explorer.page.input_value(f"[data-text={name}]") for name in ("link", "python", "command"))
    assert explorer.page.evaluate("location.href").startswith(link.partition("?")[0])
    assert set(link.partition("?")[2].split("&")) == set(BUSY[1:].split("&"))
    assert 'edm.models.load("pinwheel")' in python
    assert command.startswith("python -m edm sample --model=pinwheel")
    explorer.page.keyboard.press("Escape")
    assert not explorer.page.locator("dialog.share").is_visible()


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("rho=0", "rho = 0"),
        ("model=%3Cimg%20onerror%3D1%3E", "model = '<img onerror=1>'"),
        ("self=x", "self = 'x'"),
        ("figure=" + "a" * 300, "figure = 'aaa"),
        (r"points=\ud800", "points = "),
        ("count=%ED%A0%80&%E0%A4%A=1", "count = "),
        ("a=1&a.b=2", "a.b = 2"),
        ("view.field=toString", "view.field"),
        ("x=" + "y" * 30_000, "x = 'yyy"),
    ],
    ids=lambda text: text[:20],
)
def test_a_bad_value_in_a_link_is_named_and_all_else_of_it_is_kept(explore, query, named):
    explorer = explore(f"?steps=9&{query}&seed=3)")
    notice = explorer.text(".notice")
    assert notice.startswith("This link could not be read whole")
    assert named in notice
    assert "Eight Gaussians, Heun, N = 9" in explorer.text(".summary")
    assert explorer.query == f"steps=9&{query}&seed=3)"  # until something changes
    explorer.set("seed", 4)
    explorer.settled()
    assert explorer.query == "steps=9&seed=4"
    assert not explorer.find(".notice").count()


def test_a_bad_link_to_an_instrument_shows_it_with_the_rest_and_a_notice_that_stays(explore):
    explorer = explore("?show=order&order.self=1&utm_source=mail&order.high=9e99")
    explorer.page.wait_for_selector(".instrument[data-busy=false]", timeout=60_000)
    assert "order.self" in explorer.text(".notice")


@pytest.mark.parametrize(
    ("knob", "typed", "words"),
    [
        ("rho", "-3", "rho = -3"),
        ("steps", "2.5", "whole number"),
        ("sigma_max", "0.001", "below sigma_max"),
        ("S_noise", "abc", "S_noise = 'abc'"),
    ],
)
def test_a_mistake_gets_a_sentence_and_the_last_good_picture_stays(explore, knob, typed, words):
    explorer = explore()
    explorer.seek(900)
    before = explorer.pixels()
    explorer.page.fill(f"[data-row={knob}] .value", typed)
    explorer.page.press(f"[data-row={knob}] .value", "Enter")
    explorer.wait(lambda: words in explorer.text(".tab:not([hidden]) section"))
    assert explorer.find(".notice").is_visible()
    assert explorer.query == ""  # the address keeps the last good settings
    after = explorer.pixels()
    covered = explorer.box(".notice")["y"] - explorer.box()["y"]
    assert moved(before[: int(covered) - 12], after[: int(covered) - 12]) == 0
    explorer.page.click(f"[data-row={knob}] .reset")
    explorer.settled()
    assert explorer.find(".notice").count() == 0
    explorer.frames()
    assert moved(before, explorer.pixels()) == 0


def test_switches_of_the_picture_that_are_unknown_are_named(explore):
    explorer = explore("?view.coordinates=zzz&view.selected=abc&view.drawing=on&view.field=on&view.constructor=x")
    assert "view.coordinates; view.selected; view.drawing; view.constructor" in explorer.text(".notice")
    explorer.set("seed", 1)
    explorer.settled()
    assert set(explorer.query.split("&")) == {"seed=1", "view.field=on"}
    assert explorer.page.locator(".done").count() == 0


def test_a_computation_that_fails_says_so(monkeypatch, tmp_path):
    import gradio as gr

    from app.page import build
    from app.visitors.room import Room

    blocks = build("cpu", Room(tmp_path))
    ask = next(fn for fn in blocks.fns.values() if any(target[1] == "ask" for target in fn.targets))

    def fail(*arguments):
        raise ZeroDivisionError("float division by zero")
        yield

    monkeypatch.setattr("app.work.pictures.Picture.compute", fail)
    event = gr.EventData(None, {"serial": 4, "values": {}})
    [answer] = list(ask.fn(event, gr.Request(session_hash="anna")))
    assert json.loads(answer)["serial"] == 4
    assert "Something went wrong here" in json.loads(answer)["error"]


def test_the_last_of_many_moves_is_what_stays(explore):
    explorer = explore("?count=1000&steps=40")
    explorer.seek(1000)
    for rho in np.linspace(1, 14, 40):
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
        page.wait_for_selector(".explorer[data-serial]", timeout=20_000)
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
