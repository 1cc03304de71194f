"""The Sampler tab in a real browser: pixels, not only the DOM."""

import time

import numpy as np

from tests.browser.looking import moved


def test_it_opens_with_eight_gaussians_already_moving(explore):
    explorer = explore(moving=True)
    first = explorer.pixels()
    time.sleep(0.4)
    assert moved(first, explorer.pixels()) > 0.002
    explorer.seek(1000)
    last = explorer.pixels()
    height, width, _ = last.shape
    unit = height / 2 / 2.6 / 0.7116  # at σ = 0 the window is in units of σ_data
    for k in range(8):  # at the end, samples (orange) on density (blue) at each mode, and none in the middle
        x = int(width / 2 + unit * np.cos(k * np.pi / 4))
        y = int(height / 2 - unit * np.sin(k * np.pi / 4))
        mode = last[y - 22 : y + 22, x - 22 : x + 22]
        assert explorer.share_of("noise", mode) > 0.02
        assert (mode[..., 2] - mode[..., 0] > 40).mean() > 0.08
    assert "35 evaluations" in explorer.text(".metrics >> nth=0")
    assert "Eight Gaussians" in explorer.text(".summary")


def test_a_knob_answers_while_it_is_being_dragged(explore):
    explorer = explore("?steps=12", moving=True)
    explorer.seek(900)
    before, serial = explorer.pixels(), explorer.serial
    box = explorer.box("[data-knob=sigma_max]")
    y = box["y"] + box["height"] / 2
    explorer.page.mouse.move(box["x"] + box["width"] * 0.82, y)
    explorer.page.mouse.down()
    seen = []
    explorer.requests.clear()
    for i in range(12):
        explorer.page.mouse.move(box["x"] + box["width"] * (0.8 - i * 0.05), y)
        time.sleep(0.12)
        seen.append(explorer.serial)
    assert len(set(seen)) > 4  # results came while the button was down
    assert seen[-1] > serial
    explorer.page.mouse.up()
    explorer.settled()
    measured = sum(url.endswith("/measure") for url in explorer.requests)
    assert 1 <= measured < len(set(seen)) / 2  # what is passed by is not measured
    assert moved(before, explorer.pixels()) > 0.01
    assert "sigma_max=" in explorer.query


def test_every_knob_changes_the_picture_and_the_address(explore):
    explorer = explore("?steps=6")
    explorer.seek(850)
    before = explorer.pixels()
    for knob in ("rho", "S_churn", "sigma_min", "seed", "count", "alpha", "steps"):
        explorer.set(knob, {"steps": 3, "sigma_min": 200, "alpha": 0.4, "count": 30}.get(knob, 12))
        explorer.settled()
        assert moved(before, explorer.pixels()) > 0.0005, knob
        assert f"{knob}=" in explorer.query
        explorer.page.click(f"[data-row={knob}] .reset")
        explorer.settled()
        assert explorer.query == ("" if knob == "steps" else "steps=6")
        if knob != "steps":
            assert moved(before, explorer.pixels()) == 0, knob


def test_every_row_of_table_1_switches_alone(explore):
    explorer = explore("?model=three_modes&steps=8")
    explorer.seek(600)
    before = explorer.pixels()
    for name, value in (("solver", "euler"), ("discretization", "vp"), ("schedule", "ve"), ("scaling", "vp")):
        explorer.page.click(f"[data-choice={name}] [data-value={value}]")
        explorer.settled()
        assert moved(before, explorer.pixels()) > 0.005, name
        assert set(explorer.query.split("&")) == {"model=three_modes", "steps=8", f"{name}={value}"}
        assert explorer.page.locator(".yours.on").count() == 1  # no longer one of the four columns
        explorer.page.click("[data-design=edm]")
        explorer.settled()


def test_solvers_stand_in_a_list_of_families_and_bring_their_own_knobs(explore):
    explorer = explore("?model=three_modes&steps=8")
    page = explorer.page
    assert page.locator("[data-knob=solver] optgroup").count() > 2
    page.select_option("[data-knob=solver]", "unipc")
    page.select_option("[data-knob=variant]", "bh1")
    explorer.settled()
    assert set(explorer.query.split("&")) == {"model=three_modes", "steps=8", "solver=unipc", "variant=bh1"}
    assert page.locator("[data-row=order]").is_visible() and not page.locator("[data-row=eta]").is_visible()
    assert "do not touch it" in explorer.text(".about")
    page.select_option("[data-knob=solver]", "dpmpp_2m_sde")
    explorer.settled()
    assert set(explorer.query.split("&")) == {"model=three_modes", "steps=8", "solver=dpmpp_2m_sde"}
    assert page.locator("[data-row=eta]").is_visible() and not page.locator("[data-row=order]").is_visible()
    assert "error: fresh noise" in explorer.text(".metrics >> nth=0")


