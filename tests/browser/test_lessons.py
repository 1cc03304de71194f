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


def test_a_noise_level_is_marked_on_its_axis_and_a_link_leads_back_to_the_step_as_it_was(explore):
    explorer = explore("?lesson=denoiser&step=1")
    page = explorer.page
    page.wait_for_selector("[data-lesson='denoiser/1'][data-waiting]")
    axis = page.locator(".ladder").bounding_box()
    levels = explorer.query
    page.mouse.click(axis["x"] + 0.5 * axis["width"], axis["y"] + 24)
    marked = explorer.text(".strip .told").removeprefix("σ = ")
    assert 0.2 < float(marked) < 0.8 and explorer.query == levels, "no level is moved by it"
    assert page.locator(".ladder .marked").all_text_contents() == ["▽"]
    page.click(".strip >> text=Mark it")
    page.wait_for_selector("[data-revealed='denoiser/1']")
    assert explorer.text(".strip .found") == f"You said ▽ σ = {marked}; here it is ▼ σ = 0.6031."
    guess, truth = (sign.bounding_box()["x"] for sign in page.locator(".ladder .marked").all())
    assert (guess < truth) == (float(marked) > 0.6031)

    explorer.open("?lesson=heun&step=3")
    page.fill(".strip [data-answer]", "2")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-revealed='heun/3']")
    assert not page.locator(".ladder .marked").count()
    page.click(".strip .tells a")
    page.wait_for_function("location.search === '?show=order'")
    page.go_back()
    page.wait_for_selector("[data-lesson='heun/3']")
    page.wait_for_function("document.querySelector('.strip .found').textContent.startsWith('You said 2;')")


def test_a_control_says_in_which_step_it_matters(explore):
    explorer = explore("?model=two_moons")
    explorer.page.hover("[data-row=rho]")
    explorer.page.click(".hint-box .why")
    explorer.page.wait_for_selector("[data-lesson='rho/1']")
    assert explorer.query == "lesson=rho&step=1"
