"""What the page finds better than the settings, in a real browser."""

import re


def finds(explorer):
    """Whether levels are looked for."""
    return explorer.page.get_attribute(".best", "aria-pressed") == "true"


def test_best_levels_are_found_and_taken_in_one_step(explore):
    explorer = explore("?model=two_moons&steps=3")
    explorer.settled()
    levels = explorer.page.locator(".ladder [data-level]")
    before = levels.evaluate_all("nodes => nodes.map((node) => node.getAttribute('cx'))")
    explorer.page.click(".best")
    explorer.wait(lambda: not finds(explorer), 60)
    explorer.settled()
    after = levels.evaluate_all("nodes => nodes.map((node) => node.getAttribute('cx'))")
    assert len(after) == len(before) and after != before
    assert "sigmas=80" in explorer.query
    said = r"Error (\S+) with these levels \(on other samples\), (\S+) before\."
    error, was = map(float, re.fullmatch(said, explorer.text(".notice")).groups())
    assert 0 < error < was / 2
    explorer.page.keyboard.press("Control+z")
    explorer.settled()
    assert explorer.query == "model=two_moons&steps=3"
    assert levels.evaluate_all("nodes => nodes.map((node) => node.getAttribute('cx'))") == before


def test_a_search_for_levels_shows_how_far_it_is_and_ends_with_a_change(explore):
    explorer = explore("?model=digits_edm&count=1&steps=9")
    explorer.settled()
    before = explorer.query
    for end in (lambda: explorer.page.click(".best"), lambda: explorer.set("rho", 5)):
        explorer.page.click(".best")
        explorer.wait(lambda: "% · stop" in explorer.text(".best"))
        assert finds(explorer) and explorer.query == before
        end()
        assert explorer.text(".best") == "best levels" and not finds(explorer)
    explorer.settled()
    assert explorer.query == f"{before}&rho=5"
    explorer.set("S_churn", 4)
    explorer.settled()
    explorer.page.click(".best")
    explorer.wait(lambda: explorer.page.is_visible(".notice"))
    assert "S_churn > 0: levels are found for the ODE" in explorer.text(".notice")


def test_another_method_is_named_where_it_comes_nearer_and_taken_with_one_click(explore):
    explorer = explore("?model=two_moons&steps=6")
    explorer.settled()
    height = explorer.box(".summary")["height"]
    explorer.wait(lambda: explorer.find(".take").count())
    said = explorer.text(".summary")
    evaluations, error, was = re.search(r"At (\d+) evaluations .* gets (\S+) where this gets (\S+)\.", said).groups()
    assert float(error) < 0.8 * float(was) and int(evaluations) <= 11
    assert explorer.box(".summary")["height"] == height
    explorer.page.click(".take")
    explorer.settled()
    assert f"{evaluations} evaluations" in explorer.text(".metrics >> nth=0")
    assert float(explorer.text(".metrics span:nth-child(3) b")) == float(error)
    explorer.page.keyboard.press("Control+z")
    explorer.settled()
    assert explorer.query == "model=two_moons&steps=6"


def test_evaluations_are_shown_for_every_solver_and_can_be_typed(explore):
    explorer = explore("?model=two_moons&steps=6&discretization=arctan")
    value = "[data-knob=nfe]"
    for solver, most, evaluations in (("heun", 24, 23), ("unipc", 24, 24), ("restart", 24, 23)):
        explorer.page.select_option("[data-knob=solver]", solver)
        explorer.settled()
        explorer.page.fill(value, str(most))
        explorer.page.keyboard.press("Enter")
        explorer.wait(lambda n=evaluations: f"{n} evaluations" in explorer.text(".metrics >> nth=0"))
        assert explorer.page.input_value(value) == str(evaluations)
    explorer.page.fill(value, "0")
    explorer.page.keyboard.press("Enter")
    explorer.wait(lambda: explorer.page.is_visible(".notice"))
    assert explorer.text(".notice") == "evaluations = 0: must be at least 1"
    assert explorer.page.input_value(value) == "23"


def test_time_steps_are_a_list_and_show_what_they_have(explore):
    explorer = explore("?model=two_moons&steps=6")
    for grid, knob in (("arctan", "sigma_mid"), ("polyexponential", "power"), ("flow", "shift"), ("ays_sdxl", "rho")):
        explorer.page.select_option("[data-knob=discretization]", grid)
        explorer.settled()
        own = [explorer.page.is_visible(f"[data-row={name}]") for name in ("sigma_mid", "power", "shift", "rho")]
        assert own == [name == knob for name in ("sigma_mid", "power", "shift", "rho")]
    explorer.page.focus(".ladder [data-level='0']")
    explorer.page.keyboard.press("ArrowDown")
    explorer.settled()
    chosen = "[data-knob=discretization] option:checked"
    assert explorer.page.locator(chosen).inner_text() == "by hand"
