"""Guidance as settings: one document for link, command line and picture, and what is refused when it is read."""

import numpy as np
import pytest
import torch

import edm
from edm import models, runner
from edm.__main__ import main
from edm.base import flat
from edm.diagnostics import Shared
from edm.experiments.many import Drawing, Many
from edm.sampling.denoisers import Around
from edm.sampling.guidance import GUIDANCES
from edm.sampling.guidance.guided import Guided

DIGITS = {"model": "digits_edm", "count": 3, "sampling": {"steps": 2}}
FREE = edm.Experiment(
    **DIGITS, guidance="free", guidance_weight=2.5, guidance_interval=(0.2, 5.0), guidance_rescale=0.5
)
ALONE = {"guidance": "classifier", "guidance_told": False}
TILTED = edm.Experiment(**DIGITS, guidance="tilted", guidance_weight=2.0)


def ended(experiment, **how):
    return edm.last(runner.states(experiment, **how))


def refused(words, **given):
    with pytest.raises(edm.SettingsError) as caught:
        edm.Experiment(**{**DIGITS, **given})
    for word in words:
        assert word in str(caught.value)


def test_settings_are_flat_in_a_link_and_come_back():
    written = flat.flatten(FREE)
    assert written["guidance"] == "free" and written["guidance_interval"] == "0.2,5"
    assert edm.Experiment.parse(flat.unflatten(written, edm.Experiment)) == FREE
    assert edm.Experiment.parse(FREE.document()) == FREE
    assert not {name for name in edm.Experiment().document() if name.startswith("guid")}


def test_every_guidance_of_a_model_is_the_library_s_and_its_evaluations_are_counted():
    z, labels = runner.start(FREE)
    model = models.load("digits_edm")
    early, posterior = models.load("digits_edm_005k").denoiser, models.load("digits").denoiser.log_class_probability
    by_hand = {
        "free": edm.guidance.free(model.denoiser, 2.0),
        "auto": edm.guidance.auto(model.denoiser, early, 2.0),
        "classifier": edm.guidance.classifier(model.denoiser, posterior, 2.0),
        "cfgpp": edm.guidance.cfgpp(model.denoiser, 2.0),
        "apg": edm.guidance.apg(model.denoiser, 2.0, momentum=-0.5),
    }
    for name, guided in by_hand.items():
        guide = {"guide": "digits"} if name == "classifier" else {}
        more = {"guidance_momentum": -0.5} if name == "apg" else {}
        experiment = edm.Experiment(**DIGITS, guidance=name, guidance_weight=2.0, **guide, **more)
        end = ended(experiment)
        assert torch.equal(end.x, edm.last(edm.sample(guided, z, experiment.sampling, labels)).x), name
        assert end.evaluations == runner.path(experiment).evaluations == 6, name


def test_a_population_is_drawn_together():
    z, labels = runner.start(TILTED)
    seeds = edm.seeds(0, 3)
    by_hand = edm.guidance.tilted(models.load("digits_edm").denoiser, z, TILTED.sampling, labels, 2.0, seeds=seeds)
    assert torch.equal(ended(TILTED).x, edm.last(by_hand).x)
    assert ended(TILTED).evaluations == runner.path(TILTED).evaluations == 4
    assert runner.together(TILTED) and not runner.together(FREE)


def test_what_is_wrapped_is_each_network_that_is_evaluated():
    wrapped = []

    def wrap(denoiser):
        wrapped.append(denoiser)
        return Around(denoiser)

    made = runner.denoiser(edm.Experiment(**DIGITS, guidance="auto", guidance_weight=2.0), wrap=wrap)
    assert isinstance(made, Guided) and isinstance(made.inner, Around)
    assert [denoiser.header.images for denoiser in wrapped] == [
        models.load(name).header.images for name in ("digits_edm", "digits_edm_005k")
    ]
    shared = Shared(models.load("digits_edm").denoiser)
    assert torch.equal(ended(FREE, wrap=lambda _: shared).x, ended(FREE).x)
    assert torch.equal(ended(FREE, made=runner.denoiser(FREE)).x, ended(FREE).x)


