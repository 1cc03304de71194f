"""Curves of Table 1 against what networks are really given and what training really draws."""

import math

import numpy as np
import pytest
import torch

from edm import diagnostics, timesteps
from edm.base import streams
from edm.noises import NOISES
from edm.objective import WEIGHTS, Design
from edm.preconditioning import PRECONDITIONINGS, Denoiser

SIGMA_DATA = 0.6
INSIDE = np.geomspace(0.03, 70, 25)  # levels that every column knows
OWN_WEIGHT = {"vp": "simple", "ve": "simple", "iddpm": "simple", "edm": "edm", "flow": "flow", "v": "v"}
EVERYWHERE = [name for name, kind in PRECONDITIONINGS.items() if kind().sigma_min == 0]  # columns for every level
WIDE = np.linspace(math.log(1e-6), math.log(1e6), 400_001)  # ln σ


@pytest.mark.parametrize("name", PRECONDITIONINGS)
def test_input_and_target_have_the_sizes_that_data_give_them(name):
    """Against 20,000 draws of the input c_in·(y + σn) and the target (y − c_skip·x)/c_out; 1 % is two errors."""
    p = PRECONDITIONINGS[name](SIGMA_DATA) if name == "edm" else PRECONDITIONINGS[name]()
    sigmas = np.array([0.05, 0.4, 3.0, 40.0])
    column = diagnostics.preconditioning(name, sigmas, SIGMA_DATA)
    y, n = (streams.normals(1, purpose, range(20_000), (1,)) for purpose in (1, 2))
    for i, sigma in enumerate(torch.from_numpy(sigmas)):
        x = SIGMA_DATA * y + sigma * n
        assert column.input_std[i] == pytest.approx(float((p.c_in(sigma) * x).std()), rel=0.02)
        target = (SIGMA_DATA * y - p.c_skip(sigma) * x) / p.c_out(sigma)
        assert column.target_std[i] == pytest.approx(float(target.std()), rel=0.02)
        for coefficient in ("c_skip", "c_out", "c_in", "c_noise"):
            assert getattr(column, coefficient)[i] == float(getattr(p, coefficient)(sigma))


def test_closed_forms_of_the_networks_task():
    """EDM: both have unit size at every σ. VP, iDDPM: target 1, input √((σ² + σ_d²)/(σ² + 1)). VE: its input is x."""
    column = diagnostics.preconditioning("edm", np.geomspace(1e-5, 1e5, 50), SIGMA_DATA)
    np.testing.assert_allclose(column.input_std, 1, rtol=1e-12)
    np.testing.assert_allclose(column.target_std, 1, rtol=1e-4)  # 1 − c_skip cancels at the lowest levels
    for name in ("vp", "iddpm"):
        column = diagnostics.preconditioning(name, INSIDE, SIGMA_DATA)
        np.testing.assert_allclose(column.input_std, np.hypot(INSIDE, SIGMA_DATA) / np.hypot(INSIDE, 1), rtol=1e-12)
        np.testing.assert_allclose(column.target_std, 1, rtol=1e-12)
    column = diagnostics.preconditioning("ve", INSIDE, SIGMA_DATA)
    np.testing.assert_allclose(column.input_std, np.hypot(INSIDE, SIGMA_DATA), rtol=1e-12)
    np.testing.assert_allclose(column.target_std, 1, rtol=1e-12)


@pytest.mark.parametrize("name", PRECONDITIONINGS)
def test_levels_that_a_column_is_not_for_are_nan(name):
    kind = PRECONDITIONINGS[name]
    low, high = kind().sigma_min, kind().sigma_max
    column = diagnostics.preconditioning(name, [1e-5, low or 1e-4, 1.0, min(high, 1e4), 1e5], SIGMA_DATA)
    for values in (column.c_skip, column.c_out, column.c_in, column.c_noise, column.input_std, column.target_std):
        assert np.isfinite(values[1:4]).all()
        assert (np.isnan(values[[0, 4]]) == (name not in EVERYWHERE)).all()


@pytest.mark.parametrize("name", OWN_WEIGHT)
def test_each_column_with_its_own_weight_counts_all_levels_alike(name):
    weight = diagnostics.effective_weight(name, OWN_WEIGHT[name], INSIDE, SIGMA_DATA)
    np.testing.assert_allclose(weight, 1, rtol=1e-12)


