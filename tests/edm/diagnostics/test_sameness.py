"""Which names mean the same, and which do not."""

import math

import pytest
import torch

import edm
from edm import diagnostics
from edm.base.errors import Refused
from edm.diagnostics import NAMES, Name
from edm.diagnostics.sameness import DIFFERENT, EQUAL, SAME, TOLERANCE
from edm.sampling.settings import Sampling


def compared(a, b, steps=6, **given):
    model = edm.models.load("eight_gaussians")
    latents = edm.latents(edm.seeds(0, 64), model.shape)
    return diagnostics.same(a, b, model.denoiser, latents, sampling=Sampling(steps=steps, **given))


def verdicts(found):
    return {row.title: row.verdict for row in found.rows if row.verdict != EQUAL}


ALIKE = {
    ("flow_euler", "ddim"): ["solver"],
    ("logit_normal", "log_normal"): ["p_train(σ)"],
    ("sd3_shift", "times_alpha"): ["time steps tᵢ"],
    ("trigflow", "edm"): ["preconditioning"],
    ("trigflow", "v_prediction"): ["preconditioning"],
    ("v_prediction", "design.edm"): ["preconditioning", "weight λ(σ)"],
    ("lms_1", "euler"): ["solver"],
    ("lms_1", "flow_euler"): ["solver"],
    ("dpmpp_2m_sde", "dpmpp_2m"): ["solver"],
    ("ddpm", "solver.euler_ancestral"): ["solver"],
    ("karras", "design.edm"): [],
    ("ddim", "design.iddpm"): ["solver"],
}


@pytest.mark.parametrize(("a", "b"), ALIKE)
def test_two_names_of_one_thing_are_the_same_whichever_comes_first(a, b):
    for found in (compared(a, b), compared(b, a)):
        assert found.same
        assert verdicts(found) == dict.fromkeys(ALIKE[a, b], SAME)
        assert max(row.difference for row in found.rows) <= TOLERANCE


@pytest.mark.parametrize(
    ("a", "b", "rows"),
    [
        ("karras", "sd3_shift", {"time steps tᵢ", "range of σ"}),
        ("solver.ipndm", "solver.lms", {"solver"}),
        ("dpmpp_2m", "ddim", {"solver"}),
        ("min_snr", "weight.simple", {"weight λ(σ)"}),
        ("weight.learned", "weight.edm", {"weight λ(σ)"}),
        ("epsilon", "preconditioning.iddpm", {"preconditioning"}),
        ("epsilon", "x_prediction", {"preconditioning"}),
        ("trigflow", "velocity", {"preconditioning"}),
        ("log_normal", "noise.uniform_t", {"p_train(σ)", "P_mean, P_std"}),
    ],
)
def test_what_differs_is_named_row_by_row(a, b, rows):
    found = compared(a, b)
    assert not found.same
    assert {row for row, verdict in verdicts(found).items() if verdict == DIFFERENT} == rows


def test_euler_in_other_coordinates_is_not_ddim_though_the_levels_are_the_same():
    found = compared("design.vp", "ddim")
    assert found.levels == 0
    assert not found.sampled_alike
    assert found.trained_alike


@pytest.mark.parametrize("name", ["eight_gaussians", "two_moons", "spiral"])
def test_heun_in_flows_coordinates_is_six_times_nearer_than_in_edms_at_11_evaluations(name):
    model = edm.models.load(name)
    latents = edm.latents(edm.seeds(0, 60), model.shape).double()
    found = diagnostics.same("flow_heun", "edm_heun", model.denoiser, latents, sampling=Sampling(steps=6))
    assert not found.same
    assert found.rows[0].verdict == EQUAL
    flow, karras = (diagnostics.sampling_error(model.denoiser, latents, one.sampling) for one in (found.a, found.b))
    assert karras > 6 * flow


def test_each_row_that_differs_says_what_it_does_alone():
    found = compared("flow_heun", "edm_heun")
    model = edm.models.load("eight_gaussians")
    latents = edm.latents(edm.seeds(0, 64), model.shape).double()
    (row,) = (row for row in found.rows if row.title == "schedule σ(t)")
    alone = diagnostics.same(
        Name("own", "own", sampling={"schedule": "linear"}), "schedule.flow", model.denoiser, latents,
        sampling=found.a.sampling,
    )  # fmt: skip
    assert math.isclose(row.difference, alone.samples, rel_tol=1e-12)


def test_levels_as_published_are_made_for_each_number_of_steps():
    for steps in (1, 2, 7):
        found = compared("sd3_shift", "times_alpha", steps=steps)
        assert steps == found.b.at(found.b.sampling).N
        assert found.same


def test_rows_that_neither_name_sets_are_the_bases():
    found = compared("lms_1", "euler", sigma_max=30.0, scaling="vp")
    assert found.a.sampling.sigma_max == found.b.sampling.sigma_max == 30
    assert found.a.sampling.scaling == "vp"


def test_every_name_is_the_same_as_itself_and_says_where_it_comes_from():
    for name in diagnostics.names():
        found = compared(name, name, steps=2)
        assert found.same, name
        assert not verdicts(found), name
    assert all(name.help for name in NAMES.values())


def test_an_unknown_name_is_refused_with_those_that_are_known():
    with pytest.raises(Refused, match=r"'nonsense' is no name .* ddim"):
        compared("nonsense", "ddim")


def test_nothing_is_the_same_only_because_the_sampler_is_not_finite():
    class Broken:
        def __call__(self, x, sigma, labels=None):
            return torch.full_like(x, math.nan)

    latents = edm.latents(edm.seeds(0, 4), (2,))
    found = diagnostics.same("lms_1", "dpmpp_2m", Broken(), latents, sampling=Sampling(steps=4))
    assert not found.same
