"""Loss per σ, the oracle gap and training time in a real browser."""

import re

import numpy as np

from edm import diagnostics
from edm.objective import Design


def of(name, state=""):
    return f".instrument[data-show={name}]{state}"


def opened(explore, query, name):
    explorer = explore(f"?show={name}{query}")
    explorer.page.wait_for_selector(of(name, "[data-messages]"), timeout=60_000)
    explorer.page.wait_for_selector(of(name) + " .chart[data-drawn]", timeout=60_000)
    return explorer


def values(explorer):
    return {k: float(v) for k, v in re.findall(r"loss\.(P_\w+)=([-.\d]+)", explorer.query)}


def move(explorer, permille):
    time = "document.querySelector('.instrument .time input')"
    change = f"(v) => {{ {time}.value = v; {time}.dispatchEvent(new Event('input')); }}"
    explorer.page.evaluate(change, permille)
    explorer.frames(6)


def test_the_peak_of_p_train_is_dragged_while_the_measurement_goes_on(explore):
    explorer = opened(explore, "&loss.models=digits_edm", "loss")
    explorer.requests.clear()
    box = explorer.box(".pdrag .mean")
    peak = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    explorer.drag(peak, (peak[0] + 120, peak[1]))
    explorer.frames(6)
    after = explorer.box(".pdrag .mean")
    assert abs(after["x"] - box["x"] - 120) < 6
    assert values(explorer)["P_mean"] > -1.2
    right = explorer.page.locator(".pdrag .std").last.bounding_box()
    shoulder = right["x"] + 5, right["y"] + 5
    explorer.drag(shoulder, (shoulder[0] - 50, shoulder[1]))
    explorer.frames(6)
    found = values(explorer)
    assert found["P_std"] < 1.2
    share = diagnostics.training_share(Design(**found), [0, 0.01, 0.1, 1, 10, np.inf])
    written = explorer.page.locator(".chart .textpoint text").all_text_contents()
    assert written == [f"{round(100 * value)} %" for value in share]
    assert not any(url.endswith("explorer-ask/loss") for url in explorer.requests)
    assert explorer.page.get_attribute(of("loss"), "data-busy") == "true"
    explorer.page.click(f"{of('loss')} [data-action=halt]")
    explorer.page.wait_for_selector(of("loss", "[data-busy=false]"))


def test_another_weight_needs_no_new_measurement(explore):
    explorer = opened(explore, "&loss.models=two_moons_mlp", "loss")
    serial = explorer.page.get_attribute(of("loss"), "data-serial")
    explorer.page.click("[data-choice=weight] [data-value=raw]")
    explorer.page.wait_for_function("() => document.querySelector('.chart .ytitle').textContent.startsWith('E‖D')")
    assert explorer.page.get_attribute(of("loss"), "data-serial") == serial


def test_the_oracle_gap_is_scrubbed_without_the_server(explore):
    explorer = opened(explore, "&oracle.model=two_moons_mlp", "oracle")
    explorer.page.wait_for_selector(of("oracle", "[data-levels='24']"), timeout=60_000)
    explorer.requests.clear()
    seen = []
    for permille in (200, 700):
        move(explorer, permille)
        seen.append((explorer.pixels(".picture canvas"), explorer.box(".figure .cursor")["x"]))
    assert np.abs(seen[0][0] - seen[1][0]).mean() > 2
    assert seen[0][1] > seen[1][1] + 50
    assert not any("explorer-ask" in url for url in explorer.requests)


def test_digits_stand_in_the_rows_of_figure_1(explore):
    explorer = opened(explore, "&oracle.model=digits_edm", "oracle")
    assert explorer.page.locator(".instrument .time").is_hidden()
    assert explorer.pixels(".picture canvas").std() > 40
    assert "D* returns an image of the data set" in explorer.text(".instrument .summary")


def test_checkpoints_are_scrubbed_without_the_server(explore):
    explorer = opened(explore, "&training.steps=2", "training")
    explorer.page.wait_for_function("() => document.querySelector('.instrument').dataset.checkpoint === 'digits_edm'")
    time = f"{of('training')} .time output"
    seen = {}
    for permille in (0, 1000):
        move(explorer, permille)
        explorer.wait(lambda permille=permille: explorer.pixels(".picture canvas").std() > 60)
        seen[explorer.text(time)] = explorer.pixels(".picture canvas")
    assert list(seen) == ["5 k images", "200 k images"]
    assert np.abs(seen["5 k images"] - seen["200 k images"]).mean() > 10


def test_the_side_of_patches_is_scrubbed_beside_the_network_without_the_server(explore):
    explorer = opened(explore, "&patches.count=12&patches.steps=6&patches.patch=3", "patches")
    explorer.page.wait_for_selector(of("patches", "[data-busy=false][data-sides='7'][data-side='3']"), timeout=60_000)
    explorer.requests.clear()
    move(explorer, 1000)
    explorer.page.wait_for_selector(of("patches", "[data-side='15']"))
    assert "patches.patch=15" in explorer.query
    assert "k = 15, the whole image" in explorer.page.inner_text(".instrument .time output")
    assert "100 % at k = 3, 5, 7, 9, 11, 13, 15; Digits EDM 0 %" in explorer.page.inner_text(
        of("patches") + " .summary"
    )
    assert not any(url.endswith("explorer-ask/patches") for url in explorer.requests)
