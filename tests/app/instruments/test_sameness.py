"""Same or different? on the page: its verdicts are the library's, its race is run with both."""

import pytest

from app.instruments import INSTRUMENTS, base
from edm.experiments.experiment import Experiment
from edm.sampling.settings import Sampling
from tests.app.instruments import bodies, final


def lines(body, k=0):
    return [line["y"] for line in body["figure"]["panels"][k]["lines"]]


def test_two_names_of_one_sampler_run_the_same_race():
    body = final("sameness", a="flow_euler", b="ddim")
    assert body["same"] is True
    assert "solver" in body["verdict"]
    first, second = lines(body)
    assert first == pytest.approx(second, rel=1e-6)
    assert {row["title"] for row in body["rows"] if row["verdict"] == "same"} == {"solver"}


def test_heun_in_flows_coordinates_is_told_apart_and_what_that_does_at_11_evaluations():
    body = final("sameness", a="flow_heun", b="edm_heun", limit=11)
    assert body["same"] is False
    flow, karras = (errors[-1] for errors in lines(body))
    assert karras > 6 * flow
    assert "At 11 evaluations" in body["summary"]
    assert "not the FID of a network" in body["summary"]


def test_training_rows_are_proved_by_their_curves():
    body = final("sameness", a="trigflow", b="edm", limit=3)
    titles = [panel["title"] for panel in body["figure"]["panels"]]
    assert titles == ["c_skip", "|c_out|", "c_in"]
    for k in range(3):
        first, second = lines(body, k)
        assert first == pytest.approx(second, rel=1e-6)


def test_rows_come_before_the_race_has_been_run():
    first, finished = next(bodies("sameness", a="lms_1", b="euler"))
    assert not finished
    assert first["rows"]
    assert all(line["x"] == [] for line in first["figure"]["panels"][0]["lines"])


def test_with_fresh_noise_both_race_for_the_distance_to_the_data():
    body = final("sameness", a="ddpm", b="solver.euler_ancestral", limit=5)
    assert body["same"] is True
    assert "distance" in body["figure"]["panels"][0]["title"]


def test_the_sampler_tabs_settings_are_one_of_the_names_levels_by_hand_too():
    by_hand = Experiment(sampling=Sampling(solver="euler", sigmas=(80.0, 5.0, 0.5, 0.01)))
    assert final("sameness", a="yours", b="ddim", limit=5, yours=by_hand)["same"] is True
    assert final("sameness", a="karras", b="yours", limit=5, yours=by_hand)["same"] is False


def test_names_are_listed_by_family():
    offered = base.offered(INSTRUMENTS["sameness"].settings)["a"]
    of = dict(zip(offered["choices"], offered["families"], strict=True))
    assert of["ddim"] == "names"
    assert of["design.flow"] == "columns of Table 1"
    assert of["solver.unipc"] == "solver: exponential, in ln σ"
