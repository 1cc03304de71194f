"""Fidelity against diversity: what the page shows of guidance are the library's measures, over weights or intervals."""

import base64
import json

import numpy as np
import pytest

import edm
from app.instruments import INSTRUMENTS, tradeoff
from app.instruments.tradeoff_lines import weight_of
from app.work import guided_runs
from app.work.shared import Work
from edm.base.fields import SettingsError
from edm.evaluation import Weighed, measured, over_weights, weighed
from edm.files.render import to_uint8
from tests.app.instruments import bodies, final

FEW = {"count": "60", "steps": "2"}


@pytest.fixture(scope="module")
def stages():
    return [body for body, _ in bodies("tradeoff", kinds="free,auto", weights="1,2", run="true", **FEW)]


def lines(body, panel=0):
    return {line["name"]: line for line in body["figure"]["panels"][panel]["lines"]}


def test_pictures_come_first_then_a_point_after_the_other(stages):
    drawn = [sum(one["samples"] is not None for line in body["lines"] for one in line["pictures"]) for body in stages]
    measured = [sum(len(line["x"]) for line in body["figure"]["panels"][0]["lines"]) for body in stages]
    assert drawn[0] == 0 and drawn == sorted(drawn) and measured == sorted(measured)
    assert measured[drawn.index(drawn[-1])] == 0 < measured[-1]


def test_what_is_drawn_are_the_measures_of_the_library_with_their_intervals(stages):
    experiment = edm.Experiment(model="digits_edm", guidance="free", sampling={"steps": 2})
    found = {e.weight: e.report for e in over_weights(experiment, [1, 2], count=60) if isinstance(e, Weighed)}
    for k, name in enumerate(weighed.MEASURED):
        line = lines(stages[-1], k)["classifier-free"]
        assert line["x"] == [1, 2]
        assert line["y"] == pytest.approx([getattr(found[w], name) for w in (1, 2)], rel=1e-4)
        assert line["low"] == pytest.approx([found[w].intervals[name].low for w in (1, 2)], rel=1e-3, abs=1e-6)
    assert f"without guidance {found[1].frechet:.3f}" in stages[-1]["summary"]
    assert weighed.gain(found[2], found[1]) in stages[-1]["summary"]


def test_the_same_noise_is_shown_at_each_weight_and_a_row_opens_in_the_sampler(stages):
    body = stages[-1]
    line = next(line for line in body["lines"] if line["title"] == "classifier-free")
    assert [one["title"] for one in line["pictures"]] == ["w = 1", "w = 2"]
    for one in line["pictures"]:
        experiment = edm.Experiment.parse(json.loads(one["document"])).changed(count=body["count"])
        x = edm.last(edm.runner.states(experiment)).x.numpy()
        shown = np.frombuffer(base64.b64decode(one["samples"]), np.uint8).reshape(len(x), 1, 8, 8)
        assert np.array_equal(shown, np.stack([to_uint8(image) for image in x]))
    assert "guidance" not in json.loads(line["pictures"][0]["document"]), "which is none"


def test_what_takes_long_is_said_and_waits_and_what_was_measured_here_is_there_at_once(stages, monkeypatch):
    monkeypatch.setattr(tradeoff, "AT_ONCE_SECONDS", 0)
    asked, work = {"kinds": "free", "weights": "1,2", **FEW}, Work("cpu")
    *_, (body, ended) = bodies("tradeoff", work=work, **asked)
    assert ended and body["waiting"] and "2 points of 60 samples are to be measured: about" in body["summary"]
    assert "Press Run to start." in body["summary"]
    *_, (first, _) = bodies("tradeoff", work=work, run="true", **asked)
    again, _ = next(bodies("tradeoff", work=work, **asked))
    assert first["figure"] == again["figure"] and lines(again)["classifier-free"]["x"] == [1, 2]


def test_an_interval_bounds_guidance_from_below_or_from_above_and_ends_are_marked():
    body = final("tradeoff", kinds="free", over="interval", weight="3", bounds="2", count="50", steps="2", run="true")
    above, below = body["lines"]
    documents = [json.loads(one["document"]) for line in (above, below) for one in line["pictures"]]
    assert [document["guidance_interval"] for document in documents] == [[2, 1e4], [0, 2]]
    assert {document["guidance_weight"] for document in documents} == {3}
    marks = {mark["text"]: mark["y"] for mark in body["figure"]["panels"][1]["marks"]}
    assert list(marks) == ["no guidance", "at every σ"] and marks["no guidance"] != marks["at every σ"]


def test_weights_mean_the_same_for_a_classifier_as_for_the_difference_of_two_models():
    settings = INSTRUMENTS["tradeoff"].settings
    assert [weight_of(kind, 3)[0] for kind in ("free", "auto", "apg", "classifier")] == [3, 3, 3, 2]
    assert weight_of("cfgpp", 2.5) == (0.5, "λ = 0.5")
    with pytest.raises(SettingsError, match="model"):
        settings(model="spiral_mlp")
    offered = INSTRUMENTS["tradeoff"].described()["knobs"]
    assert {"digits_edm", "scenes_edm"} <= set(offered["model"]["choices"])
    assert "digits_edm_020k" in offered["guides"]["choices"] and "digits_edm" not in offered["guides"]["choices"]


def test_what_ships_was_measured_with_the_settings_that_it_is_shown_for():
    known = guided_runs.recorded()
    planned = {guided_runs.key(*one): one for one in guided_runs.planned()}
    assert set(known) == set(planned)
    for key, report in known.items():
        experiment, count = planned[key]
        assert report.count == count and report.sampling == experiment.sampling
        assert report.evaluations == edm.runner.path(experiment).evaluations
        assert all(
            interval.low <= getattr(report, name) <= interval.high for name, interval in report.intervals.items()
        )


def test_each_lane_is_shown_at_each_weight_with_its_evaluations():
    body = final("lanes", data="two_moons", lanes="vp,edm", guidance="free", weights="1,3", nfe="20")
    assert [lane["title"] for lane in body["lanes"]] == [
        "VP, w = 1", "VP, w = 3", "EDM, w = 1", "EDM, w = 3",
    ]  # fmt: skip
    documents = [json.loads(lane["picture"]["document"]) for lane in body["lanes"]]
    assert [document.get("guidance_weight", 1) for document in documents] == [1, 3, 1, 3]
    for lane, document in zip(body["lanes"], documents, strict=True):
        path = edm.runner.path(edm.Experiment.parse(document))
        assert f"N = {path.steps}, {path.evaluations} NFE" in lane["note"] and 18 <= path.evaluations <= 20
    assert "error" in body["lanes"][3]["note"] and "w = 3" in body["summary"]


def test_a_sweep_may_be_guided_and_have_the_interval_as_an_axis():
    body = final(
        "sweep", model="two_moons", guidance="free", x="guidance_interval", x_range="none,0-1", y="guidance_weight",
        y_range="1,3", measure="distance",
    )  # fmt: skip
    assert body["axes"]["x"]["values"] == ["none", "0–1"] and len(body["cells"]) == 4
    documents = [json.loads(cell["document"]) for cell in body["cells"]]
    assert {document["guidance"] for document in documents} == {"free"}
    assert len({cell["value"] for cell in body["cells"]}) == 3, "at w = 1 there is none"


def test_the_table_of_the_documentation_is_of_what_ships():
    said = " ".join(measured.__doc__.split())
    assert " ".join(guided_runs.tables(guided_runs.recorded()).split()) in said
