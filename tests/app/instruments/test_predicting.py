"""Predict what? From recorded runs; and the same lines on flow matching's clock and on EDM's."""

import base64

import numpy as np
import pytest

import edm
from app.instruments.clocks import CLOCKS
from app.work import prediction_runs
from edm import diagnostics
from tests.app.instruments import final


def test_only_the_data_can_be_told_where_dimensions_are_many_and_runs_are_those_of_the_preset():
    body, runs = final("prediction"), prediction_runs.recorded()
    told = {(run["preconditioning"], run["dimensions"]): run["distance"] for run in runs}
    assert list(told) == [(one, d) for d in (2, 16, 512) for one in ("flow_eps", "flow", "x")]
    assert all(told[one, 2] < 0.15 for one in ("flow_eps", "flow", "x"))
    assert told["x", 512] < 0.06 and told["flow", 512] > 5 and told["flow_eps", 512] > 100
    assert "In 512 dimensions x keeps to the spiral, ε and v are lost" in body["summary"]
    lines = body["figure"]["panels"][0]["lines"]
    assert [line["y"] for line in lines] == [[told[one, d] for d in (2, 16, 512)] for one in ("flow_eps", "flow", "x")]
    shown = np.frombuffer(base64.b64decode(body["rows"][2]["cells"][2]["x"]), np.float32).reshape(-1, 2)
    true = edm.data.load("spiral").sample(4000).numpy()
    near = np.linalg.norm(shown[:, None] - true, axis=2).min(1)
    assert shown.shape == (300, 2) and np.sqrt((near**2).mean()) < 0.06, "in the plane of the spiral"
    asked = prediction_runs.settings("flow_eps", 16)
    assert (asked.data.dimensions, asked.design.preconditioning) == (16, "flow_eps")
    assert [row["title"] for row in final("prediction", predictions="x")["rows"]] == ["x"]


def test_flow_s_clock_shows_edm_s_lines():
    flow, edm_s, one_to_other = final("clocks", sigma="3", steps="5")["figure"]["panels"]
    lines = [[np.array(panel["lines"][0][axis], float) for axis in "xy"] for panel in (flow, edm_s)]
    (t, scaled), (sigma, x) = lines
    known = ~np.isnan(t)
    np.testing.assert_allclose(sigma[known], t[known] / (1 - t[known]), rtol=1e-5)
    np.testing.assert_allclose(scaled[known], x[known] * (1 - t[known]), atol=1e-5)
    assert flow["marks"][0]["x"] == 0.75 and edm_s["marks"][0]["x"] == 3
    assert one_to_other["lines"][2] | {"x": [0.75], "y": [3]} == one_to_other["lines"][2]


def test_the_summary_tells_what_each_solver_finds_on_each_clock():
    summary = final("clocks", solver="heun", steps="6")["summary"]
    exact, z = edm.data.load("three_modes").denoiser, edm.latents(edm.seeds(0, 24), (1,)).double()
    errors = []
    for rows in CLOCKS.values():
        sampling = edm.Sampling(steps=6, discretization="flow", **rows)
        errors.append(diagnostics.sampling_error(exact, z, sampling))
    assert f"Heun's have an RMS error of {errors[0]:.2g} on flow's clock and {errors[1]:.2g} on EDM's" in summary
    assert "Euler's samples are the same on both clocks" in summary


@pytest.mark.parametrize("name", ["clocks", "prediction"])
def test_the_code_that_computes_the_same_is_python(name):
    compile(final(name)["python"], name, "exec")
