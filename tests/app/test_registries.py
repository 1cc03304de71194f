"""Whatever is added to a registry while the program runs shows up on the page and on the command line, and breaks
nothing there."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from app.instruments import INSTRUMENTS, Context
from app.tabs import controls
from app.training import form
from app.work.measures import Measures
from app.work.pictures import Picture
from app.work.shared import Work
from app.work.watch import Watch
from edm import data, diagnostics, models, networks, runs, schedules, solvers, timesteps
from edm.__main__ import main
from edm.base import flat
from edm.data import sets, sources, toy
from edm.experiments.experiment import Experiment
from edm.noises import NOISES, NoiseDistribution
from edm.objective import Design
from edm.sampling.settings import Sampling
from edm.training import loss
from edm.training.estimate import Estimate
from edm.training.settings import Training
from tests.app.training import answer, asked, finished
from tests.app.work import final

NEW, DATA = "newcomer", "new_data"


def triangle(u, design):
    """ln σ falls from 2 to −4, with twice the density at one end."""
    return (2 - 6 * u.sqrt()).exp()


ENTRIES = {
    "noise": (loss.NOISES, NoiseDistribution(NEW, "New", triangle)),
    "weight": (loss.WEIGHTS, lambda sigma, sigma_data: torch.log1p(1 / sigma.square())),
    "network": (networks.NETWORKS, replace(networks.NETWORKS["mlp"], name=NEW, title="New")),
    "source": (sources.SOURCES, lambda settings: sets.Mixture(data.load("spiral"))),
    "dataset": (data.DATASETS, data.Dataset(NEW, "New", (2,), toy.two_moons)),
    "solver": (solvers.SOLVERS, replace(solvers.SOLVERS["euler"], name=NEW, title="New")),
    "discretization": (
        timesteps.DISCRETIZATIONS,
        timesteps.Discretization(
            NEW, lambda n, low, high, rho: timesteps.edm_levels(n, low, high, 3.0), (0.01, 50.0), knobs=("sigma_min",)
        ),
    ),
    "schedule": (schedules.SCHEDULES, lambda low, high: replace(schedules.LINEAR, name=NEW)),
    "scaling": (schedules.SCALINGS, lambda schedule: replace(schedules.SCALINGS["none"](schedule), name=NEW)),
}
OF_SAMPLING = ("solver", "discretization", "schedule", "scaling")
OF_TRAINING = ("noise", "weight", "network", "source", "dataset")


def name_of(kind):
    return DATA if kind == "source" else NEW


@pytest.fixture
def added(monkeypatch):
    def add(kind):
        registry, entry = ENTRIES[kind]
        monkeypatch.setitem(registry, name_of(kind), entry)

    return add


def test_the_page_opens_with_one_of_each(added, tmp_path):
    for kind in ENTRIES:
        added(kind)
    assert controls.described(models.load(NEW))["thumbnail"]
    page = json.loads(json.dumps(controls.boot() | {"train": form.boot(tmp_path, ["cpu"])}))
    for kind in OF_SAMPLING:
        assert NEW in page["knobs"][kind]["choices"]
    for kind in ("noise", "weight", "network"):
        assert NEW in page["train"]["fields"][kind]["choices"]
    assert {NEW, DATA} <= {one["name"] for one in page["train"]["datasets"]}
    assert NEW in [model["name"] for model in page["models"]]


@pytest.mark.parametrize("kind", OF_SAMPLING)
def test_the_sampler_tab_samples_with_it(added, kind):
    added(kind)
    work, experiment = Work("cpu"), Experiment(count=4, sampling={kind: NEW, "steps": 3})
    assert final(Picture(experiment=experiment), work)["document"]
    assert final(Measures(experiment=experiment), work)["error"] > 0
    [*_, (title, texts)] = diagnostics.differing_rows({"a": Sampling(), "b": Sampling(**{kind: NEW})})
    assert title and any(words in texts["b"] for words in (NEW, "New", "0.01"))


@pytest.mark.parametrize(
    ("kind", "instrument", "values"),
    [
        ("solver", "order", {"solvers": NEW, "most": "8"}),
        ("solver", "truncation", {"solver": NEW, "steps": "3"}),
        ("discretization", "order", {"solvers": "euler", "grids": f"edm,{NEW}", "most": "8"}),
        ("schedule", "curvature", {"lines": "yours", "schedule": NEW}),
        ("scaling", "curvature", {"lines": "yours", "scaling": NEW}),
        ("weight", "loss", {"models": "spiral_mlp", "weight": NEW}),
        ("weight", "preconditioning", {"weight": NEW}),
        ("dataset", "churn", {"data": NEW, "steps": "3"}),
    ],
)
def test_an_instrument_offers_it_and_draws_it(added, kind, instrument, values):
    added(kind)
    chosen = INSTRUMENTS[instrument]
    assert NEW in json.dumps(chosen.described())
    settings = chosen.settings.parse(flat.unflatten(values, chosen.settings))
    bodies = chosen.respond(settings, Context(Work("cpu"), Watch(), Experiment()))
    for _ in range(3):  # a first picture, and better ones
        body, _ = next(bodies, ({}, True))
        assert "NaN" not in (body if isinstance(body, str) else json.dumps(body))
    bodies.close()


@pytest.mark.parametrize("kind", OF_TRAINING)
def test_the_train_tab_plans_trains_and_shows_a_run_with_it(added, kind, tab, monkeypatch):
    added(kind)
    monkeypatch.setattr(form, "estimate", lambda settings, device: Estimate(60.0, 1, 2, 100.0))
    name, field = name_of(kind), "dataset" if kind in ("source", "dataset") else kind
    chosen = {"data": name} if field == "dataset" else {"data": "spiral", kind: name}
    *_, (text, _) = asked(tab, "plan", values=chosen)
    assert name in json.loads(text)["command"]
    fields = flat.unflatten({field: name}, Training)
    finished(tab.board.folder, "new", **fields)
    tab.board.wake()
    look = answer(tab, "poll", runs={"new": None})
    assert look["runs"]["new"]["points"]["images"] == [320, 640]
    assert len(look["runs"]["new"]["design"]["density"]) > 100
    assert answer(tab, "film", run="new", images=[640])["frames"]
    group = INSTRUMENTS["loss"]
    tab.board.follow()
    settings = group.settings.parse({"models": ["run-new_640"]})
    body, _ = next(group.respond(settings, Context(tab.work, Watch(), Experiment())))
    assert body["figure"]["panels"][0]["lines"]
    assert runs.read(tab.board.folder / "new").state == "finished"


@pytest.mark.parametrize("kind", OF_SAMPLING)
def test_the_command_line_takes_it(added, kind, tmp_path):
    added(kind)
    out = tmp_path / "picture.png"
    assert main(["sample", f"--{kind}={NEW}", "--steps=3", "--count=4", f"--out={out}"]) == 0
    assert out.exists()


def test_a_run_that_cannot_be_shown_is_not_taken_for_a_deleted_one(tab, monkeypatch):
    finished(tab.board.folder, "there")
    monkeypatch.setattr("app.training.about.design", lambda run: json.loads("{"))
    with pytest.raises(ValueError, match="property name"):
        answer(tab, "poll", runs={"there": None})
    assert answer(tab, "poll", runs={"gone": None, "../there": None})["runs"] == {"gone": None, "../there": None}


@pytest.mark.parametrize("name", NOISES)
def test_curves_that_are_not_given_are_made_of_the_draws(name):
    given, design = NOISES[name], Design(noise=name)
    made = NoiseDistribution(name, given.title, given.sigma)
    sigmas = np.exp(np.linspace(-6, 4, 40))
    np.testing.assert_allclose(made.below(sigmas, design), given.below(sigmas, design), atol=1e-3)
    wide = np.linspace(-12, 12, 20_001)
    density = made.density(np.exp(wide), design)
    assert np.trapezoid(density, wide) == pytest.approx(1, abs=2e-3)
    away = np.abs(density - given.density(np.exp(wide), design))
    assert np.trapezoid(away, wide) < 0.08


def test_a_single_level_has_curves_too():
    lone = NoiseDistribution("lone", "Lone", lambda u, design: torch.full_like(u, 0.5))
    assert lone.below(np.array([0.4, 0.5, 0.6]), None).tolist() == [0, 0, 1]
    wide = np.linspace(-2, 1, 30_001)
    assert np.trapezoid(lone.density(np.exp(wide), None), wide) == pytest.approx(1, abs=0.1)
