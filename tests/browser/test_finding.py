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
