"""A cascade: its pictures are those of the library, of the same low-resolution images at each σ_c."""

import base64
import json

import numpy as np
import pytest
import torch

import edm
from app.instruments import cascade_figure, tradeoff
from app.instruments.cascade_lines import Cascading
from app.work import cascade_runs, guided_runs
from app.work.shared import Work
from edm.evaluation import difference
from edm.experiments import models
from edm.files.render import to_uint8
from edm.sampling.upsampling import lowered
from tests.app.instruments import bodies, final

FEW = {"steps": "2", "levels": "0,0.3", "count": "50"}


def images(text, shape):
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(-1, *shape)


@pytest.fixture(scope="module")
def drawn():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cascade_figure, "EXAMPLES", 60)
        patch.setattr(tradeoff, "AT_ONCE_SECONDS", 0)
        work = Work("cpu")
        return {base: final("cascade", work=work, base=base, **FEW) for base in ("data", "hasty")}


@pytest.mark.parametrize("base", ["data", "hasty"])
def test_each_row_is_what_the_experiment_that_opens_in_the_sampler_draws(drawn, base):
    body = drawn[base]
    assert [stage["sigma"] for stage in body["levels"]] == [0, 0.3]
    for stage in body["levels"]:
        experiment = edm.Experiment.parse(json.loads(stage["document"])).changed(count=body["count"])
        heard, made = [], edm.runner.denoiser(experiment)
        made.heard = lambda *both, heard=heard: heard.append(both)
        x = edm.last(edm.runner.states(experiment, made=made)).x
        for name, expected, shape in (
            (body["low"], heard[0][0], body["lowShape"]),
            (stage["noised"], heard[0][1], body["lowShape"]),
            (stage["network"], x, body["shape"]),
        ):
            wanted = np.stack([to_uint8(image) for image in expected.numpy()]).astype(int)
            assert np.abs(images(name, shape) - wanted).max() <= 1


def test_the_exact_denoiser_ends_at_training_images_the_nearest_ones_where_there_is_no_noise(drawn):
    body, model = drawn["data"], models.load(cascade_runs.MODEL)
    y, labels = edm.experiments.true_images.learned(model).source.read(range(60))
    low = torch.from_numpy(images(body["low"], body["lowShape"]).copy()).double()
    own = [k % 6 for k in range(body["count"])]
    near = [
        min((k for k in range(60) if labels[k] == label), key=lambda k: float((lowered(y.double(), 16)[k] - z).norm()))
        for z, label in zip(low, own, strict=True)
    ]
    ideal = images(body["levels"][0]["ideal"], body["shape"])
    assert np.abs(ideal.astype(int) - y[near].numpy().astype(int)).max() <= 2


def test_what_is_not_measured_waits_for_a_click(drawn):
    body = drawn["data"]
    assert body["waiting"] and "6 points of 50 samples are to be measured" in body["summary"]


def test_what_ships_was_measured_of_the_models_that_ship_and_its_figure_says_what_noise_does():
    known = cascade_runs.recorded()
    assert set(known) == {guided_runs.key(one, cascade_runs.SAMPLES) for one in cascade_runs.planned()}
    assert cascade_runs.learned() == cascade_runs.seen(), "measure again: python -m app.work.cascade_runs FOLDER"
    body, _ = next(bodies("cascade"))
    assert [len(line["x"]) for line in body["figure"]["panels"][0]["lines"]] == [len(cascade_runs.LEVELS)] * 3
    assert not body["waiting"]


def test_the_summary_says_which_stage_costs_how_much_and_whether_noise_helps():
    found = cascade_figure.Found(Cascading(), models.load(cascade_runs.MODEL), cascade_runs.recorded())
    said = found.body()["summary"]
    true, drawn = (found.report(found.experiment(base, 0)) for base in ("data", "sampled"))
    cost, *_ = difference(drawn, true)
    assert cost == pytest.approx(drawn.distance - true.distance)
    assert f"the base {cost:.2f}".replace("-", "−") in said
    best = min(
        (found.report(found.experiment("sampled", level)) for level in found.levels[1:]),
        key=lambda report: report.distance,
    )
    _, low, high = difference(best, drawn)
    assert ("no difference beyond chance" in said.split("Noise for a model's samples")[1].split("from the")[0]) == (
        low <= 0 <= high
    )
