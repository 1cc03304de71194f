"""Curvature, truncation, order and churn on the page: their numbers are those of edm.diagnostics."""

import math

import numpy as np
import pytest

from app.work.tickets import Ticket
from app.work.watch import Watch
from edm import diagnostics, models, presets, runner
from edm.base.fields import SettingsError
from edm.experiments.experiment import Experiment
from edm.sampling.settings import Sampling
from tests.app.instruments import bodies, final


def line(panel, name):
    return next(line for line in panel["lines"] if line["name"] == name)


def test_curvature_shows_the_library_s_medians_of_the_chosen_schedules():
    panel, *pictures = final("curvature", lines="ve,edm")["figure"]["panels"]
    assert [line["name"] for line in panel["lines"]] == ["VE", "EDM"] and len(pictures) == 2
    z, _ = runner.start(Experiment(model="two_diracs", count=64))
    shown, levels = line(panel, "VE"), np.geomspace(80, 0.002, 49)
    sampling = Sampling(schedule="ve")
    parts = list(diagnostics.curvature(models.load("two_diracs").denoiser, z, sampling, levels))
    np.testing.assert_allclose(shown["x"], levels, rtol=1e-6)
    np.testing.assert_allclose(shown["y"], [np.quantile(part.turn, 0.5) for part in parts], rtol=1e-5)
    assert all(low <= y <= high for low, y, high in zip(shown["low"], shown["y"], shown["high"], strict=True))


def test_far_from_the_data_the_turn_of_ve_is_1_and_trajectories_of_edm_are_straight():
    """There D is the mean, 0: x/s ∝ √(σ² + σ_data²). With t = σ², x' ∝ 1/σ turns by 1; with t = σ, by (σ_data/σ)²."""
    panel, *_ = final("curvature", lines="ve,edm")["figure"]["panels"]
    assert line(panel, "VE")["y"][0] == pytest.approx(1, abs=0.01)
    assert line(panel, "EDM")["y"][0] == pytest.approx(1 / 80**2, rel=0.05)


def test_the_pictures_begin_and_end_where_figure_3_does():
    for zoom, limit in (("false", 25), ("true", 1)):
        _, ve, edm = final("curvature", lines="ve,edm", zoom=zoom)["figure"]["panels"]
        for panel, end in ((ve, limit**2), (edm, limit)):
            (path,) = panel["lines"]
            ends = [y for x, y in zip(path["x"], path["y"], strict=True) if x == 0]
            np.testing.assert_allclose(np.abs(ends), 1, atol=1e-3)  # the two peaks
            assert max(x for x in path["x"] if x is not None) == pytest.approx(end)


def test_truncation_shows_the_library_s_errors_and_marks_the_least_total():
    body = final("truncation", data="three_modes", steps="8")
    solvers, rhos, total = body["figure"]["panels"]
    z, _ = runner.start(Experiment(model="three_modes", count=96))
    denoiser = models.load("three_modes").denoiser
    base = presets.load("designs/edm").sampling.changed(steps=8)
    for panel, name, sampling in (
        (solvers, "Euler", base.changed(solver="euler")),
        (solvers, "α = ½", base.changed(alpha=0.5)),
        (rhos, "3", base.changed(rho=3)),
    ):
        parts = diagnostics.truncation_error(denoiser, z, sampling)
        expected = [math.sqrt(part.error.square().mean()) for part in parts]
        np.testing.assert_allclose(line(panel, name)["y"], expected, rtol=1e-5)
    (errors,) = total["lines"]
    assert total["marks"][0]["x"] == errors["x"][int(np.argmin(errors["y"]))]
    expected = diagnostics.sampling_error(denoiser, z, base.changed(rho=5))
    assert dict(zip(errors["x"], errors["y"], strict=True))[5] == pytest.approx(expected, rel=1e-3)


def test_only_the_plane_is_painted_and_its_trajectories_end_at_sigma_0():
    assert "painted" not in final("truncation", data="three_modes", steps="4")
    painted = final("truncation", steps="4")["painted"]
    assert len(painted["sigma"]) == 5 and painted["sigma"][-1] == 0


def test_orders_are_written_next_to_their_lines():
    """Euler's order is 1, that of the whole α family 2; up to N = 256 they are there to 0.1."""
    (panel,) = final("order", data="three_modes")["figure"]["panels"]
    labels = [line["text"][0].split() for line in panel["lines"] if line.get("mode") == "text"]
    assert [float(words[1]) for words in labels] == pytest.approx([1, 2, 2, 2], abs=0.1)


