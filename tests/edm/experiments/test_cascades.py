"""Cascades as experiments: one document, the same samples everywhere, and both stages told of."""

import numpy as np
import pytest
import torch

import edm
from edm import models
from edm.base import flat
from edm.experiments import cascades, runner, true_images
from edm.experiments.experiment import Experiment
from edm.sampling.cascade import Cascade, noised
from edm.sampling.upsampling import lowered

NAME, BASE = "scenes_16_32", "scenes_16"
FEW = Experiment.parse({"model": NAME, "count": 2, "sampling": {"solver": "euler", "steps": 3, "seed": 5}})


def test_an_upsampler_is_known_by_name_but_is_no_model_that_is_asked_alone():
    assert NAME not in models.names()
    assert [model.name for model in models.upsamplers()] == [NAME]
    assert models.load(NAME).low.resolution == 16
    assert BASE in models.names()


def test_a_cascade_is_one_document_that_links_and_files_hold():
    whole = FEW.changed(cascade=BASE, cascade_noise=0.2, cascade_steps=3, label="cone")
    assert Experiment.parse(flat.unflatten(flat.flatten(whole), Experiment)) == whole
    assert cascades.base_experiment(whole, models.load(NAME)) == Experiment.parse(
        {"model": BASE, "count": 2, "label": "cone", "sampling": FEW.sampling.document()}
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"cascade": "digits_edm"}, "must be a model of 3×16×16"),
        ({"model": "digits", "cascade": BASE}, "makes no images larger"),
        ({"model": "digits", "cascade_noise": 0.1}, "makes no images larger"),
        ({"cascade": "data", "guidance": "free"}, "with cascade = data is none"),
    ],
)
def test_what_does_not_fit_together_is_refused_with_what_does(changes, said):
    with pytest.raises(edm.SettingsError, match=said):
        Experiment.parse({"model": NAME, **changes})


def test_sample_k_is_the_same_alone_and_in_a_batch():
    both = edm.last(runner.states(FEW)).x
    alone = edm.last(runner.states(FEW, numbers=range(1, 2))).x
    torch.testing.assert_close(alone[0], both[1], rtol=0, atol=2e-5)


def test_both_stages_are_told_of_and_the_base_s_guidance_is_the_base_s_alone():
    guided = FEW.changed(guidance="free", guidance_weight=2.0, cascade_steps=4)
    cascade = runner.denoiser(guided)
    assert isinstance(cascade, Cascade)
    assert type(cascade.base) is not type(runner.denoiser(FEW).base)
    assert cascades.first(FEW, runner.denoiser(FEW)) == 3
    assert cascades.first(guided, cascade) == 8
    assert "8 evaluations of scenes_16 at 3×16×16, then 3 of scenes_16_32" in runner.path(guided).notes[-1]


def test_a_base_of_data_gives_true_images_of_the_class_that_no_run_has_seen_and_samples_nothing():
    model, seeds = models.load(NAME), edm.seeds(5, 3)
    told, like = torch.tensor([3, 3, 0]), torch.empty(0)
    known = true_images.of(model)
    images = known.drawn(seeds, told, like)
    source = true_images.learned(model).source
    numbers = np.array([known.number(seed, label) for seed, label in zip(seeds, told.tolist(), strict=True)])
    y, labels = source.read(numbers)
    assert labels.tolist() == told.tolist()
    assert (numbers > 1 << 42).all()
    torch.testing.assert_close(images, lowered(y / 127.5 - 1, 16))
    torch.testing.assert_close(known.drawn(seeds[1:2], told[1:2], like)[0], images[1])
    assert (images[0] - images[1]).abs().max() > 0.1


def test_what_a_cascade_begins_with_is_heard_with_and_without_its_noise():
    asked, heard = FEW.changed(cascade="data", cascade_noise=0.2), []
    made = runner.denoiser(asked)
    made.heard = lambda *both: heard.append(both)
    edm.last(runner.states(asked, made=made))
    ((images, z),) = heard
    assert torch.equal(z, noised(images, 0.2, edm.seeds(5, 2)))
    assert cascades.first(asked, made) == 0
    assert "true images that were held out, in 3×16×16, by 3 evaluations" in runner.path(asked).notes[-1]


def test_what_a_cascade_is_kept_under_names_its_base_too():
    assert [one.name for one in runner.used(FEW)] == [NAME, BASE]
    assert [one.name for one in runner.used(FEW.changed(cascade="data"))] == [NAME]