def test_designs_set_their_rows_and_keep_the_rest(explore):
    explorer = explore("?model=spiral&steps=9&S_churn=4")
    for design, evaluations in (("vp", 9), ("ve", 9), ("iddpm", 9), ("edm", 17)):
        explorer.page.click(f"[data-design={design}]")
        explorer.settled()
        assert f"{evaluations} evaluations" in explorer.text(".metrics >> nth=0")
        assert explorer.page.get_attribute(f"[data-design={design}]", "aria-checked") == "true"
        assert "steps=9" in explorer.query
        assert "S_churn=4" in explorer.query


def test_every_model_has_a_picture_of_its_own(explore):
    explorer = explore()
    pictures = []
    names = [b.get_attribute("data-model") for b in explorer.page.locator("[data-model]:visible").all()]
    assert len(names) == 13  # the exact ones; for the others see test_trained.py
    for name in names[:-1]:
        explorer.page.click(f"[data-model={name}]")
        explorer.settled()
        explorer.seek(970)
        pictures.append(explorer.pixels())
        assert pictures[-1].std() > 5, name
        thumbnail = explorer.pixels(f"[data-model={name}] canvas")
        assert (np.abs(thumbnail - thumbnail[2, 2]).sum(2) > 60).mean() > 0.01, name
    for i, a in enumerate(pictures):
        for b in pictures[:i]:
            assert a.shape != b.shape or moved(a, b) > 0.01


def test_scrubbing_asks_the_server_nothing(explore):
    explorer = explore()
    explorer.settled()
    explorer.seek(0)
    explorer.requests.clear()
    start, labels = explorer.pixels(), []
    box = explorer.box(".time input")
    y = box["y"] + box["height"] / 2
    explorer.page.mouse.move(box["x"] + 10, y)
    explorer.page.mouse.down()
    for i in range(1, 8):
        explorer.page.mouse.move(box["x"] + i * box["width"] / 8, y)
        explorer.frames()
        labels.append(explorer.text(".time output"))
    explorer.page.mouse.up()
    assert len(set(labels)) == 7
    assert moved(start, explorer.pixels()) > 0.01
    assert not any("explorer-ask" in url for url in explorer.requests)


def test_play_and_pause(explore):
    explorer = explore(moving=True)
    explorer.page.click(".play")
    explorer.frames()
    still = explorer.pixels()
    time.sleep(0.4)
    assert moved(still, explorer.pixels()) == 0
    explorer.page.click(".play")
    time.sleep(0.5)
    assert moved(still, explorer.pixels()) > 0.001


def test_the_algorithm_lights_up_as_a_step_passes_and_unfolds_to_its_formulas(explore):
    explorer = explore("?model=two_moons&steps=4")
    page = explorer.page
    explorer.settled()

    def lit():
        explorer.frames()
        return page.eval_on_selector_all(".algorithm .lit", "all => all.map(one => one.dataset.doing)")

    seen = []
    for part in range(5):
        explorer.seek(round(1000 * (1 + (part + 0.5) / 5) / 4))
        seen += lit()
    assert seen == ["state", "denoiser", "slope", "step", "correction"]
    explorer.seek(1000)
    assert lit() == []
    page.click(".algorithm [data-doing=correction]")
    assert lit() == ["correction"]
    formula = page.locator(".algorithm [data-doing=correction] .formula")
    assert not formula.is_visible(), "at 1280×800 it is one line"
    page.click(".algorithm .unfold")
    assert formula.is_visible()
    assert "½·d′" in formula.inner_text()
    assert page.evaluate("document.documentElement.scrollHeight") <= 800
    explorer.open("?model=two_moons&steps=4&solver=unipc&view.algorithm=closed")
    explorer.settled()
    assert page.locator(".algorithm [data-doing=remembered]").is_visible()
    assert not page.locator(".algorithm .rows").is_visible(), "a link may ask for it"
    explorer.open("?model=two_moons&steps=4")
    assert page.locator(".algorithm .rows").is_visible(), "as somebody has left it"
