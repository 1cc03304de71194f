"""Links and mistakes: what can be read is kept, and what cannot is named."""

import pytest

from tests.browser.looking import moved

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
    assert not explorer.page.locator("dialog.share:not(.handing)").is_visible()


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


def test_a_link_shows_just_its_controls_until_all_are_wanted(explore):
    explorer = explore("?model=spiral&only=rho,steps")
    shown = explorer.page.locator(".tab[data-tab=sampler] aside :is([data-row], [data-choice]):visible")
    assert shown.evaluate_all("nodes => nodes.map((node) => node.dataset.row)") == ["steps", "rho"]
    explorer.set("rho", 3)
    explorer.settled()
    assert explorer.query == "model=spiral&rho=3&only=rho,steps"
    explorer.page.click("text=Show all controls")
    assert explorer.find("[data-row=S_churn]").is_visible()
    explorer.page.wait_for_function("!location.search.includes('only')")
    explorer.open("?hide=rho,model,design")
    assert not explorer.find("[data-row=rho]").is_visible()
    assert explorer.find("[data-row=S_churn]").is_visible()
    assert explorer.find("aside h2 >> text=Time steps").is_visible()
