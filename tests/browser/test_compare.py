"""The tab Compare in a real browser: lanes under one slider, the walk, the race, the sweep."""

import re
from pathlib import Path

import numpy as np

from tests.browser.looking import moved


def of(name, state=""):
    return f".instrument[data-show={name}]{state}"


def done(explorer, name, timeout=60_000):
    explorer.page.wait_for_selector(of(name, "[data-busy=false][data-messages]"), timeout=timeout)


def pixels(explorer, k):
    return explorer.pixels(f".lanes .lane:nth-child({k + 1}) canvas")


def test_lanes_stand_side_by_side_and_one_slider_moves_them_all(explore):
    explorer = explore("?tab=compare&lanes.nfe=41")
    done(explorer, "lanes")
    assert explorer.page.locator(".lanes .lane").count() == 4
    assert "N = 21, 41 NFE" in explorer.text(".lanes .lane:nth-child(4)")
    assert explorer.page.get_attribute("nav [data-tab=compare]", "aria-current") == "page"
    explorer.page.click(f"{of('lanes')} .play")
    time = "document.querySelector('.instrument .time input')"
    move = f"(v) => {{ {time}.value = v; {time}.dispatchEvent(new Event('input')); }}"
    shots = []
    for permille in (0, 1000):
        explorer.page.evaluate(move, permille)
        explorer.frames()
        shots.append([pixels(explorer, k) for k in range(4)])
    for early, late in zip(*shots, strict=True):
        assert explorer.share_of("noise", late) > 0.002
        assert np.abs(early - late).mean() > 1


def test_lanes_are_added_and_removed_and_the_table_shows_where_they_differ(explore):
    explorer = explore("?show=lanes&lanes.lanes=iddpm,edm&lanes.nfe=9")
    done(explorer, "lanes")
    assert explorer.page.locator(".differences").inner_text().count("Heun") == 1
    assert "schedule" not in explorer.text(".differences")
    explorer.page.click(".chips [data-value=yours]")
    explorer.page.wait_for_selector(".lanes .lane:nth-child(3)")
    assert "lanes.lanes=iddpm,edm,yours" in explorer.query
    explorer.page.click(".chips [data-value=iddpm]")
    explorer.page.wait_for_function("document.querySelectorAll('.lanes .lane').length === 2")


def test_a_lane_opens_in_the_sampler(explore):
    explorer = explore("?show=lanes&lanes.nfe=9")
    done(explorer, "lanes")
    explorer.page.click(".lanes .lane:nth-child(2) .lanetop button")
    explorer.page.wait_for_selector(".explorer[data-tab=sampler][data-measured]")
    assert explorer.page.get_attribute("[data-design=ve]", "aria-checked") == "true"
    assert "tab=" not in explorer.query
    assert "show=" not in explorer.query


def test_the_walk_names_what_each_step_brings(explore):
    explorer = explore("?show=walk&walk.nfe=15")
    done(explorer, "walk")
    heads = explorer.page.locator(".lanes .lanehead").all_inner_texts()
    assert [head.split("\n")[0] for head in heads] == ["VP", "+ solver", "+ time steps", "+ schedule", "+ scaling"]
    assert all(re.search(r"error [\d.]+.* \(× [\d.]+\)", head, re.DOTALL) for head in heads[1:])


def test_the_race_fills_in_and_can_be_taken_away(explore):
    explorer = explore("?show=race&race.limit=40")
    page = explorer.page
    page.wait_for_selector(f"{of('race')} .chart .scatterlayer .point", timeout=60_000, state="attached")
    done(explorer, "race")
    assert page.locator(f"{of('race')} .scatterlayer .trace").count() == 4
    assert "EDM" in explorer.text(f"{of('race')} .summary")
    with page.expect_download() as taken:
        page.click("header >> text=CSV")
    rows = Path(taken.value.path()).read_text(encoding="utf-8").splitlines()
    assert rows[0] == "panel,series,x,y,low,high"
    assert {row.split(",")[1] for row in rows[1:]} == {"VP", "VE", "iDDPM", "EDM"}
    with page.expect_download() as taken:
        page.click("header >> text=PNG")
    assert Path(taken.value.path()).read_bytes()[:4] == b"\x89PNG"
    page.click("header >> text=Share")
    assert "diagnostics.race(" in page.input_value("[data-text=python]")
    assert "show=race" in page.input_value("[data-text=link]")