def test_without_a_class_a_network_that_was_taught_so_draws_of_no_class():
    said, unsaid = (edm.Experiment(**DIGITS, label=label) for label in ("none", None))
    assert said.document()["label"] == "none" and "label" not in unsaid.document()
    assert edm.Experiment.parse(said.document()) == said
    assert runner.start(said)[1] is None and runner.classes_of(said) == ()
    assert runner.start(unsaid)[1].tolist() == [0, 1, 2]
    model, z = models.load("digits_edm"), runner.start(said)[0]
    none = torch.full((3,), -1)
    by_hand = edm.last(edm.sample(model.denoiser, z, said.sampling, none)).x
    torch.testing.assert_close(ended(said).x, by_hand, rtol=1e-3, atol=1e-3)
    for word in ("", "auto", "Each"):
        assert edm.Experiment(**DIGITS, label=word) == unsaid
    assert edm.Experiment(model="digits", label="none").label is None  # which draws of all


def test_exact_models_take_classes_by_turns_where_guidance_leads_to_one():
    guided = edm.Experiment(model="digits", count=3, sampling={"steps": 2}, guidance="free", guidance_weight=2)
    assert runner.start(guided)[1].tolist() == [0, 1, 2]
    assert runner.start(guided.changed(guidance="none"))[1] is None
    assert ended(guided).x.isfinite().all()


def test_what_cannot_guide_a_model_is_refused_when_the_document_is_read():
    refused(["guidance", "eight_gaussians_mlp", "knows none"], model="eight_gaussians_mlp", guidance="free")
    refused(["guide", "there is no model 'nobody'"], guidance="auto", guide="nobody")
    refused(["guide = 'spiral'", "8 × 8"], guidance="auto", guide="spiral")
    refused(["the model itself"], guidance="auto", guide="digits_edm")
    refused(["classes"], model="emoji_edm", guidance="auto", guide="scenes_edm")
    refused(["no earlier checkpoint"], model="digits_ve", guidance="auto")
    refused(["guide = 'digits_vp'", "no classifier"], guidance="classifier", guide="digits_vp")
    refused(["label", "leads to a class"], guidance="free", label="none")
    refused(["guidance_weight"], guidance="free", guidance_weight=float("nan"))
    refused(["guidance_weight"], guidance="free", guidance_weight=1e9)
    refused(["guidance_interval", "the lower first"], guidance="free", guidance_interval=(2.0, 0.2))
    refused(["guidance_interval", "two noise levels"], guidance="free", guidance_interval=(0.2,))
    refused(["must be one of", *map(repr, GUIDANCES)], guidance="nothing")


def test_what_a_guidance_does_not_do_is_noted():
    def notes(**given):
        return " ".join(runner.path(edm.Experiment(**DIGITS, **given)).notes)

    assert "changes nothing" in notes(guidance="free")
    assert "none is guided" in notes(guidance="free", guidance_weight=2, guidance_interval=(0.1, 0.2))
    assert "coarse" in notes(guidance="tilted", guidance_weight=2)
    assert notes(guidance="free", guidance_weight=2) == notes() == ""


def test_a_network_that_always_had_a_class_has_no_d_without_one(tmp_path):
    model = models.load("digits_edm")
    header = model.header.model_copy(update={"label_dropout": 0.0, "family": "", "title": ""})
    networks = {f"ema0/{name}": tensor for name, tensor in model.denoiser.network.state_dict().items()}
    edm.checkpoints.save(tmp_path / "always.safetensors", header, networks)
    name = models.register(tmp_path / "always.safetensors", "always")
    try:
        refused(["label_dropout = 0"], model=name, label="none")
        refused(["label_dropout = 0", "unconditional model"], model=name, guidance="free")
        refused(["guidance_told = no", "label_dropout = 0"], model=name, **ALONE)
        with pytest.raises(edm.Refused, match="label_dropout = 0"):
            edm.guidance.free(models.load(name).denoiser, 2.0)
        guided = edm.Experiment(**{**DIGITS, "model": name}, guidance="free", guidance_weight=2, guide="digits_vp")
        assert ended(guided).x.isfinite().all()
        refused(["always had a class"], guidance="free", guide=name)
    finally:
        models.forget(name)


