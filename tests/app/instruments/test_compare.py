"""The tab Compare: its numbers are those of the library, its budgets equal, its refusals sentences."""

import base64
import json
import math
import re
from itertools import pairwise

import numpy as np
import pytest

import edm
from app.instruments import INSTRUMENTS
from app.work.tickets import Ticket
from app.work.watch import Watch
from edm import diagnostics, presets, runner
from edm.base.fields import SettingsError
from edm.experiments.experiment import Experiment
from edm.sampling.settings import Sampling
from tests.app.instruments import bodies, final


def pictures(body):
    return [lane["picture"] for lane in body["lanes"]]


@pytest.mark.parametrize("nfe", [7, 20, 35])
def test_lanes_have_equal_evaluations_and_the_same_latents(nfe):
    shown = pictures(final("lanes", nfe=nfe, seed=3))
    assert [p["run"]["evaluations"] for p in shown] == [nfe, nfe, nfe, nfe - (nfe % 2 == 0)]  # Heun's are odd
    assert {json.loads(p["document"])["sampling"].get("seed") for p in shown} == {3}
    assert all(p["run"]["count"] == 150 for p in shown)


def test_lanes_may_have_equal_steps_or_equal_time():
    steps = final("lanes", equal="steps", steps=9)
    assert [len(p["levels"]) - 1 for p in pictures(steps)] == [9] * 4
    timed = pictures(final("lanes", equal="time", milliseconds=20))
    assert all(1 <= len(p["levels"]) - 1 <= 1000 for p in timed)


def test_only_rows_of_table_1_that_differ_are_listed():
    rows = dict(final("lanes", lanes="iddpm,edm", nfe=9)["rows"])
    assert "schedule σ(t)" not in rows  # both are t
    assert rows["solver"] == ["Euler", "Heun"]
    assert final("lanes", lanes="edm")["rows"] == []


def test_each_lane_may_have_its_own_model_and_lanes_without_one_say_why():
    own = final("lanes", data="digits", denoiser="own", nfe=5)
    assert [p["model"] for p in pictures(own)] == ["digits_vp", "digits_ve", "digits_iddpm", "digits_edm"]
    spiral = final("lanes", data="spiral", denoiser="own", nfe=5)
    assert [p and p["model"] for p in pictures(spiral)] == [None, None, None, "spiral_mlp"]
    assert "choose another" in spiral["lanes"][0]["error"]


def test_yours_is_the_sampler_tab():
    yours = Experiment(sampling=Sampling(solver="euler", rho=3))
    (picture,) = pictures(final("lanes", lanes="yours", yours=yours, nfe=11))
    assert json.loads(picture["document"])["sampling"] == {"solver": "euler", "rho": 3.0, "steps": 11}


def test_the_notes_under_lanes_are_the_library_s_errors():
    lane = final("lanes", lanes="ve", nfe=20)["lanes"][0]
    sampling = presets.load("designs/ve").sampling.changed(steps=20)
    model = edm.models.load("eight_gaussians")
    z, _ = runner.start(Experiment(count=150, sampling=sampling))
    nfe_and_error = final("lanes", lanes="ve", nfe=20)["figure"]["panels"][0]["lines"][0]
    assert nfe_and_error["x"] == [20]
    assert lane["note"].endswith(f"error {diagnostics.sampling_error(model.denoiser, z, sampling):.2g}")


@pytest.mark.parametrize("start", ["vp", "ve", "iddpm"])
def test_a_walk_begins_with_its_column_and_ends_as_edm(start):
    body = final("walk", start=start, nfe=15)
    documents = [Experiment.parse(p["document"]) for p in pictures(body)]
    assert documents[0].sampling.changed(steps=1) == presets.load(f"designs/{start}").sampling.changed(steps=1)
    assert documents[-1].sampling.changed(steps=1) == presets.load("designs/edm").sampling.changed(steps=1)
    assert all(14 <= p["run"]["evaluations"] <= 15 for p in pictures(body))
    assert [lane["title"][0] for lane in body["lanes"]][1:] == ["+"] * (len(documents) - 1)