def test_a_sweep_shows_its_cells_and_a_click_opens_one(explore):
    explorer = explore("?show=sweep&sweep.x_range=2,4,8&sweep.y=rho&sweep.y_range=3,7&sweep.measure=error")
    page = explorer.page
    done(explorer, "sweep")
    page.wait_for_selector(of("sweep", "[data-cells='6']"))
    assert explorer.text(f"{of('sweep')} .summary").startswith("6 cells")
    box = page.locator(".figure .grid").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.9, box["y"] + box["height"] * 0.3)
    page.wait_for_selector(".explorer[data-tab=sampler][data-measured]")
    assert "rho=3" in explorer.query
    assert "steps=8" in explorer.query


def test_a_sweep_on_a_phone_is_one_picture_with_a_slider_for_each_axis(explore):
    explorer = explore("?show=sweep&sweep.x_range=4-32 (%2B4)&sweep.y_range=0,10", width=390, height=844)
    explorer.page.wait_for_selector(of("sweep", "[data-cells='16']"))
    outputs = explorer.find(f"{of('sweep')} .time output")
    assert outputs.all_inner_texts() == ["N = 20", "Schurn = 10"]
    before, shown = explorer.pixels(f"{of('sweep')} canvas.grid"), len(explorer.requests)
    for slider in explorer.find(f"{of('sweep')} .time input").all():
        slider.fill("0")
    explorer.frames()
    assert outputs.all_inner_texts() == ["N = 4", "Schurn = 0"]
    assert moved(before, explorer.pixels(f"{of('sweep')} canvas.grid")) > 0.001
    assert len(explorer.requests) == shown
    explorer.page.click(f"{of('sweep')} [data-view='as:grid']")
    explorer.frames()
    assert outputs.count() == 0


def test_a_long_sweep_says_its_cost_and_waits_and_can_be_stopped(explore):
    axes = "sweep.x_range=10-60 (%2B1)&sweep.y=rho&sweep.y_range=1-10 [20]"
    explorer = explore(f"?show=sweep&sweep.model=scenes_edm&{axes}")
    page = explorer.page
    page.wait_for_selector(of("sweep", "[data-busy=false][data-messages]"), timeout=60_000)
    assert "20 × 51 cells" in explorer.text(f"{of('sweep')} .summary")
    assert explorer.text("[data-action=halt]") == "Run"
    page.click("[data-action=halt]")
    page.wait_for_function("Number(document.querySelector('.instrument').dataset.cells) > 0", timeout=60_000)
    assert explorer.text("[data-action=halt]") == "Stop"
    page.click("[data-action=halt]")
    page.wait_for_selector(of("sweep", "[data-busy=false]"))
    kept = int(page.get_attribute(of("sweep"), "data-cells"))
    explorer.wait(lambda: "cells done" in explorer.text(".state"))
    page.wait_for_timeout(600)
    assert int(page.get_attribute(of("sweep"), "data-cells")) == kept > 0


def test_absurd_input_gets_a_sentence_and_the_last_picture_stays(explore):
    explorer = explore("?show=sweep&sweep.x_range=2,3&sweep.y=rho&sweep.y_range=3,7")
    page = explorer.page
    done(explorer, "sweep")
    field = page.locator("[data-knob=x_range]")
    for text, said in (("1-1e12", "64"), ("10-2 (+1)", "10-2"), ("<b>x</b>", "<b>x</b>")):
        field.fill(text)
        field.press("Enter")
        explorer.wait(lambda said=said: said in explorer.text(f"{of('sweep')} .notice"))
        assert page.get_attribute(of("sweep"), "data-cells") == "4"
    field.fill("2,3,4")
    field.press("Enter")
    page.wait_for_selector(of("sweep", "[data-cells='6']"))
    assert page.is_hidden(f"{of('sweep')} .notice")


def test_a_preset_of_the_paper_opens_in_one_click(explore):
    explorer = explore("?steps=9")
    page = explorer.page
    page.click("header >> text=Figures")
    assert page.locator(".gallery .card").count() >= 7
    page.click(".gallery [data-figure=table1]")
    done(explorer, "lanes")
    assert "show=lanes" in explorer.query
    assert "steps=9" in explorer.query  # the Sampler tab keeps its own
    page.click("nav [data-tab=sampler]")
    explorer.settled()
    assert "show=" not in explorer.query


def test_a_bad_link_to_an_instrument_gives_the_default_and_a_sentence(explore):
    explorer = explore("?show=lanes&lanes.nfe=-4")
    assert "nfe = -4" in explorer.text(".notice:visible")