def test_many_images_are_guided_but_no_population():
    many = Many(guidance="free", guidance_weight=2.0)
    assert many.experiment("digits_edm").guidance == "free"
    for draw in (lambda: many.changed(guidance="tilted").experiment("digits_edm"), lambda: Drawing(TILTED, None, None)):
        with pytest.raises(edm.Refused, match="one population"):
            draw()


def test_a_classifier_leads_d_without_a_class_and_the_exact_one_at_1_makes_it_that_of_the_class():
    told = edm.Experiment(model="two_moons", label="upper moon", count=40)
    alone = told.changed(**ALONE)
    mixture, x = models.load("two_moons").dataset.labelled, 2 * torch.randn(40, 2, dtype=torch.float64)
    labels = torch.zeros(40, dtype=torch.long)
    for sigma in (0.01, 0.3, 5.0):
        found = runner.denoiser(alone)(x, sigma, labels)
        torch.testing.assert_close(found, mixture(x, sigma, labels), rtol=0, atol=1e-10)
    assert (alone.exponent, told.changed(guidance="classifier").exponent) == (1, 2)
    assert torch.equal(ended(alone.changed(guidance_weight=0)).x, ended(told.changed(label=None)).x)


def test_a_network_that_knows_no_classes_is_led_by_a_classifier_which_knows_them():
    led = edm.Experiment(model="two_moons_mlp", guidance="classifier", label="Lower moon", count=60)
    assert led.label == "lower moon" and runner.guide(led).name == "two_moons" and led.exponent == 1
    z, labels = runner.start(led)
    assert labels.tolist() == [1] * 60 and runner.part_of(led) == 1
    assert runner.start(led.changed(label=None))[1].tolist() == [0, 1] * 30
    exact = models.load("two_moons").dataset.labelled
    by_hand = edm.guidance.classifier(models.load("two_moons_mlp").denoiser, exact.log_class_probability, 1.0)
    assert torch.equal(ended(led).x, edm.last(edm.sample(by_hand, z, led.sampling, labels)).x)
    right = exact.log_class_probability(ended(led).x.double(), 0.05).argmax(1) == 1
    assert right.double().mean() > 0.95
    refused(["label", "'upper moon', 'lower moon'"], model="two_moons_mlp", guidance="classifier", label="left")
    refused(["leads to a class"], model="two_moons_mlp", guidance="classifier", label="none")
    refused(["knows none", "classifier"], model="two_moons_mlp", guidance="free")
    refused(["this model has no classes"], model="two_moons_mlp", label="lower moon")


def test_d_of_images_is_clipped_before_guidance_on_command(capsys, tmp_path):
    clipped = FREE.changed(clip=True, guidance_interval=None, guidance_rescale=0.0)
    model, x, labels = models.load("digits_edm"), 30 * torch.randn(3, 1, 8, 8), torch.tensor([0, 1, 2])
    own, every = (model.denoiser(x, 20.0, told).clamp(-1, 1) for told in (labels, None))
    found = runner.denoiser(clipped)(x, 20.0, labels)
    torch.testing.assert_close(found, every + 2.5 * (own - every), rtol=1e-4, atol=1e-4)
    assert found.abs().max() > 1, "which is not clipped again"
    assert edm.Experiment.parse(flat.unflatten(flat.flatten(clipped), edm.Experiment)) == clipped
    asked = ["sample", "--model=digits_edm", "--clip=yes", "--steps=2", "--count=2", f"--out={tmp_path / 'a.npz'}"]
    assert main(asked) == 0
    with np.load(tmp_path / "a.npz") as kept:
        assert np.abs(kept["samples"]).max() <= 1 + 1e-5, "the last D, but for rounding"
    refused(["clip", "images"], model="two_moons", clip=True)
