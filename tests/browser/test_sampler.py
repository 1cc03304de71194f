"""The Sampler tab in a real browser: pixels, not only the DOM."""

import time

import numpy as np
import pytest


def moved(before, after):
    return float((np.abs(before - after).sum(2) > 30).mean())


def place(explorer, x, y, half=1.3):
    """Screen position of a point in data units."""
    box = explorer.box()
    unit = box["height"] / 2 / half
    return box["x"] + box["width"] / 2 + x * unit, box["y"] + box["height"] / 2 - y * unit


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
    for i in range(12):
        explorer.page.mouse.move(box["x"] + box["width"] * (0.8 - i * 0.05), y)
        time.sleep(0.12)
        seen.append(explorer.serial)
    assert len(set(seen)) > 4  # results came while the button was down
    assert seen[-1] > serial
    explorer.page.mouse.up()
    explorer.settled()
    assert moved(before, explorer.pixels()) > 0.01
    assert "sigma_max=" in explorer.query


@pytest.mark.parametrize("knob", ["rho", "steps", "S_churn", "sigma_min", "seed", "count", "alpha"])
def test_every_knob_changes_the_picture_and_the_address(explore, knob):
    explorer = explore("?steps=6")
    explorer.seek(850)
    before = explorer.pixels()
    explorer.set(knob, {"steps": 3, "sigma_min": 200, "alpha": 0.4, "count": 30}.get(knob, 12))
    explorer.settled()
    assert moved(before, explorer.pixels()) > 0.0005
    assert f"{knob}=" in explorer.query
    explorer.page.click(f"[data-row={knob}] .reset")
    explorer.settled()
    assert explorer.query == ("" if knob == "steps" else "steps=6")
    if knob != "steps":
        assert moved(before, explorer.pixels()) == 0


@pytest.mark.parametrize("choice", ["solver:euler", "discretization:vp", "schedule:ve", "scaling:vp"])
def test_every_row_of_table_1_switches_alone(explore, choice):
    explorer = explore("?model=three_modes&steps=8")
    explorer.seek(600)
    before = explorer.pixels()
    name, value = choice.split(":")
    explorer.page.click(f"[data-choice={name}] [data-value={value}]")
    explorer.settled()
    assert moved(before, explorer.pixels()) > 0.005
    assert set(explorer.query.split("&")) == {"model=three_modes", "steps=8", f"{name}={value}"}
    assert explorer.page.locator(".yours.on").count() == 1  # no longer one of the four columns


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
    assert len(names) == 12  # the exact ones; for the others see test_trained.py
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
    asked = len(explorer.requests)
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
    assert len(explorer.requests) == asked


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


def test_digits_emerge_from_noise(explore):
    explorer = explore("?model=digits")
    explorer.seek(0)
    noise = explorer.pixels()
    explorer.seek(1000)
    digits = explorer.pixels()
    assert moved(noise, digits) > 0.1
    assert (digits.sum(2) < 30).mean() > 0.1  # black ground of the digits
    explorer.seek(450)
    noisy = explorer.pixels()
    explorer.page.click("[data-view='show:denoised']")
    explorer.frames()
    assert moved(noisy, explorer.pixels()) > 0.1
    assert explorer.text(".summary").startswith("16 samples, Digits")


def test_an_image_shows_its_film_strip(explore):
    explorer = explore("?model=digits")
    explorer.seek(1000)
    before, box = explorer.pixels(), explorer.box()
    bottom = before[int(0.8 * before.shape[0]) :]
    explorer.page.mouse.click(box["x"] + box["width"] / 2 - 60, box["y"] + box["height"] / 2)
    explorer.frames()
    after = explorer.pixels()
    assert moved(bottom, after[int(0.8 * after.shape[0]) :]) > 0.05
    assert "view.selected=" in explorer.query
    explorer.page.keyboard.press("Escape")
    explorer.frames()
    assert moved(before, explorer.pixels()) < 2e-4  # but for the ring of the focus


def test_a_class_of_digits(explore):
    explorer = explore("?model=digits&count=25")
    explorer.page.select_option("[data-knob=label]", "0")
    explorer.settled()
    explorer.seek(1000)
    assert "label=0" in explorer.query
    explorer.page.click("[data-model=spiral]")  # which has no classes
    explorer.settled()
    assert "label" not in explorer.query


def test_the_paper_s_figure_3_and_its_zoom(explore):
    explorer = explore("?model=two_diracs&steps=40")
    explorer.seek(1000)
    seen = [explorer.pixels()]
    for view in ("zoom:near", "axis:sigma", "zoom:all"):
        explorer.page.click(f"[data-view='{view}']")
        explorer.frames()
        seen.append(explorer.pixels())
    assert moved(seen[0], seen[1]) > 0.05
    assert moved(seen[1], seen[3]) > 0.05
    # with σ = t, s = 1 both axes are the same picture
    assert moved(seen[1], seen[2]) < 0.02
    # zoomed in, paths end at ±1 on the left edge
    near = seen[1]
    frame = near[44:-34, 60:90]
    rows = np.nonzero((np.abs(frame - (217, 107, 31)).sum(2) < 160).any(1))[0]
    assert rows.size
    assert rows.min() > 0.05 * len(frame)
    assert rows.max() < 0.95 * len(frame)


