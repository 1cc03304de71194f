"""The best levels are the library's, and who waits for them sees them come."""

import math

import pytest

import edm
from app.work import watch
from app.work.levels import POINTS, Levels
from app.work.shared import Work
from app.work.tickets import Ended, Ticket
from app.work.watch import Watch
from edm import diagnostics
from edm.base.errors import Refused
from edm.experiments.experiment import Experiment
from tests.app.work import bodies, final

ASKED = Experiment(model="two_moons", count=3, sampling=edm.Sampling(steps=3, seed=4))


@pytest.fixture(scope="module")
def told():
    """All that is said of a search."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(watch, "PREVIEW_SECONDS", 0.0)
        return list(bodies(Levels(experiment=ASKED)))


def test_they_are_the_library_s_for_the_experiment_s_seed_and_tried_on_the_next(told):
    model, (found, _) = edm.models.of(ASKED), told[-1]
    z, others = (edm.latents(edm.seeds(seed, POINTS), model.shape) for seed in (4, 5))
    best = ASKED.sampling.changed(sigmas=found["sigmas"])
    error = diagnostics.sampling_error(model.denoiser, z, best)
    assert found["error"] == pytest.approx(error, rel=1e-3)  # each against a fine solution of its own
    assert found["found"]["elsewhere"] == pytest.approx(diagnostics.sampling_error(model.denoiser, others, best))
    before = diagnostics.sampling_error(model.denoiser, others, ASKED.sampling)
    assert found["found"]["before"] == pytest.approx(before)
    assert found["found"]["elsewhere"] < before / 2


def test_they_come_better_and_better(told):
    parts = [body for body, _ in told]
    assert len(parts) > 20
    for name, sign in (("share", 1), ("error", -1)):
        numbers = [sign * body[name] for body in parts]
        assert numbers == sorted(numbers)
    assert all(len(body["sigmas"]) == 3 and math.isclose(body["sigmas"][0], 80) for body in parts)
    assert [body.get("found") is not None for body in parts] == [last for _, last in told]
    assert [last for _, last in told] == [False] * (len(told) - 1) + [True]


def test_they_are_those_of_the_class_that_is_asked_for():
    digits = Experiment(model="digits_edm", label=7, count=2, sampling=edm.Sampling(steps=2))
    labels = set()

    class Seen(Watch):
        def __call__(self, denoiser):
            def asked(x, sigma, labels_=None):
                labels.update(labels_.tolist())
                raise Ended

            return asked

    with pytest.raises(Ended):
        final(Levels(experiment=digits), watch=Seen())
    assert labels == {7}


@pytest.mark.parametrize(
    ("settings", "why"),
    [({"S_churn": 3}, "S_churn > 0"), ({"solver": "ddim"}, "solver = 'ddim'"), ({"steps": 1}, "steps = 1")],
)
def test_where_there_are_none_it_is_said_why(settings, why):
    with pytest.raises(Refused, match=why):
        final(Levels(experiment=ASKED.changed(sampling=settings)))


def test_the_search_ends_when_nobody_wants_it_and_gives_its_place_back(monkeypatch):
    monkeypatch.setattr(watch, "PREVIEW_SECONDS", 0.0)
    work, ticket = Work("cpu"), Ticket("somebody")
    coming = bodies(Levels(experiment=ASKED), work, Watch(ticket, work.slots))
    next(coming)
    assert not work.slots.taken
    ticket.end()
    with pytest.raises(Ended):
        next(coming)
    with work.slots.turn():
        assert work.slots.taken