def test_telling_the_data_counts_as_much_as_the_weight_says():
    """c_out = 1: with flow's weight an error of the image counts as the error of the velocity that it makes, 1/t²."""
    t = INSIDE / (1 + INSIDE)
    np.testing.assert_allclose(diagnostics.effective_weight("x", "flow", INSIDE, SIGMA_DATA), t**-2, rtol=1e-12)


def test_min_snr_is_simples_weight_up_to_its_bound():
    sigmas = np.array([0.1, 5**-0.5, 0.5, 3.0])
    np.testing.assert_allclose(diagnostics.loss_weight("min_snr", sigmas, SIGMA_DATA), [5, 5, 4, 1 / 9], rtol=1e-12)


def test_v_is_the_papers_own_column_for_data_of_size_one():
    """TrigFlow's as well: with σ = tan t, c_skip = cos² t, |c_out| = sin t and c_in = cos t (arXiv 2410.11081)."""
    column = diagnostics.preconditioning("v", INSIDE, 1.0)
    t = np.arctan(INSIDE)
    for got, expected in (
        (column.c_skip, np.cos(t) ** 2), (column.c_out, np.sin(t)), (column.c_in, np.cos(t)),
        (column.input_std, np.ones(25)), (column.target_std, np.ones(25)),
    ):  # fmt: skip
        np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_the_network_of_flow_matching_tells_the_velocity():
    """Of z = (1 − t)·y + t·n: an F that returns n − y makes y of it."""
    p = PRECONDITIONINGS["flow"]()
    y, n = (streams.normals(3, purpose, range(9), (4,)).double() for purpose in (1, 2))
    for sigma in (0.01, 1.0, 50.0):
        denoiser = Denoiser(lambda z, t: n - y, p)
        torch.testing.assert_close(denoiser(y + sigma * n, sigma), y, rtol=1e-9, atol=1e-12)


def test_mixed_columns_do_not():
    """VP's c_out² = σ² under EDM's weight: 1 + σ²/σ_d². EDM's under 1/σ²: σ_d²/(σ² + σ_d²)."""
    ratio = (INSIDE / SIGMA_DATA) ** 2
    np.testing.assert_allclose(diagnostics.effective_weight("vp", "edm", INSIDE, SIGMA_DATA), 1 + ratio, rtol=1e-12)
    got = diagnostics.effective_weight("edm", "simple", INSIDE, SIGMA_DATA)
    np.testing.assert_allclose(got, 1 / (1 + ratio), rtol=1e-12)
    for name, weight in WEIGHTS.items():
        np.testing.assert_allclose(diagnostics.loss_weight(name, INSIDE, SIGMA_DATA), weight(INSIDE, SIGMA_DATA))


@pytest.mark.parametrize("name", PRECONDITIONINGS)
def test_the_initial_loss_is_what_a_network_of_zeros_reads(name):
    """On data of mean 0.4 and standard deviation σ_d, so that E[y²] = σ_d² + 0.16; within four standard errors."""
    p = PRECONDITIONINGS[name](SIGMA_DATA) if name == "edm" else PRECONDITIONINGS[name]()
    zero = Denoiser(lambda x, c_noise: torch.zeros_like(x), p)

    def draw(indices):
        return 0.4 + SIGMA_DATA * streams.normals(6, 1, indices, (2,)), None

    sigmas = [0.1, 1.0, 10.0]
    curves = diagnostics.losses({"zero": zero}, draw, sigmas, first=4000, most=4000)
    curve = next(curves)["zero"]
    exact = diagnostics.initial_loss(name, sigmas, SIGMA_DATA, SIGMA_DATA**2 + 0.16)
    assert (np.abs(curve.mean - exact) < 4 * curve.stderr).all()
    if name == "edm":
        weighted = diagnostics.initial_loss("edm", INSIDE, SIGMA_DATA) * diagnostics.loss_weight(
            "edm", INSIDE, SIGMA_DATA
        )
        np.testing.assert_allclose(weighted, 1, rtol=1e-12)  # the paper's flat initial loss (Figure 5a)
    elif name in ("vp", "ve", "iddpm"):
        np.testing.assert_allclose(diagnostics.initial_loss(name, INSIDE, SIGMA_DATA), INSIDE**2)


DESIGNS = [Design(noise=noise) for noise in NOISES] + [Design(P_mean=0.5, P_std=0.4)]


def design_name(design):
    return f"{design.noise} {design.P_mean:g} {design.P_std:g}"


