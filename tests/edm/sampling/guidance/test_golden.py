"""Guidance agrees with numbers that were worked out elsewhere, twice and independently."""

import json
import math
from pathlib import Path

import pytest
import torch

import edm
from edm import guidance
from edm.exact import GaussianMixture

FOLDER = Path(__file__).parents[3] / "golden"
ONE, MORE = (json.loads((FOLDER / name).read_text()) for name in ("guidance.json", "guidance_more.json"))


def float64(values):
    return torch.tensor(values, dtype=torch.float64)


def same(ours, theirs, rtol=1e-9, atol=1e-11):
    torch.testing.assert_close(ours, float64(theirs), rtol=rtol, atol=atol)


def mixture(golden, blur=0.0, labels=True):
    about = golden["mixture"]
    stds = [math.sqrt(std**2 + blur**2) for std in about["stds"]]
    return GaussianMixture(about["means"], stds, about["weights"], about["labels"] if labels else None)


def alone(denoiser):
    """It without being told of a run's steps."""
    return lambda x, sigma, labels: denoiser(x, sigma, labels)


X, CLASSES, KNOWS, SAYS = float64(ONE["points"]), torch.tensor(ONE["classes"]), mixture(ONE), mixture(ONE, labels=False)
BLURRED = mixture(ONE, ONE["blur"])
POSTERIORS = {
    "in closed form": KNOWS.log_class_probability,
    "by its gradient": lambda x, s: KNOWS.log_class_probability(x, s),
}


@pytest.mark.parametrize("sigma", ONE["levels"])
def test_a_labelled_mixture_knows_of_which_class_a_noisy_sample_is(sigma):
    row, sigma = ONE["levels"][sigma], float(sigma)
    logs = KNOWS.log_class_probability(X, sigma)
    same(logs.exp(), row["class_probability"], atol=1e-13)
    same(logs.gather(1, CLASSES[:, None])[:, 0], row["log_p_class"])
    same(guidance.classifier(SAYS, POSTERIORS["by its gradient"], 1 / sigma**2)(X, sigma, CLASSES) - SAYS(X, sigma),
         row["gradient"], rtol=1e-8, atol=1e-8)  # fmt: skip


@pytest.mark.parametrize("way", POSTERIORS)
@pytest.mark.parametrize("sigma", ONE["levels"])
def test_classifier_guidance_is_the_golden_one_on_a_denoiser_with_a_class_and_without(sigma, way):
    row, sigma = ONE["levels"][sigma], float(sigma)
    for weight, guided in row["classifier_guided"].items():
        same(guidance.classifier(SAYS, POSTERIORS[way], float(weight))(X, sigma, CLASSES), guided)
    for weight, guided in row["classifier_guided_on_class"].items():
        same(guidance.classifier(KNOWS, POSTERIORS[way], float(weight))(X, sigma, CLASSES), guided)


@pytest.mark.parametrize("sigma", ONE["levels"])
def test_free_and_autoguidance_are_the_golden_ones(sigma):
    row, sigma = ONE["levels"][sigma], float(sigma)
    for weight, guided in row["cfg"].items():
        same(guidance.free(KNOWS, float(weight))(X, sigma, CLASSES), guided)
    for weight, guided in row["autoguided"].items():
        same(guidance.auto(KNOWS, BLURRED, float(weight))(X, sigma, CLASSES), guided)