def test_two_names_are_told_to_be_the_same_or_different_row_by_row(explore):
    explorer = explore("?show=sameness")
    page = explorer.page
    done(explorer, "sameness")
    assert page.get_attribute(of("sameness"), "data-same") == "true"
    rows = page.locator(".both [data-verdict]")
    verdicts = [row.get_attribute("data-verdict") for row in rows.all()]
    assert verdicts == ["same", *["identical"] * 10]
    assert page.locator(f"{of('sameness')} .scatterlayer .trace").count() == 2
    page.select_option("[data-knob=b]", "edm_heun")
    page.wait_for_selector(of("sameness", "[data-same=false]"))
    assert page.locator(".both [data-verdict=different]").count() > 1
    assert "sameness.b=edm_heun" in explorer.query
    done(explorer, "sameness")


def test_what_has_come_is_painted_before_it_is_said_to_be_done(explore):
    explorer = explore("?model=eight_gaussians")
    held, hold = [], True

    def late(route):
        if hold:
            held.append(route)
        else:
            route.continue_()

    explorer.context.route("**/plotly.min.js", late)
    explorer.open("?show=sameness&sameness.limit=10")
    explorer.page.wait_for_timeout(2000)
    assert held and explorer.page.get_attribute(of("sameness"), "data-busy") == "true"
    hold = False
    for route in held:
        route.continue_()
    done(explorer, "sameness")
    explorer.context.unroute("**/plotly.min.js")
    assert explorer.page.locator(f"{of('sameness')} .scatterlayer .trace").count() == 2


def test_lanes_of_any_solver_are_added_changed_moved_and_removed_in_the_panel(explore):
    explorer = explore("?show=lanes&lanes.lanes=edm,midpoint/uniform&lanes.nfe=8")
    page = explorer.page
    done(explorer, "lanes")
    rows = page.locator(".pairings li")
    assert "N = 4, 7 NFE (of 8)" in explorer.text(".lanes .lane:nth-child(2)")
    assert [row.get_attribute("data-lane") for row in rows.all()] == ["edm", "heun:alpha=0.5/edm:rho=1@edm"]
    page.click("[data-action=add-lane]")
    page.select_option("[aria-label='Lane 3: solver']", "lms")
    page.select_option("[aria-label='Lane 3: time steps']", "flow")
    page.select_option("[aria-label='Lane 3: σ(t), s(t) and range']", "flow")
    page.fill("[aria-label='Lane 3: order']", "4")
    page.press("[aria-label='Lane 3: order']", "Enter")
    page.click("[aria-label='Lane 3: up']")
    page.click("[aria-label='Lane 3: remove']")
    page.wait_for_function("document.querySelectorAll('.lanes .lane').length === 2")
    explorer.wait(lambda: "LMS, order 4 · flow · in Flow" in explorer.text(".lanes .lane:nth-child(2)"))
    assert "lanes.lanes=edm,lms%3Aorder%3D4%2Fflow%40flow" in explorer.query
    page.click("[aria-label='Lane 1: another solver or other time steps']")
    assert rows.first.get_attribute("data-lane") == "heun/edm@edm"


def test_a_solver_with_its_grid_is_an_axis_of_the_sweep_and_is_chosen_in_a_list(explore):
    explorer = explore("?show=sweep&sweep.measure=error&sweep.y=none&sweep.x_range=4,6")
    page = explorer.page
    done(explorer, "sweep")
    page.select_option("[data-knob=x]", "pair")
    page.wait_for_selector(of("sweep", "[data-cells='5']"))
    page.click("[aria-label='Pair 5: remove']")
    page.wait_for_selector(of("sweep", "[data-cells='4']"))
    assert page.input_value("[data-knob=x_range]").startswith("euler/vp@vp,")
    page.select_option("[data-knob=x]", "steps")
    done(explorer, "sweep")
    assert page.input_value("[data-knob=x_range]") == "4-32 (+4)" and not page.is_visible(".pairings")


def test_the_walk_from_vp_over_edm_to_flow_says_what_it_brings_and_what_kind_of_error_that_is(explore):
    explorer = explore("?show=walk&walk.end=flow_heun&walk.nfe=11&walk.data=two_moons")
    done(explorer, "walk")
    titles = [text.split("\n")[0] for text in explorer.page.locator(".lanes .lanehead").all_inner_texts()]
    assert titles[0] == "VP" and titles[4].endswith("= EDM") and titles[-1] == "+ scaling"
    summary = explorer.text(f"{of('walk')} .summary")
    own, theirs = re.search(
        r"last has (0\.\d+) with 11 evaluations; EDM's sampler takes 35 for (0\.\d+)", summary
    ).groups()
    assert float(own) <= float(theirs)
    assert "RMS error to the ODE's solution for Two moons, exact denoiser, not the FID" in summary
