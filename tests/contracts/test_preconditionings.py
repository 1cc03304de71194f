"""What every registered preconditioning must do (Table 1; SOLVERS.md's test 6)."""

import pytest
import torch

import edm
from edm.preconditioning import EDM, PRECONDITIONINGS, Denoiser
from tests.problems import gaussian

SIGMAS = torch.logspace(-3, 3, 61, dtype=torch.float64)
COEFFICIENTS = ("c_skip", "c_out", "c_in", "c_noise")


@pytest.mark.parametrize("name", PRECONDITIONINGS)
def test_coefficients_are_float64_shaped_like_sigma_and_finite(name):
    p = PRECONDITIONINGS[name]()
    sigma = SIGMAS[12:48].view(4, 9).float()  # inside every model's range
    for coefficient in COEFFICIENTS:
        value = getattr(p, coefficient)(sigma)
        assert value.shape == sigma.shape
        assert value.dtype == torch.float64
        assert torch.isfinite(value).all()


@pytest.mark.parametrize("name", PRECONDITIONINGS)
def test_an_ideal_network_gives_the_exact_denoiser(name):
    """F = (D − c_skip·x)/c_out for the exact D: whatever the coefficients, they must undo themselves."""
    p, exact = PRECONDITIONINGS[name](), gaussian(0.8, dim=3, mean=0.2)
    generator = torch.Generator().manual_seed(0)
    for sigma in p.round_sigma(SIGMAS[14:48]):

        def network(scaled, c_noise, sigma=sigma):
            x = scaled / p.c_in(sigma)
            torch.testing.assert_close(c_noise, p.c_noise(sigma).reshape(1))  # one level for all samples
            return (exact(x, sigma) - p.c_skip(sigma) * x) / p.c_out(sigma)

        x = 3 * torch.randn(5, 3, generator=generator, dtype=torch.float64)
        torch.testing.assert_close(Denoiser(network, p)(x, sigma), exact(x, sigma), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", PRECONDITIONINGS)
def test_a_network_may_return_a_variance_too(name):
    denoiser = Denoiser(lambda x, c_noise: torch.cat([x, 1e9 * x], 1), PRECONDITIONINGS[name]())
    x = torch.ones(2, 3, 4, 4)
    assert denoiser(x, 1.0).shape == x.shape
    assert denoiser(x, 1.0).abs().max() < 100


@pytest.mark.parametrize("sigma_data", [0.1, 0.5, 2.0])
def test_edm_keeps_input_and_target_at_unit_variance_and_weighs_every_level_alike(sigma_data):
    p = EDM(sigma_data)
    input_variance = p.c_in(SIGMAS) ** 2 * (sigma_data**2 + SIGMAS**2)
    # target (y − c_skip·(y + n))/c_out, with y and n independent
    target_variance = ((1 - p.c_skip(SIGMAS)) ** 2 * sigma_data**2 + p.c_skip(SIGMAS) ** 2 * SIGMAS**2) / (
        p.c_out(SIGMAS) ** 2
    )
    weight = (SIGMAS**2 + sigma_data**2) / (SIGMAS * sigma_data) ** 2
    for value in (input_variance, target_variance, weight * p.c_out(SIGMAS) ** 2):
        torch.testing.assert_close(value, torch.ones_like(value), rtol=1e-9, atol=0)


@pytest.mark.parametrize("name", ["vp", "ve"])
def test_the_other_columns_weigh_every_level_alike(name):
    p = PRECONDITIONINGS[name]()
    torch.testing.assert_close(p.c_out(SIGMAS) ** 2 / SIGMAS**2, torch.ones_like(SIGMAS))


def test_iddpm_sees_the_nearest_of_its_levels_only():
    p = PRECONDITIONINGS["iddpm"]()
    u = p.u
    brute = u[(u[None] - SIGMAS[:, None]).abs().argmin(1)]
    torch.testing.assert_close(p.round_sigma(SIGMAS), brute, rtol=0, atol=0)
    torch.testing.assert_close(p.round_sigma(brute), brute, rtol=0, atol=0)
    torch.testing.assert_close(p.c_noise(u), 999 - torch.arange(1001, dtype=torch.float64))


def test_the_sampler_asks_a_discrete_model_for_its_own_levels():
    p, seen = PRECONDITIONINGS["iddpm"](), []

    def network(x, c_noise):
        seen.append(float(c_noise[0]))
        return torch.zeros_like(x)

    z = edm.latents(edm.seeds(0, 2), (2,))
    states = list(edm.sample(Denoiser(network, p), z, edm.Sampling(steps=9, S_churn=3), seeds=[0, 1]))
    for state in states[:-1]:
        assert state.sigma == pytest.approx(
            float(p.round_sigma(torch.tensor(state.sigma, dtype=torch.float64))), rel=1e-12
        )
    assert seen == [round(c) for c in seen]


@pytest.mark.parametrize("bad", [0, -1, float("nan"), float("inf")])
def test_sigma_data_must_be_positive(bad):
    with pytest.raises(ValueError, match="sigma_data"):
        EDM(bad)