def test_a_walk_with_own_models_ends_with_the_other_network():
    body = final("walk", data="digits", denoiser="own", nfe=5)
    assert [p["model"] for p in pictures(body)] == ["digits_vp"] * (len(body["lanes"]) - 1) + ["digits_edm"]


def test_a_race_s_points_are_the_library_s():
    body = final("race", lanes="ve,edm", limit=20, seed=2)
    ve, heun = body["figure"]["panels"][0]["lines"]
    model = edm.models.load("eight_gaussians")
    z, _ = runner.start(Experiment(count=400, sampling={"seed": 2}))
    for line, name in ((ve, "ve"), (heun, "edm")):
        base = presets.load(f"designs/{name}").sampling
        for nfe, error in zip(line["x"][:4], line["y"][:4], strict=True):
            sampling = diagnostics.with_evaluations(base, nfe)
            assert error == pytest.approx(diagnostics.sampling_error(model.denoiser, z, sampling), rel=1e-5)
    assert body["summary"].startswith("At the end, from the best: EDM")


def test_a_race_says_where_its_lines_cross_and_what_they_are_not():
    body = final("race", lanes="vp,edm", limit=60)
    vp, heun = body["figure"]["panels"][0]["lines"]
    assert vp["y"][5] < heun["y"][5] and vp["y"][-1] > heun["y"][-1]
    met = float(re.search(r"EDM is below VP from about (\d+) NFE on, and above with fewer", body["summary"])[1])

    def gap(nfe):
        """ln of how far EDM's line is above VP's, as they are drawn."""
        a, b = (np.interp(math.log(nfe), np.log(line["x"]), np.log(line["y"])) for line in (heun, vp))
        return a - b

    assert gap(met - 1) > 0 > gap(met + 1)
    assert "needs good ones" in body["summary"] and "not the FID of a network" in body["summary"]


def test_a_walk_names_the_rows_that_raise_the_error_and_why_they_may():
    body = final("walk", nfe=35)
    (panel,) = body["figure"]["panels"]
    errors = {line["name"].removeprefix("+ "): line["y"][0] for line in panel["lines"]}
    worse = [name for (_, before), (name, after) in pairwise(errors.items()) if after > before]
    assert worse == ["solver", "schedule", "scaling"]
    assert "The error rises with the solver, schedule and scaling." in body["summary"]
    assert all(f"{error:.2g}" in body["summary"] for error in errors.values())
    assert "second order" in body["summary"] and "coordinates" in body["summary"]


def test_a_lane_with_fresh_noise_is_not_ranked_among_errors():
    yours = Experiment(sampling=Sampling(S_churn=20))
    body = final("lanes", lanes="yours,edm", yours=yours, nfe=11)
    ranked, rest = body["summary"].split(" yours has no error: a stochastic sampler has no ODE solution")
    assert "yours" not in ranked and "distance to the data" in rest
    assert "distance to data" in body["lanes"][0]["note"] and "error" in body["lanes"][1]["note"]


def test_a_race_with_seeds_has_intervals_and_says_what_is_significant():
    body = final("race", field="churn", measure="distance", seeds=3, limit=10)
    lines = body["figure"]["panels"][0]["lines"]
    assert len(lines) == 5
    assert all(
        low <= y <= high for line in lines for low, y, high in zip(line["low"], line["y"], line["high"], strict=True)
    )
    assert "significant" in body["summary"] or "less" in body["summary"] or "more" in body["summary"]


def test_a_race_of_stochastic_lanes_has_no_error_to_the_ode():
    with pytest.raises(ValueError, match="stochastic"):
        final("race", field="churn", measure="error", limit=10)