def test_arrows_on_request(explore):
    explorer = explore()
    explorer.seek(500)
    before = explorer.pixels()
    explorer.page.click("[data-view='field:on']")
    explorer.settled()
    assert moved(before, explorer.pixels()) > 0.01
    explorer.page.click("[data-view='field:']")
    explorer.settled()
    assert moved(before, explorer.pixels()) == 0


def test_the_window_follows_sigma(explore):
    explorer = explore()
    explorer.seek(0)
    # at σ = 80 all 400 particles are in view, as a unit Gaussian: most of them near the middle
    picture = explorer.pixels()
    height, width, _ = picture.shape
    middle = picture[height // 4 : -height // 4, width // 2 - height // 4 : width // 2 + height // 4]
    assert explorer.share_of("noise", middle) > 0.01
    explorer.page.click("[data-view='coordinates:data']")
    explorer.frames()
    assert explorer.share_of("noise") < explorer.share_of("noise", picture) / 3  # out of the data's window


def test_a_dragged_particle_shows_its_path(explore):
    explorer = explore()
    explorer.seek(300)
    before, box = explorer.pixels(), explorer.box()
    centre = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    explorer.drag(centre, (centre[0] + 200, centre[1] - 120))
    explorer.wait(lambda: explorer.page.get_attribute(".explorer", "data-probe") is not None)
    explorer.frames()
    time.sleep(0.3)
    after = explorer.pixels()
    around = after[int(centre[1] - 120 - box["y"]) - 9 :][:18, int(centre[0] + 200 - box["x"]) - 9 :][:, :18]
    assert explorer.share_of("noise", around) > 0.1  # the ring is under the pointer
    assert moved(before, after) > 0.001
    explorer.seek(1000)
    explorer.drag(centre, (centre[0] + 50, centre[1]))
    assert "nothing is left to solve" in explorer.text(".notice")


def test_a_drawing_becomes_the_data(explore):
    explorer = explore("?steps=30&view.coordinates=data")
    explorer.page.click("[data-model=drawn]")
    a, b, c = place(explorer, -0.8, 0.6), place(explorer, -0.8, -0.6), place(explorer, 0.6, -0.6)
    explorer.drag(a, b, c, steps=40)
    explorer.settled()
    explorer.page.click(".done")
    explorer.seek(1000)
    picture, box = explorer.pixels(), explorer.box()
    orange = np.abs(picture - (217, 107, 31)).sum(2) < 60
    rows, columns = np.nonzero(orange)
    unit = box["height"] / 2 / 1.3
    x, y = (columns - box["width"] / 2) / unit, (box["height"] / 2 - rows) / unit
    near = (np.abs(x + 0.8) < 0.12) & (np.abs(y) < 0.75) | (np.abs(y + 0.6) < 0.12) & (x > -0.95) & (x < 0.75)
    path = orange.sum()
    assert path > 300
    assert near.mean() > 0.85  # samples land on the strokes
    assert "model=drawn" in explorer.query
    assert "points=" in explorer.query


def test_another_model_ends_the_drawing(explore):
    explorer = explore("?steps=9")
    explorer.page.click("[data-model=drawn]")
    box = explorer.box()
    explorer.page.mouse.click(box["x"] + 400, box["y"] + 200)
    explorer.settled()
    assert explorer.query.count(";") == 0  # a click is one point
    explorer.page.click("[data-model=digits]")
    explorer.settled()
    assert explorer.page.locator(".done").count() == 0
    assert explorer.page.locator("[data-view='show:denoised']").is_visible()
    assert explorer.query == "model=digits&steps=9"


def test_a_pinned_result_stays_beside_the_present_one(explore):
    explorer = explore("?model=two_moons&steps=5")
    explorer.page.click("button.pin")
    explorer.settled()
    explorer.page.click("[data-choice=solver] [data-value=euler]")
    explorer.settled()
    explorer.seek(800)
    now, pinned = explorer.pixels(), explorer.pixels("canvas[data-lane=pin]")
    assert pinned.std() > 5
    assert moved(now[:, : pinned.shape[1]], pinned[:, : now.shape[1]]) > 0.01
    assert explorer.text(".lane.main .caption") == "now: solver euler"
    assert explorer.text(".lane.pin .caption") == "pinned: solver heun"
    explorer.wait(lambda: "9 evaluations" in explorer.text(".metrics >> nth=1"))
    assert "5 evaluations" in explorer.text(".metrics >> nth=0")
    query = explorer.query
    again = explore(f"?{query}")
    again.seek(800)
    again.wait(lambda: again.page.locator(".metrics >> nth=1").is_visible())
    time.sleep(0.3)
    assert moved(again.pixels("canvas[data-lane=pin]"), pinned) == 0
    again.page.click("button.pin")
    assert "pin." not in again.query


def test_a_level_can_be_dragged(explore):
    explorer = explore("?steps=8")
    explorer.seek(700)
    before = explorer.pixels()
    dot = explorer.box("circle[data-level='3']")
    start = dot["x"] + dot["width"] / 2, dot["y"] + dot["height"] / 2
    explorer.drag(start, (start[0] + 45, start[1]))
    explorer.settled()
    assert moved(before, explorer.pixels()) > 0.001
    levels = [float(v) for v in dict(p.split("=") for p in explorer.query.split("&"))["sigmas"].split(",")]
    assert len(levels) == 8
    assert levels == sorted(levels, reverse=True)
    explorer.page.click("[data-choice=discretization] [data-value=edm]")  # a computed grid again
    explorer.settled()
    assert "sigmas" not in explorer.query
    assert moved(before, explorer.pixels()) == 0
