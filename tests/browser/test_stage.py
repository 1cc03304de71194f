"""The stage: what it shows of each kind of model, and what can be dragged on it."""

import time

import numpy as np

from tests.browser.looking import moved


def place(explorer, x, y, half=1.3):
    """Screen position of a point in data units."""
    box = explorer.box()
    unit = box["height"] / 2 / half
    return box["x"] + box["width"] / 2 + x * unit, box["y"] + box["height"] / 2 - y * unit


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


def test_an_emoji_says_what_it_is_called(explore):
    """Under the mouse, and beside its film strip the training image that is nearest to it."""
    explorer = explore("?model=emoji&label=flags&count=4&steps=6")
    box = explorer.box()
    place = box["x"] + 0.5 * box["width"] - 40, box["y"] + 0.4 * box["height"]
    explorer.page.mouse.move(*place)
    stage = explorer.page.locator("canvas[data-lane=main]")
    assert (stage.get_attribute("title") or "").startswith("flag: ")
    before = explorer.pixels()
    explorer.page.mouse.click(*place)
    explorer.seek(1000)
    beside = explorer.pixels()[-230:, -220:]
    assert (beside != before[-230:, -220:]).any(2).mean() > 0.02


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
    # zoomed in, paths end at ±1 on the right edge: noise is at the left, as on the time slider
    near = seen[1]
    frame = near[44:-34, -44:-14]
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


def test_another_model_ends_the_drawing_and_cancel_takes_it_back(explore):
    explorer = explore("?model=two_diracs&count=7&steps=9")
    explorer.page.click("[data-model=drawn]")
    explorer.page.wait_for_selector(".done")
    explorer.page.mouse.click(explorer.box()["x"] + 300, explorer.box()["y"] + 200)
    explorer.wait(lambda: "points=" in explorer.query)
    explorer.page.click("text=Cancel")
    explorer.settled()
    explorer.wait(lambda: explorer.query == "model=two_diracs&count=7&steps=9")
    assert explorer.page.locator(".done").count() == 0
    explorer.page.click("[data-model=eight_gaussians]")
    explorer.settled()
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