def test_a_sweep_says_its_cost_first():
    sweep = {"x": "S_noise", "x_range": "1-1.02 [4]", "y": "S_tmax", "y_range": "0.1,1,10"}
    yours = Experiment(model="two_moons", sampling=Sampling(steps=10, S_churn=5))
    stream = bodies("sweep", yours=yours, **sweep)
    body, finished = next(stream)
    assert not finished
    assert body["summary"] == "3 × 4 cells; counting evaluations …"
    body, finished = next(stream)
    assert not finished
    assert body["cells"] == []
    assert body["plan"].startswith("3 × 4 cells, 228 evaluations, ")
    *_, (last, finished) = stream
    assert finished
    assert len(last["cells"]) == 12
    axes = (diagnostics.Axis.parse(sweep[k], sweep[f"{k}_range"]) for k in "xy")
    described = diagnostics.Sweep(yours.changed(count=200), *axes)
    done = sum(cell.evaluations for cell in diagnostics.run_sweep(described))
    assert f" evaluations, {done} with what cells share" in body["plan"]
    assert done < 228


def test_a_cell_of_a_sweep_is_what_its_settings_give():
    body = final("sweep", x="steps", x_range="4,6", y="solver", y_range="euler,unipc", model="digits_edm", design="edm")
    for cell in body["cells"]:
        experiment = Experiment.parse(cell["document"])
        states = list(runner.states(experiment))
        got = np.frombuffer(base64.b64decode(cell["samples"]), np.uint8).reshape(-1, 1, 8, 8)
        want = edm.render.to_uint8(states[-1].x.numpy())[: len(got)]
        assert (got == want).all()
    assert {(cell["row"], cell["column"]) for cell in body["cells"]} == {(r, c) for r in range(2) for c in range(2)}


@pytest.mark.parametrize(("limit", "alone"), [("AT_ONCE_SECONDS", True), ("BRIEF_SECONDS", False)])
def test_a_long_sweep_waits_until_it_is_told_to_run_and_one_that_others_wait_beside_sooner(monkeypatch, limit, alone):
    monkeypatch.setattr(f"app.instruments.sweep.{limit}", 0)
    monkeypatch.setattr(Watch, "alone", alone)
    *_, (body, finished) = bodies("sweep", x_range="2,3", y_range="0,5")
    assert finished
    assert body["waiting"]
    assert "Press Run" in body["summary"]
    assert len(final("sweep", x_range="2,3", y_range="0,5", run="true")["cells"]) == 4


def test_a_sweep_goes_on_past_cells_that_cannot_be():
    body = final("sweep", x="sigma_min", x_range="0.01,1,5", y="sigma_max", y_range="2,20")
    problems = {(c["row"], c["column"]): c["problem"] for c in body["cells"]}
    assert "sigma_min" in problems[0, 2]
    assert [text for place, text in problems.items() if place != (0, 2)] == [""] * 5


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"x_range": "1-1000000"}, "64"),
        ({"x_range": "10-2 (+1)"}, "10-2"),
        ({"x_range": "2-10 (+0)"}, "0"),
        ({"x_range": ""}, "no values"),
        ({"x_range": "sudo"}, "sudo"),
        ({"x_range": "1-64", "y": "rho", "y_range": "1-64 [65]"}, "64"),
        ({"y": "steps", "y_range": "2,3"}, "both axes"),
        ({"x": "sigmas"}, "sigmas"),
        ({"measure": "frechet"}, "frechet"),
        ({"model": "gone"}, "gone"),
        ({"x": "steps", "x_range": "937-1000", "y": "S_noise", "y_range": "1-2 [64]"}, "evaluations"),
    ],
)
def test_absurd_sweeps_get_a_sentence(values, named):
    with pytest.raises(ValueError, match=named) as caught:
        body = final("sweep", **values)
        if all(cell["problem"] for cell in body["cells"]):
            raise ValueError(body["cells"][0]["problem"])
    assert len(str(caught.value)) < 1000


def test_an_overtaken_comparison_stops_at_its_next_evaluation():
    class Overtaken(Exception):
        pass

    left = [50]

    def check():
        left[0] -= 1
        if left[0] < 0:
            raise Overtaken

    for name in ("lanes", "race", "sweep"):
        left[0] = 50
        with pytest.raises(Overtaken):
            list(bodies(name, Watch(Ticket(checks=(check,)))))
        assert left[0] == -1


