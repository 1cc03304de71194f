"""Trained models on the page."""

import numpy as np
import pytest


def test_trained_models_are_one_click_away_and_follow_the_data(explore):
    explorer = explore()
    explorer.page.click("[data-kind=trained]")
    explorer.settled()
    assert explorer.page.get_attribute("[data-model=eight_gaussians_mlp]", "aria-checked") == "true"
    assert explorer.page.is_hidden("[data-model=eight_gaussians]")
    assert "model=eight_gaussians_mlp" in explorer.query
    explorer.page.click("[data-model=spiral_mlp]")
    explorer.settled()
    assert explorer.share_of("noise") > 0.001
    explorer.page.click("[data-kind=exact]")
    explorer.settled()
    assert explorer.page.get_attribute("[data-model=spiral]", "aria-checked") == "true"


def test_every_trained_model_has_a_thumbnail_that_shows_something(explore):
    explorer = explore()
    explorer.page.click("[data-kind=trained]")
    explorer.settled()
    shown = explorer.page.locator(".thumbs button:visible")
    assert shown.count() >= 5
    for i in range(shown.count()):
        name = shown.nth(i).get_attribute("data-model")
        pixels = explorer.pixels(f".thumbs [data-model={name}] canvas")
        assert np.ptp(pixels.reshape(-1, 3), axis=0).max() > 60, name


def test_training_time_is_a_knob(explore):
    explorer = explore("?model=digits_edm&steps=6")
    row = explorer.page.locator("select[data-knob=trained]")
    assert row.locator("option").all_inner_texts()[0] == "5.1K images"
    explorer.page.click(".play")
    explorer.seek(1000)
    late = explorer.pixels()
    row.select_option("digits_edm_005k")
    explorer.settled()
    explorer.seek(1000)
    early = explorer.pixels()
    assert np.abs(late - early).mean() > 5
    assert "model=digits_edm_005k" in explorer.query
    assert explorer.page.get_attribute("[data-model=digits_edm]", "aria-checked") == "true"


def test_the_classes_of_a_trained_model_have_their_names(explore):
    explorer = explore("?model=digits_edm&steps=4&count=4")
    select = explorer.page.locator("select[data-knob=label]")
    assert select.locator("option").all_inner_texts() == ["all", *"0123456789", "none"]
    select.select_option("7")
    explorer.settled()
    assert "label=7" in explorer.query


def test_the_panel_says_in_which_precision_the_network_has_drawn_what_stays(explore):
    explorer = explore("?model=digits_edm&steps=2&count=2")
    words = explorer.page.get_by_title("In which precision what is shown was computed")
    assert words.inner_text() == "network in float32"
    explorer.page.click("[data-kind=exact]")
    explorer.settled()
    assert not words.is_visible(), "an exact denoiser has no network"


def test_a_class_is_chosen_by_its_name_and_linked_by_it(explore):
    explorer = explore("?model=scenes_edm&steps=2&count=2&label=1")
    select = explorer.page.locator("select[data-knob=label]")
    names = select.locator("option").all_inner_texts()
    assert names[0] == "all" and len(names) == len(set(names)) > 3
    assert select.input_value() == names[2]  # the second class, by its place
    select.select_option(names[4])
    explorer.wait(lambda: f"label={names[4]}" in explorer.query)
    select.select_option("all")
    explorer.wait(lambda: "label" not in explorer.query)


def levels(explorer):
    ticks = explorer.page.locator("[data-level]")
    return [float(ticks.nth(i).get_attribute("aria-valuenow")) for i in range(ticks.count())]


def test_the_noise_levels_are_those_that_the_network_was_asked_for_and_a_moved_one_stays_within_them(explore):
    explorer = explore("?model=digits_ve&steps=5&count=1")
    shown = levels(explorer)
    assert (shown[0], shown[-1]) == pytest.approx((80, 0.02))
    assert explorer.page.locator("[data-knob=sigma_min]").get_attribute("aria-valuetext") == "0.02"
    last = explorer.page.locator("[data-level='4']")
    last.focus()
    for _ in range(3):
        explorer.page.keyboard.press("ArrowDown")
    explorer.settled()
    assert levels(explorer)[-1] == pytest.approx(0.02)
    explorer.page.keyboard.press("ArrowUp")
    explorer.settled()
    assert levels(explorer)[-1] > 0.0205
    assert explorer.page.locator(".notice").first.is_hidden()


def test_arrows_of_a_trained_model_point_the_way(explore):
    explorer = explore("?model=two_moons_mlp&steps=6")
    explorer.seek(0)
    plain = explorer.pixels()
    explorer.page.click("text=arrows >> nth=-1")
    explorer.settled()
    explorer.seek(0)
    assert (np.abs(explorer.pixels() - plain).sum(2) > 60).mean() > 0.003