@pytest.mark.parametrize("design", DESIGNS, ids=design_name)
def test_the_density_integrates_to_one_and_the_shares_sum_to_one(design):
    density = diagnostics.training_density(design, np.exp(WIDE))
    assert (density >= 0).all()
    # jumps at the ends of a range, and between iDDPM's cells, cost half a step of 7e-5 each
    assert float(np.trapezoid(density, WIDE)) == pytest.approx(1, abs=2e-4)
    shares = diagnostics.training_share(design, [0, 0.01, 0.1, 1, 10, math.inf])
    assert float(shares.sum()) == pytest.approx(1, abs=1e-14) and (shares >= 0).all()


@pytest.mark.parametrize("design", DESIGNS, ids=design_name)
def test_density_and_shares_are_those_of_what_training_draws(design):
    """Against 40,000 levels of the training loss; a share's standard error is at most 0.5/√40000 = 0.0025."""
    u = torch.from_numpy(streams.uniforms(5, 1, range(40_000), 1)[:, 0])
    drawn = NOISES[design.noise].sigma(u, design).numpy()
    edges = np.geomspace(5e-4, 200, 30)
    histogram = np.histogram(drawn, edges)[0] / len(drawn)
    shares = diagnostics.training_share(design, edges)
    np.testing.assert_allclose(shares, histogram, atol=0.01)
    density = diagnostics.training_density(design, np.exp(WIDE))
    areas = [
        np.trapezoid(density[inside], WIDE[inside])
        for low, high in zip(np.log(edges[:-1]), np.log(edges[1:]), strict=True)
        for inside in [(low <= WIDE) & (high >= WIDE)]
    ]
    # half a level of iDDPM's may lie on the other side of each edge
    np.testing.assert_allclose(areas, shares, atol=1.1e-3 if design.noise == "iddpm" else 2e-4)


def test_closed_forms_of_the_densities():
    assert diagnostics.training_density(Design(), [math.exp(-1.2)])[0] == pytest.approx(1 / (1.2 * math.sqrt(math.tau)))
    inside = diagnostics.training_density(Design(noise="ve"), [0.02, 1.0, 100.0])
    np.testing.assert_allclose(inside, 1 / math.log(5000))
    middle = diagnostics.training_share(Design(), [0, math.exp(-1.2), math.inf])
    np.testing.assert_allclose(middle, 0.5)
    u = timesteps.iddpm_u()
    cell = diagnostics.training_density(Design(noise="iddpm"), [u[500]])[0]
    assert cell == pytest.approx(2 / (1000 * math.log(u[499] / u[501])))


def test_every_discrete_level_has_the_same_share():
    u = timesteps.iddpm_u()
    edges = np.concatenate([[0], np.sqrt(u[-2:0:-1] * u[-3::-1]), [math.inf]])
    np.testing.assert_allclose(diagnostics.training_share(Design(noise="iddpm"), edges), 1e-3)


def test_outside_its_range_a_distribution_has_no_density():
    for name, (low, high) in {"vp": (0.0009, 153), "ve": (0.0199, 100.1), "iddpm": (0.004, 2e5)}.items():
        assert (diagnostics.training_density(Design(noise=name), [low, high]) == 0).all()
        assert (diagnostics.training_share(Design(noise=name), [0, low]) == 0).all()
        assert (diagnostics.training_share(Design(noise=name), [high, math.inf]) == 0).all()


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: diagnostics.preconditioning("adm", [1.0], 0.5), "preconditioning 'adm' is unknown"),
        (lambda: diagnostics.preconditioning("edm", [0.0], 0.5), "sigmas contain 0"),
        (lambda: diagnostics.preconditioning("edm", [1.0], 0.0), "sigma_data = 0"),
        (lambda: diagnostics.loss_weight("none", [1.0], 0.5), "weight 'none' is unknown"),
        (lambda: diagnostics.initial_loss("edm", [1.0], 0.5, -1.0), "second_moment = -1"),
        (lambda: diagnostics.training_density(Design(noise="x"), [1.0]), "noise = 'x': must be one of"),
        (lambda: diagnostics.training_share(Design(), [1.0]), "two numbers"),
        (lambda: diagnostics.training_share(Design(), [1.0, 0.5]), "above the last"),
        (lambda: diagnostics.training_share(Design(), [0, math.nan]), "above the last"),
    ],
)
def test_bad_input_is_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


def test_every_noise_distribution_has_its_curves():
    for name in NOISES:
        densities = diagnostics.training_density(Design(noise=name), [1e-9, 0.5, 1.0, 1e9])
        assert np.isfinite(densities).all() and (densities >= 0).all() and densities[1:3].max() > 0