SAMPLES = {name: x for name, x in ONE["samples"].items() if name.rpartition("_")[2][0].isdigit()}
INTERVAL = tuple(ONE["samples"]["interval"])
KINDS = {
    "cfg": lambda w: guidance.free(KNOWS, w),
    "autoguided": lambda w: guidance.auto(KNOWS, BLURRED, w),
    "interval_step": lambda w: guidance.free(KNOWS, w, INTERVAL),
    "interval_evaluation": lambda w: alone(guidance.free(KNOWS, w, INTERVAL)),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_guided_samples_are_the_golden_ones(name):
    kind, _, weight = name.rpartition("_")
    z, labels = float64(ONE["samples"]["latents"]), ONE["samples"]["classes"]
    same(edm.last(edm.sample(KINDS[kind](float(weight)), z, edm.Sampling(steps=18), labels)).x, SAMPLES[name])


@pytest.mark.parametrize("row", MORE["pointwise"], ids=lambda row: str(row["sigma"]))
def test_the_second_set_s_denoisers_are_the_golden_ones(row):
    knows, says, sigma = mixture(MORE), mixture(MORE, labels=False), row["sigma"]
    x, delta = float64(MORE["points"]), MORE["samples"]["delta"]
    labels = [MORE["label"]] * len(x)
    bad, worse = mixture(MORE, delta), mixture(MORE, delta, labels=False)
    logs = knows.log_class_probability(x, sigma)
    same(logs, row["log_p_class"], atol=2e-9)
    for case in row["guided"]:
        weight = case["w"]
        same(
            guidance.classifier(says, knows.log_class_probability, weight)(x, sigma, labels),
            case["classifier"],
            atol=1e-9,
        )
        guided = guidance.classifier(knows, knows.log_class_probability, weight)(x, sigma, labels)
        same(guided, case["conditional_with_classifier"], atol=1e-9)
        same(guidance.auto(knows, bad, weight)(x, sigma, labels), case["autoguidance"], atol=1e-9)
        same(guidance.auto(says, worse, weight)(x, sigma), case["autoguidance_unconditional"], atol=1e-9)


SECOND = MORE["samples"]
WAYS = {
    "conditional": ("heun", lambda d, bad: d),
    "cfg": ("heun", lambda d, bad: guidance.free(d, SECOND["w"])),
    "cfg_euler": ("euler", lambda d, bad: guidance.free(d, SECOND["w"])),
    "interval_by_evaluation": ("heun", lambda d, bad: alone(guidance.free(d, SECOND["w"], tuple(SECOND["interval"])))),
    "interval_by_step": ("heun", lambda d, bad: guidance.free(d, SECOND["w"], tuple(SECOND["interval"]))),
    "autoguidance": ("heun", lambda d, bad: guidance.auto(d, bad, SECOND["w_autoguidance"])),
    "cfg_plus_plus_euler": ("euler", lambda d, bad: guidance.cfgpp(d, SECOND["lambda"])),
}


@pytest.mark.parametrize("name", SECOND["final"])
def test_the_second_set_s_samples_are_the_golden_ones(name):
    (solver, made), z = WAYS[name], float64(SECOND["latents"])
    denoiser = made(mixture(MORE), mixture(MORE, SECOND["delta"]))
    found = edm.sample(denoiser, z, edm.Sampling(steps=18, solver=solver), [MORE["label"]] * len(z))
    same(edm.last(found).x, SECOND["final"][name], rtol=1e-7, atol=1e-9)


def test_the_steps_that_are_guided_are_those_whose_first_level_lies_in_the_interval():
    guided = guidance.free(mixture(MORE), SECOND["w"], tuple(SECOND["interval"]))
    passes = edm.path_of(edm.Sampling(steps=18), guided).passes
    assert [i for i, number in enumerate(passes) if number == 2] == SECOND["steps_in_interval"]


@pytest.mark.parametrize("row", MORE["one_dimensional"]["rows"], ids=lambda row: f"w = {row['w']}")
def test_a_guided_ode_in_one_dimension_overshoots_the_tilted_density(row):
    golden = MORE["one_dimensional"]
    line = GaussianMixture([[-golden["mean"]], [golden["mean"]]], golden["std"], None, [0, 1])
    count = golden["quantiles"]
    z = torch.special.ndtri((torch.arange(count, dtype=torch.float64) + 0.5) / count)[:, None]
    x = edm.last(edm.sample(guidance.free(line, row["w"]), z, edm.Sampling(solver="deis", steps=64), [1] * count)).x
    assert float(x.mean()) == pytest.approx(row["guided_mean"], abs=1e-3)
    assert float(x.std(correction=0)) == pytest.approx(row["guided_std"], abs=1e-3)
    mean, std = guidance.tilted_moments(line, 1, row["w"])
    assert float(mean) == pytest.approx(row["tempered_mean"], abs=1e-6)
    assert float(std) == pytest.approx(row["tempered_std"], abs=1e-6)
