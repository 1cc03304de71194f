"""A whole picture by few evaluations, until the one that is asked for is there."""

import base64

import numpy as np
import pytest

from app.work import quick, watch
from app.work.pictures import Picture
from edm.experiments.experiment import Experiment
from edm.sampling.settings import Sampling
from edm.solvers import SOLVERS
from tests.app.work import bodies

DIGITS = Experiment(model="digits_edm", count=2)


def asked(experiment=DIGITS, **sampling):
    experiment = experiment.changed(sampling={**experiment.sampling.model_dump(), **sampling})
    *early, (whole, finished) = bodies(Picture(experiment=experiment))
    assert finished and not whole.get("preview")
    return [body for body, _ in early if body.get("preview")], whole


def ends(body):
    return np.frombuffer(base64.b64decode(body["run"]["x"]), np.uint8).reshape(-1, 2, 64)[-1] / 127.5


def test_a_picture_that_takes_long_is_there_whole_after_twelve_evaluations(monkeypatch):
    monkeypatch.setattr(quick, "SOON", 0.0)
    previews, whole = asked()
    assert {body["preview"] for body in previews} == {"12 evaluations of iPNDM-3"}
    last, levels = previews[-1], len(whole["levels"])
    assert last["run"]["evaluations"] == 12 and last["run"]["index"][-1] == levels - 1 == 18
    assert last["levels"] == whole["levels"] and last["run"]["index"] == sorted(set(last["run"]["index"]))
    assert np.sqrt(np.square(ends(last) - ends(whole)).mean()) < 0.02, "the same picture, as far as one can see"
    assert whole["run"]["evaluations"] == 35 and whole["run"]["since"] == 0


def test_previews_bring_their_images_once(monkeypatch):
    monkeypatch.setattr(quick, "SOON", 0.0)
    monkeypatch.setattr(watch, "PREVIEW_SECONDS", 0.0)
    runs = [body["run"] for body in asked()[0]]
    assert [run["since"] for run in runs] == [0, *(len(run["index"]) for run in runs[:-1])]


@pytest.mark.parametrize(
    ("sampling", "model"),
    [({"S_churn": 10.0}, "digits_edm"), ({"steps": 12}, "digits_edm"), ({}, "spiral_mlp")],
    ids=["fresh noise has no solution to stand for", "few evaluations", "points"],
)
def test_there_is_none_of_what_has_none_or_needs_none(sampling, model, monkeypatch):
    monkeypatch.setattr(quick, "SOON", 0.0)
    assert asked(DIGITS.changed(model=model), **sampling)[0] == []


def test_what_will_be_there_soon_needs_none(monkeypatch):
    monkeypatch.setattr(quick, "SOON", 60.0)
    assert asked()[0] == []


def test_one_solver_stands_for_a_converged_solution():
    (solver,) = [solver for solver in SOLVERS.values() if solver.preview is not None]
    assert Sampling(solver=solver.name, **solver.preview).stochastic is False
