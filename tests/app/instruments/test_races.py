"""Races share what they are measured against."""

import json
import re
from importlib import import_module

import pytest

import edm
from app.instruments import INSTRUMENTS, methods
from app.instruments.base import Context
from app.work.shared import Work
from app.work.watch import Watch
from edm import diagnostics, models
from edm.diagnostics.errors import reference
from edm.experiments.experiment import Experiment
from tests.app.instruments import final


def run(work, **values):
    settings = INSTRUMENTS["race"].settings(limit=5, **values)
    *_, (body, _) = INSTRUMENTS["race"].respond(settings, Context(work, Watch(), Experiment()))
    return json.dumps(body["figure"])


def test_a_fine_solution_is_computed_once_for_all_lanes_and_races_with_the_same_start(monkeypatch):
    solved = []
    module = import_module("edm.diagnostics.race")  # beside which there is a function of that name
    monkeypatch.setattr(module, "reference", lambda *given: solved.append(given) or reference(*given[:4], 16))
    work = Work("cpu")
    run(work, field="walk", start="vp")
    once = len(solved)
    first = run(work, lanes=("edm",))
    assert once <= 2 and len(solved) == once, "VP's start, and EDM's, which is that of all other steps"
    assert first == run(work, lanes=("edm",))
    run(work, lanes=("edm",), seed=1)
    assert len(solved) == once + 1


def raced(**values):
    return final("race", **values)


def test_all_solvers_race_in_several_coordinates_and_a_table_says_who_is_best_at_which_budget():
    body = raced(field="all", limit=12)
    table = {row["evaluations"]: row for row in body["best"]}
    assert list(table) == [6, 9, 12]
    assert all(row["used"] <= at and row["value"] < row["heun"] / 10 for at, row in table.items())
    lines = body["figure"]["panels"][0]["lines"]
    assert len(lines) == 2 * len(methods.methods())
    named = {line["name"].split(" · ")[0] for line in lines if line["name"]}
    assert named == {"Heun, EDM", *(row["lane"] for row in table.values())}
    opened = Experiment.parse(json.loads(table[12]["document"]))
    assert diagnostics.with_evaluations(opened.sampling, 12) == opened.sampling
    assert "not the FID of a network" in body["summary"]


def test_a_best_value_is_what_the_settings_that_its_row_opens_give():
    (row,) = raced(field="solvers", solvers="lms", coordinates="flow", limit=6, data="two_moons")["best"]
    experiment = Experiment.parse(json.loads(row["document"]))
    model = models.load("two_moons")
    latents = edm.latents(edm.seeds(0, 400), model.shape)
    measured = diagnostics.sampling_error(model.denoiser, latents, experiment.sampling)
    assert measured == pytest.approx(row["value"], rel=0.01)


def test_a_solver_that_coordinates_do_not_touch_runs_once_on_the_same_time_steps():
    body = raced(field="solvers", solvers="lms,dpmpp_2m", grids="edm", limit=6)
    names = [line["name"] for line in body["figure"]["panels"][0]["lines"]]
    assert names == ["LMS, EDM", "DPM++ 2M, EDM", "LMS, Flow"]


def test_the_legend_tells_the_orders_that_show():
    body = raced(field="solvers", solvers="euler,heun", coordinates="edm,flow", limit=72)
    names = {line["name"].split(" · ")[0]: line["name"] for line in body["figure"]["panels"][0]["lines"]}
    assert names["Euler, Flow"].startswith("Euler, Flow · order 1.0")
    assert "·" in names["Heun, Flow"]


def test_a_race_of_columns_has_no_table():
    assert raced(limit=5)["best"] == []


@pytest.mark.parametrize(
    "values",
    [
        {
            "field": "solvers",
            "solvers": "lms,unipc",
            "coordinates": "flow",
            "seed": 3,
            "limit": 4,
            "data": "three_modes",
        },
        {"field": "churn", "measure": "distance", "data": "three_modes", "limit": 3, "seeds": 2},
    ],
    ids=lambda values: values["field"],
)
def test_the_snippet_runs_the_very_race_that_is_shown(values, capsys):
    body = final("race", **values)
    exec(compile(body["python"], "race", "exec"), {})
    printed: dict = {}
    for line in capsys.readouterr().out.splitlines():
        lane, _, evaluations, value, *_ = line.rsplit(" ", 5)
        printed.setdefault(lane, []).append((int(evaluations), float(value)))
    lines = [line for line in body["figure"]["panels"][0]["lines"] if line["name"] and line["x"]]
    for line in lines:
        (lane,) = (lane for lane in printed if line["name"] == lane or line["name"].startswith(f"{lane} · "))
        shown = list(zip(line["x"], line["y"], strict=True))
        assert shown == [(x, pytest.approx(y, rel=1e-5)) for x, y in printed[lane]]
    assert len(printed) == len(lines) > 1


def test_heun_in_flows_coordinates_is_told_to_be_as_good_with_a_third_of_the_evaluations():
    """By the race of solvers, by the race that walks on from EDM, and by One change."""
    of_solvers = final("race", field="solvers", solvers="heun", coordinates="edm,flow", limit=36, data="two_moons")
    told = re.search(
        r"reaches with 35 evaluations, (0\.\d+), Heun, Flow does with (\d+): (0\.\d+)", of_solvers["summary"]
    )
    assert float(told[1]) >= float(told[3]) and int(told[2]) <= 11
    one = final("walk", end="flow_heun", nfe=11, data="two_moons")
    said = re.search(r"the last has (0\.\d+) with 11 evaluations; EDM's sampler takes 35 for (0\.\d+)", one["summary"])
    assert float(said[1]) <= float(said[2])
    walked = final("race", field="walk", on="true", limit=14, data="two_moons")
    names = [line["name"] for line in walked["figure"]["panels"][0]["lines"]]
    assert "+ scaling = EDM" in names and "+ flow's scaling" in names
    assert "+ flow's scaling are below + scaling = EDM" in walked["summary"]
    for body in (of_solvers, one, walked):
        assert "RMS error to the ODE's solution for Two moons, exact denoiser, not the FID" in body["summary"]
