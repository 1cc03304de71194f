"""Going about on the page: Back and Forward, undo and redo, hints, and what is left behind."""


def values(explorer):
    return set(filter(None, explorer.query.split("&")))


def instrument(explorer, name):
    explorer.page.wait_for_selector(f".instrument[data-show={name}]")


def test_back_and_forward_go_through_models_tabs_instruments_and_figures_without_a_new_page(explore):
    explorer = explore("?steps=6&count=30")
    page = explorer.page
    page.evaluate("window.same = true")
    explorer.set("rho", 3)
    explorer.settled()
    page.click("[data-model=spiral]")
    explorer.settled()
    assert values(explorer) == {"steps=6", "rho=3", "model=spiral"}
    page.click("nav [data-tab=loss]")
    instrument(explorer, "loss")
    page.click("[data-instrument=preconditioning]")
    instrument(explorer, "preconditioning")
    page.click("text=Figures")
    page.click("dialog .card >> nth=0")
    page.wait_for_selector("dialog.gallery", state="hidden")
    figure = values(explorer)

    page.go_back()
    instrument(explorer, "preconditioning")
    page.go_back()
    instrument(explorer, "loss")
    page.go_back()
    page.wait_for_selector(".tab[data-tab=sampler]:not([hidden])")
    assert "Spiral" in explorer.text(".summary")
    page.go_back()
    page.wait_for_function("document.querySelector('.tab[data-tab=sampler] .summary').textContent.includes('Eight')")
    assert values(explorer) == {"steps=6", "count=30", "rho=3"}, "knobs are as they were left"
    for _ in range(4):
        page.go_forward()
    page.wait_for_function("(query) => location.search === query", arg="?" + page.url.partition("?")[2])
    assert values(explorer) == figure
    assert page.evaluate("window.same"), "no page was loaded"


def test_knobs_are_undone_and_done_again_a_drag_in_one_step(explore):
    explorer = explore("?steps=6&count=30")
    page = explorer.page
    box = page.locator("[data-knob=rho]").bounding_box()
    y = box["y"] + box["height"] / 2
    explorer.drag((box["x"] + box["width"] * 0.6, y), (box["x"] + box["width"] * 0.2, y))
    explorer.settled()
    dragged = values(explorer)
    assert any(value.startswith("rho=") for value in dragged)
    page.click("[data-design=vp]")
    page.keyboard.press("Control+z")
    explorer.settled()
    assert values(explorer) == dragged
    page.keyboard.press("Control+z")
    explorer.settled()
    assert values(explorer) == {"steps=6", "count=30"}, "the whole drag at once"
    said = explorer.text(".said")
    assert said.startswith("Undo: ρ ") and said.endswith(" → 7")
    page.get_by_role("button", name="Redo ρ 7 →").click()
    explorer.settled()
    assert values(explorer) == dragged
    page.fill("[data-row=rho] .value", "4")
    page.keyboard.press("Control+z")
    explorer.settled()
    assert values(explorer) == dragged, "in a text field it is the field's"


def test_a_hint_comes_beside_its_knob_and_covers_no_control_of_it(explore):
    explorer = explore("?steps=6&count=30")
    page = explorer.page
    row, tip = page.locator("[data-row=rho]"), page.locator("[role=tooltip]")
    row.hover()
    tip.wait_for()
    at, knob = tip.bounding_box(), row.bounding_box()
    assert at["x"] >= knob["x"] + knob["width"]
    assert at["x"] - knob["x"] - knob["width"] < 40
    assert at["y"] < knob["y"] + knob["height"] and at["y"] + at["height"] > knob["y"]
    page.keyboard.press("Escape")
    assert not tip.is_visible()
    page.focus("[data-knob=seed]")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    tip.wait_for()
    described = page.evaluate("document.activeElement.getAttribute('aria-describedby')")
    assert page.inner_text(f"#{described}") == tip.inner_text() != ""
    heard = tip.inner_text()
    touch = {"pointerType": "touch", "bubbles": True}
    page.dispatch_event("[data-choice=solver] [data-value=euler]", "pointerdown", touch)
    page.focus("[data-choice=solver] [data-value=euler]")
    assert tip.is_visible() and tip.inner_text() != heard, "what loses the focus takes no other hint away"


def test_what_an_instrument_was_asked_is_not_heard_by_the_next_one(explore):
    """Leaving while answers stream; no script may fail, which `explore` sees to."""
    explorer = explore("?show=training")
    page = explorer.page
    for _ in range(2):
        page.click("[data-instrument=churn]")
        page.go_back()
        instrument(explorer, "training")
    page.click("[data-instrument=churn]")
    page.wait_for_selector(".instrument[data-show=churn][data-serial]")
    page.reload()
    page.wait_for_selector(".instrument[data-show=churn]")
    assert explorer.errors == []
