"""A class in one room: a teacher's page and two students', one of them a phone."""

import pytest

from tests.app.conftest import CLASS, TEACHER
from tests.browser.conftest import Explorer, start_server

STEP = "document.querySelector('.explorer').dataset.lesson === '{}'"


@pytest.fixture
def people(browser, tmp_path):
    """enters(name, password, width) -> Explorer, of one classroom. At the end, no script may have failed."""
    words = ("--password", CLASS, "--teacher-password", TEACHER)
    process, address = start_server("--runs", str(tmp_path), "--classroom", *words, module="tests.checked")
    inside = []

    def enters(name, password=CLASS, width=1280, height=800):
        one = Explorer(browser, address)
        inside.append(one)
        entered = one.context.request.post(f"{address}login", form={"username": name, "password": password})
        assert entered.ok, entered.text()
        one.come("?model=two_moons", width=width, height=height)
        return one

    yield enters
    errors = [error for one in inside for error in one.errors]
    for one in inside:
        one.context.close()
    process.terminate()
    output, _ = process.communicate(timeout=20)
    assert errors == []
    assert "Traceback" not in output, output


def sizes(page, selector):
    """Sizes of type in pixels of what is seen there."""
    return page.evaluate(
        "(s) => [...document.querySelectorAll(s)].filter((n) => n.checkVisibility())"
        ".map((n) => parseFloat(getComputedStyle(n).fontSize))",
        selector,
    )


def test_a_class_follows_answers_is_shown_and_is_let_go(people):
    kim, anna, ben = people("Kim", TEACHER), people("Anna"), people("Ben", width=390, height=844)
    desk, page, phone = kim.page, anna.page, ben.page
    assert not anna.find(".class").count() and not anna.find("[data-class=lead]").count()
    desk.wait_for_function("document.querySelector('.class').textContent.includes('2 students are here')")

    desk.click("[data-class=lead]")
    for one in (page, phone):
        one.wait_for_selector(".class >> text=Following the teacher")
    desk.click("header >> text=Lessons")
    desk.click("[data-lesson=steps]")
    for one in (desk, page, phone):
        one.wait_for_function(STEP.format("steps/1"))

    page.click(".strip [data-answer='0']")
    phone.click(".strip [data-answer='1']")
    desk.wait_for_function("document.querySelector('.tally')?.textContent.includes('2 of 2 have answered')")
    assert [bar.inner_text() for bar in kim.find(".tally b").all()] == ["1", "1"]
    assert not anna.find(".tally").count(), "before it is shown"
    desk.click("[data-class=show]")
    for one in (page, phone):
        one.wait_for_selector(".tally.shown")
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")

    # large type on the wall, and back
    before = sizes(desk, ".strip p, .class, .tally li")
    desk.keyboard.press("Alt+KeyP")
    assert min(sizes(desk, ".strip p, .strip button, .tally li, .metrics")) >= 22
    assert min(sizes(desk, ".explorer :is(p, button, span, b, output, text, li)")) >= 17
    assert not kim.find("aside").count()
    strip = desk.locator(".strip").bounding_box()
    assert strip["y"] + strip["height"] < 500 and desk.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert "view.projector=on" in kim.query
    assert not phone.evaluate("document.querySelector('.explorer').hasAttribute('data-projector')")
    desk.set_viewport_size({"width": 1920, "height": 1080})
    assert min(sizes(desk, ".strip p, .strip button, .tally li")) >= 30
    desk.set_viewport_size({"width": 1280, "height": 800})
    desk.keyboard.press("Alt+KeyP")
    assert sizes(desk, ".strip p, .class, .tally li") == before and "projector" not in kim.query

    # who types is brought on, and finds what was typed
    desk.click(".strip [data-way=next]")
    page.wait_for_function(STEP.format("steps/2"))
    page.fill(".strip [data-answer]", "2.5")
    desk.click(".strip [data-way=back]")
    page.wait_for_function(STEP.format("steps/1"))
    desk.click(".strip [data-way=next]")
    page.wait_for_function(STEP.format("steps/2"))
    assert page.input_value(".strip [data-answer]") == "2.5"

    page.click("[data-class=stop]")
    desk.click(".strip [data-way=back]")
    phone.wait_for_function(STEP.format("steps/1"))
    assert page.evaluate(STEP.format("steps/2"))
    page.click("[data-class=stop]")  # follow again
    page.wait_for_function(STEP.format("steps/1"))
    desk.click("[data-class=again]")
    page.wait_for_selector(".explorer[data-waiting]")
    assert not anna.find("[aria-checked=true][data-answer]").count()

    desk.click(".strip [data-way=free]")  # a picture, without a lesson
    phone.wait_for_function("!document.querySelector('.explorer').dataset.lesson")
    desk.close()
    phone.wait_for_selector(".class >> text=The teacher leads no longer", timeout=30_000)
    phone.click("[data-class=back]")
    phone.wait_for_function("location.search === '?model=two_moons'")
    assert not ben.find(".class").count()