def test_a_model_that_was_deleted_meanwhile_gets_a_sentence(tmp_path):
    path = tmp_path / "mine.safetensors"
    path.write_bytes((edm.models.FOLDER / "spiral_mlp.safetensors").read_bytes())
    name = edm.models.register(path)
    try:
        path.unlink()
        for instrument, knobs in (("sweep", {"model": name}), ("loss", {"models": name}), ("oracle", {"model": name})):
            with pytest.raises((ValueError, FileNotFoundError), match=r"mine\.safetensors"):
                final(instrument, **knobs)
    finally:
        edm.models.forget(name)


@pytest.mark.parametrize("name", presets.names("figures"))
def test_every_figure_preset_opens_and_answers(name):
    show, values = presets.figure(name)
    complete = INSTRUMENTS[show].complete(values)
    assert set(values) <= set(complete)
    preset = presets.read(name)
    assert preset["paper"] and preset["title"] and preset["about"]
    body, _ = next(bodies(show, **values))
    compile(body["python"], name, "exec")


def test_the_same_noise_goes_through_the_ideal_denoiser_and_the_network_and_copies_are_counted():
    body = final("lanes", data="digits", denoiser="both", lanes="edm", equal="steps", steps=6)
    assert [lane["title"] for lane in body["lanes"]] == ["EDM, ideal", "EDM, learned"]
    assert [p["model"] for p in pictures(body)] == ["digits", "digits_edm"]
    assert "16 of 16 are copies" in body["lanes"][0]["note"]
    assert "0 of 16 are copies" in body["lanes"][1]["note"]
    assert [set(p["nearest"]["copies"]) for p in pictures(body)] == [{True}, {False}]


def test_lanes_may_be_of_any_solver_and_time_steps_with_as_many_evaluations_as_go():
    chosen = "edm,lms:order=4/flow:shift=0.5@flow,midpoint/uniform,DPM++ 2M/exponential@ve"
    body = final("lanes", lanes=chosen, nfe=10, data="two_moons")
    experiments = [json.loads(lane["picture"]["document"])["sampling"] for lane in body["lanes"]]
    assert [one.get("solver", "heun") for one in experiments] == ["heun", "lms", "heun", "dpmpp_2m"]
    assert [lane["note"].split(" · ")[0] for lane in body["lanes"]] == [
        "N = 5, 9 NFE (of 10)", "N = 10, 10 NFE", "N = 5, 9 NFE (of 10)", "N = 10, 10 NFE",
    ]  # fmt: skip
    assert body["lanes"][1]["title"] == "LMS, order 4 · flow, α 0.5 · in Flow"
    lanes = INSTRUMENTS["lanes"]
    assert lanes.complete({"lanes": "midpoint/uniform"})["lanes"] == ["heun:alpha=0.5/edm:rho=1@edm"]
    with pytest.raises(SettingsError, match="no kind of time steps 'karas'"):
        lanes.complete({"lanes": "heun/karas"})


def test_a_sweep_over_pairs_names_them_and_says_where_a_knob_is_idle():
    pairs = {"x": "pair", "x_range": "heun/edm,lms/flow@flow", "y": "steps", "y_range": "3,4", "measure": "error"}
    body = final("sweep", **pairs)
    assert body["axes"]["x"] == {"name": "pair", "values": ["Heun · EDM ρ", "LMS · flow · in Flow"]}
    assert all(cell["value"] > 0 for cell in body["cells"]) and "changes nothing" not in body["summary"]
    assert "Axis.parse('pair', 'heun/edm,lms/flow@flow')" in body["python"]
    idle = final("sweep", **{**pairs, "x": "discretization", "x_range": "uniform,flow", "y": "shift", "y_range": "1,2"})
    assert "shift changes nothing in 2 of the cells, at discretization = uniform, shift = 1 for one." in idle["summary"]
