"""What other methods would make of as many evaluations, as the page says it."""

import pytest

from app.work import rivals
from app.work.measures import Measures
from app.work.rivals import Rivals
from app.work.shared import Work
from app.work.tickets import Ticket
from app.work.watch import Watch
from edm.experiments.experiment import Experiment
from edm.sampling.settings import Sampling
from edm.solvers import SOLVERS
from tests.app.work import final

ASKED = Experiment(model="two_moons", count=50, sampling=Sampling(steps=6, seed=2, sigma_max=30))
LEARNED = Experiment(model="spiral_mlp", count=20, sampling=Sampling(steps=4, solver="euler"))


@pytest.mark.parametrize("asked", [ASKED, LEARNED], ids=lambda asked: asked.model)
def test_the_best_takes_no_more_evaluations_and_has_the_error_that_is_measured_once_it_is_taken(asked):
    best = final(Rivals(experiment=asked))["best"]
    taken = asked.changed(sampling=best["sampling"])
    assert best["evaluations"] <= SOLVERS[asked.sampling.solver].cost(asked.sampling.steps, asked.sampling)
    assert best["error"] == pytest.approx(final(Measures(experiment=taken))["error"], rel=1e-5)
    assert best["error"] < 0.8 * final(Measures(experiment=asked))["error"]


def test_it_is_said_in_which_coordinates(monkeypatch):
    for solver, where in (("lms", "LMS-4 in flow’s coordinates"), ("dpmpp_2m", "DPM++ 2M with flow’s time steps")):
        monkeypatch.setattr(rivals, "SOLVERS", {solver: SOLVERS[solver]})
        best = final(Rivals(experiment=ASKED))["best"]
        assert best["method"] == where
        assert ("schedule" in best["sampling"]) != SOLVERS[solver].in_sigma


@pytest.mark.parametrize("settings", [{"S_churn": 5}, {"solver": "ddim"}], ids=str)
def test_fresh_noise_has_no_rivals(settings):
    assert final(Rivals(experiment=ASKED.changed(sampling=settings))) == {"best": None}


def test_whoever_asks_again_with_another_method_costs_nothing_more():
    work, evaluations = Work("cpu"), []
    counting = Watch(Ticket(checks=(lambda: evaluations.append(1),)))
    first = final(Rivals(experiment=ASKED), work, counting)
    used = len(evaluations)
    again = ASKED.changed(sampling={"solver": "dpmpp_2m", "steps": 11, "rho": 3})
    assert final(Rivals(experiment=again), work, counting) == first
    assert len(evaluations) == used > 0
