"""The panel of guidance in a real browser: what a person chooses of it, and what the page says then."""

from tests.browser.looking import moved


def drag(explorer, selector, start, end):
    """Along a slider, as shares of its width."""
    box, mouse = explorer.box(selector), explorer.page.mouse
    y = box["y"] + box["height"] / 2
    mouse.move(box["x"] + start * box["width"], y)
    mouse.down()
    mouse.move(box["x"] + end * box["width"], y, steps=4)
    mouse.up()
    explorer.settled()


def test_guidance_is_chosen_weighed_bounded_and_told_and_a_link_brings_it_back(explore):
    explorer = explore("?model=two_moons&label=upper+moon&steps=8&count=200")
    page = explorer.page
    tilted = "[data-view='density:tilted']"
    explorer.seek(1000)
    assert "guidance" not in explorer.text(".summary") and page.is_hidden("[data-row=guidance_weight]")
    assert not page.query_selector(tilted), "without guidance there is one density"

    page.select_option("[data-knob=guidance]", "free")
    explorer.settled()
    assert explorer.query.count("guidance_weight=2") == 1, "it begins with a w that does something"
    explorer.set("guidance_weight", 4)
    explorer.settled()
    said = explorer.text(".summary")
    assert "classifier-free guidance, w = 4" in said
    assert "neither p(x|c) nor p(x)·p(c|x)" in said, "it is not what is sampled"
    assert "30 evaluations" in explorer.text(".metrics >> nth=0")

    behind = explorer.pixels()
    page.click(tilted)
    explorer.frames()
    assert moved(behind, explorer.pixels()) > 0.005
    assert "view.density=tilted" in explorer.query

    drag(explorer, "[data-knob='guidance_interval.1']", 0.97, 0.6)
    low, high = page.input_value("[data-knob=guidance_interval]").split(" – ")
    assert low == "0" and 0.3 < float(high) < 3
    assert f"for 0 – {high} in σ" in explorer.text(".summary")
    assert "30 evaluations" not in explorer.text(".metrics >> nth=0"), "outside of it one is enough"

    link, picture = explorer.query, explorer.pixels()
    page.select_option("[data-knob=guidance]", "none")
    explorer.settled()
    assert "guidance=" not in explorer.query and not page.query_selector(tilted)
    explorer.open(f"?{link}")
    explorer.settled()
    explorer.seek(1000)
    explorer.frames()
    assert page.input_value("[data-knob=guidance]") == "free"
    assert moved(picture, explorer.pixels()) < 0.002
    assert explorer.query == link

    page.click("[data-kind=trained]")
    explorer.settled()
    explorer.open("?model=two_moons_mlp&steps=6&count=100")
    explorer.settled()
    assert page.is_hidden("[data-knob=label]"), "it knows no classes"
    page.select_option("[data-knob=guidance]", "classifier")
    explorer.settled()
    page.select_option("[data-knob=label]", "lower moon")
    explorer.settled()
    assert "What is sampled for lower moon" in explorer.text(".summary")
    page.select_option("[data-knob=guidance]", "none")
    explorer.settled()
    assert "label" not in explorer.query and page.is_hidden("[data-knob=label]")

    explorer.open("?model=tree_mlp&steps=4&count=60")
    explorer.settled()
    page.select_option("[data-knob=label]", "none")
    explorer.settled()
    assert "label=none" in explorer.query
    page.select_option("[data-knob=guidance]", "free")
    explorer.settled()
    assert "none" not in page.eval_on_selector_all("[data-knob=label] option", "all => all.map((one) => one.value)")
