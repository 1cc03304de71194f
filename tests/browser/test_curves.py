"""Curvature, truncation, order and the churn microscope in a real browser."""

import csv


def of(name, state=""):
    return f".instrument[data-show={name}]{state}"


def done(explorer, name):
    explorer.page.wait_for_selector(of(name, "[data-busy=false][data-messages]"), timeout=60_000)


def test_curvature_stands_beside_the_pictures_of_its_schedules(explore):
    explorer = explore("?show=curvature&curvature.lines=ve,edm")
    done(explorer, "curvature")
    titles = explorer.page.locator(".halves > div:nth-child(2)")
    explorer.wait(lambda: "VE: σ(t) = √t" in titles.text_content())
    assert "EDM: σ(t) = t" in titles.text_content()
    assert "(σ ≤ 25)" in titles.text_content()
    explorer.page.click(".toggle input")
    explorer.page.wait_for_function("document.querySelector('.halves').textContent.includes('(σ ≤ 1)')")
    assert "curvature.zoom=true" in explorer.query


def test_trajectories_are_painted_by_their_error_only_in_the_plane(explore):
    explorer = explore("?show=truncation&truncation.steps=6")
    done(explorer, "truncation")
    assert explorer.share_of("noise", explorer.pixels(".quarters canvas")) > 0.0005
    assert "orange" in explorer.text(".quarters .key")
    explorer.page.select_option("select[data-knob=data]", "three_modes")
    explorer.page.wait_for_selector(".quarters.unpainted")
    assert not explorer.page.is_visible(".quarters canvas")
    done(explorer, "truncation")
    with explorer.page.expect_download() as download:
        explorer.page.click("header .plain:text('PNG')")
    assert download.value.suggested_filename == "edm-truncation.png"


def test_slopes_stand_next_to_their_lines_and_the_table_holds_the_points(explore):
    explorer = explore("?show=order&order.most=64&order.solvers=euler,heun")
    done(explorer, "order")
    chart = explorer.page.locator(of("order", " .chart"))
    explorer.wait(lambda: chart.text_content().count("not yet asymptotic") == 2)  # so few steps say no order
    with explorer.page.expect_download() as download:
        explorer.page.click("header .plain:text('CSV')")
    with open(download.value.path()) as table:
        assert sum(row["series"] == "Heun" for row in csv.DictReader(table)) == 10


def test_the_moments_of_a_step_are_chosen_one_by_one(explore):
    explorer = explore("?show=churn")
    done(explorer, "churn")
    shots = {}
    for name in ("start", "corrected"):
        explorer.page.click(f"[data-moment={name}]")
        explorer.frames()
        shots[name] = explorer.pixels(".microscope canvas")
    assert abs(shots["start"] - shots["corrected"]).mean() > 0.3
    assert "mean of both slopes" in explorer.text(".moments output")


def test_rounds_show_rows_of_pictures_above_their_chart(explore):
    explorer = explore("?show=churn&churn.what=rounds&churn.rounds=4")
    done(explorer, "churn")
    assert not explorer.page.is_visible(".moments")
    drawn = explorer.pixels(".microscope canvas")
    assert (abs(drawn - drawn[-1, -1]).sum(2) > 100).mean() > 0.01
    chart = explorer.page.locator(of("churn", " .chart"))
    explorer.wait(lambda: "spread of x" in chart.text_content())
