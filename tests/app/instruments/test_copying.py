"""Copy or create: what the page shows of patches and a network are the library's samples, and their nearest images."""

import base64

import numpy as np
import pytest

import edm
from app.instruments import INSTRUMENTS
from app.work import copying_runs
from edm import diagnostics
from edm.base.fields import SettingsError
from edm.files.render import to_uint8
from tests.app.instruments import bodies, final


@pytest.fixture(scope="module")
def stages():
    return [body for body, _ in bodies("patches", count="14", steps="6", patch="7")]


def images(text):
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(12, 1, 8, 8)


def drawn(body):
    return {patch["side"]: patch["drawn"] for patch in body["patches"] if patch["drawn"]}


def test_the_side_that_is_looked_at_comes_first_then_the_network_then_all_others(stages):
    assert list(drawn(stages[0])) == [7] and stages[0]["network"] is None
    first = next(body for body in stages if body["network"])
    assert list(drawn(first)) == [7]
    assert list(drawn(stages[-1])) == stages[-1]["sides"] == [3, 5, 7, 9, 11, 13, 15]


def test_samples_are_those_of_patches_from_the_same_noise_and_go_from_new_to_copies(stages):
    body, model = stages[-1], edm.models.load("digits_edm")
    known = diagnostics.training_images(model)
    z, labels = edm.runner.start(edm.Experiment(model="digits_edm", count=14))
    x = edm.last(edm.sample(diagnostics.patchwise(known, 5), z, edm.Sampling(steps=6), labels)).x
    shown, near = drawn(body)[5], diagnostics.nearest(x, known)
    assert np.array_equal(images(shown["x"]), np.stack([to_uint8(one) for one in x[:12].numpy()]))
    nearest = known.images[near.index[:12]].numpy()
    assert np.array_equal(images(shown["nearest"]), np.stack([to_uint8(one) for one in nearest]))
    assert shown["copies"] == near.copies[:12].tolist()
    assert drawn(body)[3]["share"] == 0 == body["network"]["share"] and drawn(body)[15]["share"] == 1


def test_the_network_is_nearest_to_few_pixels_where_shapes_are_made(stages):
    (near, copied), summary = stages[-1]["figure"]["panels"], stages[-1]["summary"]
    marked = near["lines"][-1]
    assert dict(zip(marked["x"], marked["text"], strict=True))[0.5] == "3"
    assert min(line["y"][3] for line in near["lines"][:-1]) == marked["y"][3]
    assert copied["lines"][0]["y"][-1] == 100 and copied["marks"][0]["y"] == 0
    assert (
        "at k = 3, 5, 7, 9, 11, 13, 15; Digits EDM 0 %." in summary
        and "At σ = 0.5 the network is nearest to k = 3" in summary
    )
    compile(stages[-1]["python"], "copies", "exec")


def test_only_networks_whose_training_images_are_a_set_are_offered():
    offered = INSTRUMENTS["patches"].described()["knobs"]["model"]["choices"]
    assert {"digits_edm", "emoji_edm"} < set(offered) and not {"scenes_edm", "spiral_mlp"} & set(offered)
    with pytest.raises(SettingsError, match="model"):
        next(bodies("patches", model="scenes_edm"))


def test_recorded_runs_copy_the_later_the_more_they_learn_and_are_those_of_the_preset():
    body = final("times")
    copies, error = body["figure"]["panels"]
    runs = copying_runs.recorded()
    assert [line["name"] for line in copies["lines"]] == ["n = 16", "n = 64", "n = 256"]
    for run, line, other in zip(runs, copies["lines"], error["lines"], strict=True):
        settings = copying_runs.settings(run["examples"])
        assert run["images"] == list(range(settings.tick, settings.images + 1, settings.tick)) == line["x"]
        assert line["y"] == pytest.approx([100 * share for share in run["copies"]]) and other["y"] == run["error"]
    ends = [run["copies"][-1] for run in runs]
    assert ends[0] > 0.6 and ends == sorted(ends, reverse=True)
    assert runs[0]["error"][-1] > 1.5 * min(runs[0]["error"]) and "n = 16: " in body["summary"]
    assert [line["name"] for line in final("times", runs="64")["figure"]["panels"][0]["lines"]] == ["n = 64"]
