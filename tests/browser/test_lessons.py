"""A lesson: predict, then see what comes of it, with what one has set oneself."""


def test_a_lesson_is_gone_through(explore):
    explorer = explore()
    page = explorer.page
    page.click("header >> text=Lessons")
    page.click("[data-lesson=steps]")
    page.wait_for_selector("[data-lesson='steps/1'][data-waiting]")
    assert explorer.query == "lesson=steps&step=1"
    assert not explorer.find("[data-row=rho]").is_visible()
    page.click(".strip [data-answer='0']")
    page.wait_for_selector("[data-revealed='steps/1']:not([data-waiting])")
    assert "With 5 steps the error is 0.57" in explorer.text(".strip .revealed")
    assert "gains more than it pays" in explorer.text(".strip .found")
    page.click(".strip [data-way=next]")
    page.fill(".strip [data-answer]", "ten")
    page.keyboard.press("Enter")
    assert "Type a number" in explorer.text(".strip .found")
    page.fill(".strip [data-answer]", "4")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-revealed='steps/2']")
    assert explorer.text(".strip .found") == "You said 4 times; here it is 3.3 times."
    explorer.set("steps", 10)
    page.click(".strip .again")
    page.wait_for_function("document.querySelector('.strip .revealed').textContent.includes('From 0.088')")
    assert explorer.query == "lesson=steps&step=2&steps=10"
    page.keyboard.press("Escape")
    page.go_back()
    page.wait_for_selector("[data-lesson='steps/1']")
    assert explorer.find(".strip [aria-checked=true]").count() == 1  # what was answered stays so
    page.click(".strip [data-way=free]")
    page.wait_for_function("location.search === '?model=spiral&steps=5'")
    assert explorer.find("[data-row=rho]").is_visible()
    assert not explorer.find(".strip").is_visible()


def test_a_control_says_in_which_step_it_matters(explore):
    explorer = explore("?model=two_moons")
    explorer.page.hover("[data-row=rho]")
    explorer.page.click(".hint-box .why")
    explorer.page.wait_for_selector("[data-lesson='rho/1']")
    assert explorer.query == "lesson=rho&step=1"
