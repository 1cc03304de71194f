"""What data say before training, as the Train tab shows it."""

import json

import numpy as np
import pytest

import edm
from app.messages import training
from app.training.reading import Reading
from app.work.shared import Work
from app.work.tickets import Superseded, Ticket
from app.work.watch import Watch
from edm.data.settings import Data
from edm.objective import Design
from tests.app.instruments.test_notebooks import assert_shown


@pytest.fixture
def points(tmp_path):
    np.save(tmp_path / "points.npy", np.random.default_rng(0).normal(size=(80, 2)))
    return Data(dataset="points", path=str(tmp_path / "points.npy"))


def test_its_last_answer_holds_what_the_library_advises(points):
    design = Design(P_mean=0.3, P_std=0.7)
    *_, (body, last) = Reading(data=points, design=design).compute(Work("cpu"), Watch())
    found = edm.data.advice(points)
    assert last and body["share"] == 1
    assert training.Reading.model_validate_json(json.dumps(body)).sentences == list(found.sentences)
    assert body["values"] | {"sigma_data": 0} == {"P_mean": found.P_mean, "P_std": found.P_std, "sigma_data": 0}
    losses, densities = body["figure"]["panels"]
    assert [line["name"] for line in losses["lines"]] == ["exact denoiser", "leave-one-out"]
    assert [line["name"] for line in densities["lines"]] == ["advised", "as the form has it"]
    present = densities["lines"][1]
    assert present["x"][int(np.argmax(present["y"]))] == pytest.approx(np.exp(0.3), rel=0.05)


def test_a_notebook_draws_what_the_page_draws(points):
    *_, (body, _) = Reading(data=points).compute(Work("cpu"), Watch())
    figure = edm.plots.advice(edm.data.advice(points), Design())
    assert_shown(body["figure"]["panels"][0] | {"x": {"log": True}}, figure)


def test_nobody_computes_on_for_whom_something_newer_was_asked(points):
    ticket = Ticket()
    answers = Reading(data=points).compute(Work("cpu"), Watch(ticket))
    ticket.end(Superseded)
    with pytest.raises(Superseded):
        list(answers)


def test_an_answer_is_kept_as_long_as_its_file_is_the_same(points):
    assert list(Reading(data=points).files()) == [points.path]
    assert Reading(data=Data(dataset="digits")).files() == {}
    assert Reading(data=points.changed(path="gone.npy")).files() is None
