"""Races share what they are measured against."""

import json
from importlib import import_module

from app.instruments import INSTRUMENTS
from app.instruments.base import Context
from app.work.shared import Work
from app.work.watch import Watch
from edm.diagnostics.errors import reference
from edm.experiments.experiment import Experiment


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
