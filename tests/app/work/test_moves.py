"""What a move of a knob costs beside its evaluations: everything that is worked out for it is worked out once."""

import json

import pytest
import torch

from app.figures import pack, written
from app.work import snippets, watch
from app.work.measures import Measures
from app.work.pictures import Picture
from app.work.shared import Work
from edm import models
from edm.base.transfers import Home
from edm.experiments.experiment import Experiment
from tests.app.work import bodies, final

TOY = Experiment(count=30, sampling={"steps": 6})
DIGITS = Experiment(model="digits", count=4, sampling={"steps": 5})
DRAWN = Experiment(model="drawn", points=[[0, 0], [1, 0.5]], count=9, sampling={"steps": 4})


@pytest.fixture
def calls(monkeypatch):
    """Names of what has been called: a model looked up, a snippet written."""
    called = []

    def counted(module, name):
        function = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *given: called.append(name) or function(*given))

    counted(models, "of")
    counted(snippets, "python")
    counted(snippets, "command")
    return called


@pytest.mark.parametrize("experiment", [TOY, DIGITS, DRAWN], ids=lambda e: e.model)
def test_a_picture_looks_its_model_up_once_and_writes_its_snippets_once_however_many_previews_it_sends(
    experiment, calls, monkeypatch
):
    monkeypatch.setattr(watch, "PREVIEW_SECONDS", 0.0)
    sent = list(bodies(Picture(experiment=experiment)))
    assert len(sent) > 3
    assert sorted(calls) == ["command", "of", "python"]


def test_measures_look_the_model_up_once(calls):
    work = Work("cpu")
    final(Picture(experiment=TOY), work)
    calls.clear()
    assert final(Measures(experiment=TOY), work)["error"] > 0
    assert calls == ["of"]


def test_every_body_of_a_picture_is_json_with_the_same_head(monkeypatch):
    monkeypatch.setattr(watch, "PREVIEW_SECONDS", 0.0)
    sent = [body for body, _ in bodies(Picture(experiment=DRAWN))]
    heads = [{name: part for name, part in body.items() if name not in ("run", "milliseconds")} for body in sent]
    assert all(head == heads[0] for head in heads)
    assert heads[0]["components"]["count"] == 2
    assert json.loads(heads[0]["document"]) == DRAWN.document()


def test_packed_text_is_what_json_writes():
    body = {
        "text": 'σ "quoted" \\ and\nmore',
        "x": pack.float32([[1.0, -2.5]]),
        "none": pack.float32([]),
        "nested": {"image": pack.uint8(torch.zeros(1, 1, 2, 2).numpy()), "list": [1, None, {"a": True}]},
        "numbers": (0.1, float("inf")),
        "nothing": {},
    }
    assert written.text(body) == json.dumps(body)


def test_what_is_on_the_cpu_already_comes_home_as_itself():
    things = [{"x": torch.ones(2)}, (torch.zeros(1), "text"), TOY]
    assert Home()(things) is things