def test_a_slope_of_few_steps_is_no_order():
    """On the spiral Heun's slope is 3 before it becomes 2: straight over a factor of 2 in N, and no more."""
    body = final("order", data="spiral", solvers="heun", most="16")
    (label,) = [line["text"][0] for line in body["figure"]["panels"][0]["lines"] if line.get("mode") == "text"]
    assert float(label.split()[1].rstrip(",")) > 2.5 and label.endswith("not yet asymptotic")
    assert body["summary"].startswith("Not yet asymptotic are the slopes of Heun: ")


def test_nothing_to_measure_is_said_and_not_drawn():
    for name, values, words in (
        ("curvature", {"lines": "none"}, "no line is chosen"),
        ("order", {"solvers": "none"}, "at least one solver"),
    ):
        with pytest.raises(ValueError, match=words):
            next(bodies(name, **values))


def test_fewer_steps_than_the_one_that_is_watched_show_the_last():
    summary = next(bodies("churn", steps="6", index="10"))[0]["summary"]
    assert summary.startswith("There is no step 10, so this is the last. Step 5 of 6")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("curvature", {"data": "deleted"}),
        ("truncation", {"rho": "-1"}),
        ("truncation", {"steps": "1e9"}),
        ("order", {"grids": "edm,best"}),
        ("churn", {"sigma": "0"}),
        ("churn", {"rounds": "a million"}),
    ],
)
def test_absurd_settings_are_refused_with_a_sentence(name, values):
    with pytest.raises(SettingsError, match=next(iter(values))):
        next(bodies(name, **values))


@pytest.mark.parametrize("values", [{}, {"what": "rounds"}])
def test_cancelling_ends_the_work_at_the_next_evaluation(values):
    class Overtaken(Exception):
        pass

    calls = []

    def check():
        calls.append(1)
        if len(calls) > 5:
            raise Overtaken

    for name in ("churn",) if values else ("curvature", "truncation", "order", "churn"):
        calls.clear()
        with pytest.raises(Overtaken):
            list(bodies(name, Watch(Ticket(checks=(check,))), **values))
        assert len(calls) == 6


def test_a_step_in_slow_motion_is_algorithm_2_s():
    stage = final("churn", S_churn="9")["stage"]
    moments = stage["moments"]
    assert [moment["name"] for moment in moments] == ["start", "noise", "denoised", "euler", "corrected"]
    gamma = min(9 / 18, math.sqrt(2) - 1)
    assert moments[1]["sigma"] == pytest.approx((1 + gamma) * moments[0]["sigma"])
    without = final("churn", S_churn="0")["stage"]["moments"]
    assert [moment["name"] for moment in without] == ["start", "denoised", "euler", "corrected"]


def test_images_have_moments_and_rounds_too():
    assert final("churn", data="digits", index="4")["stage"]["shape"] == (1, 8, 8)
    rows = final("churn", data="digits", what="rounds", rounds="3")["stage"]["rows"]
    assert [[part["index"] for part in row["rounds"]] for row in rows] == [[0, 1, 2, 3]] * 2


def test_the_sentence_about_rounds_has_the_ends_of_the_curves_and_says_what_is_chance():
    body = final("churn", data="digits", what="rounds", rounds="2", S_noise="1.1")
    _, denoised = body["figure"]["panels"]
    assert denoised["title"].startswith("detail")
    for line, strength in zip(denoised["lines"], ("1", "1.1"), strict=True):
        assert f"to {line['y'][-1]:.3g} with S_noise = {strength} (" in body["summary"]
    assert "S_noise = 1.1 makes it larger" in body["summary"] or "not beyond chance" in body["summary"]
    assert "over 32 samples" in body["summary"]


def test_spread_grows_with_too_strong_noise_and_begins_as_expected():
    spread, _ = final("churn", what="rounds", S_noise="1.1", rounds="16")["figure"]["panels"]
    plain, strong = spread["lines"]
    expected = spread["marks"][0]["y"]
    assert plain["y"][0] == strong["y"][0] == pytest.approx(expected, rel=0.05)  # 600 numbers: 3 %
    assert strong["y"][-1] > plain["y"][-1] * 1.01
    assert plain["y"][-1] == pytest.approx(expected, rel=0.08)


def test_solvers_with_fresh_noise_have_a_weak_order_and_steps_without_it():
    order = final("order", solvers="heun,dpmpp_sde", most=16)
    names = [line["name"] for line in order["figure"]["panels"][0]["lines"]]
    assert {"Heun", "DPM++ SDE"} <= set(names)
    assert "DPM++ SDE: weak orders" in order["summary"] and "weak_convergence" in order["python"]
    truncation = final("truncation", solver="dpmpp_sde", solvers="ddim", steps=4)
    assert "so DDIM, DPM++ SDE stand here without it" in truncation["summary"]
    assert {"DDIM", "DPM++ SDE"} <= {line["name"] for line in truncation["figure"]["panels"][0]["lines"]}
