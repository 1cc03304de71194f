"""The training objective: where σ falls, how it weighs, and that each image's loss is its own."""

import itertools
import threading
from contextlib import closing

import numpy as np
import pytest
import torch

from edm import timesteps
from edm.base import streams
from edm.exact import GaussianMixture
from edm.noises import NOISES
from edm.objective import WEIGHTS, Design
from edm.preconditioning import PRECONDITIONINGS, Denoiser
from edm.training.augmentation import Augmentation
from edm.training.loop import Step, train
from edm.training.loss import Loss, per_sigma
from tests.edm.runs import tiny

COLUMNS = {"vp": "simple", "ve": "simple", "iddpm": "simple", "edm": "edm"}
U = torch.from_numpy(streams.uniforms(5, 1, range(40_000), 1)[:, 0])
SIGMA_DATA = 0.5


def zero(x, c_noise, labels=None, augment=None):
    return torch.zeros_like(x)


def test_edm_noise_is_log_normal():
    log = NOISES["edm"].sigma(U, Design(P_mean=-0.7, P_std=1.5)).log()
    assert float(log.mean()) == pytest.approx(-0.7, abs=0.02)
    assert float(log.std()) == pytest.approx(1.5, abs=0.02)


def test_ve_noise_is_uniform_in_the_logarithm():
    share = (NOISES["ve"].sigma(U, Design()).log() - np.log(0.02)) / np.log(100 / 0.02)
    torch.testing.assert_close(share, U, rtol=1e-9, atol=1e-9)


def test_vp_noise_is_uniform_in_time():
    t = PRECONDITIONINGS["vp"]().schedule.inverse(NOISES["vp"].sigma(U, Design()))
    torch.testing.assert_close(t, 1e-5 + U * (1 - 1e-5), rtol=1e-9, atol=1e-12)


def test_iddpm_noise_is_every_level_equally_often():
    levels = timesteps.iddpm_u()[:-1]
    sigma = NOISES["iddpm"].sigma(U, Design()).numpy()
    assert set(sigma) == set(levels)
    counts = np.array([(sigma == level).sum() for level in levels])
    assert ((counts - 40) ** 2 / 40).sum() < 1000 + 4 * np.sqrt(2000)  # χ² with 999 degrees of freedom


@pytest.mark.parametrize("column", COLUMNS)
def test_the_effective_weight_of_each_column_is_one(column):
    """λ·c_out² = 1: the network's own error counts alike at every σ."""
    p = PRECONDITIONINGS[column]()
    sigma = torch.logspace(-2, 1.5, 40, dtype=torch.float64)
    weight = WEIGHTS[COLUMNS[column]](sigma, SIGMA_DATA)
    torch.testing.assert_close(weight * p.c_out(sigma) ** 2, torch.ones_like(sigma))


def test_edm_starts_at_a_loss_of_one_at_every_noise_level():
    """F = 0 leaves the target, whose variance is 1 (eq. 147): for Gaussian data of variance σ_d², exactly."""
    denoiser = Denoiser(zero, PRECONDITIONINGS["edm"](SIGMA_DATA))
    y = SIGMA_DATA * streams.normals(1, 2, range(4000), (4,)).float()
    for low in (-8.0, -1.0, 4.0):
        design = Design(P_mean=low, P_std=0.1)
        assert float(Loss(design, 0, SIGMA_DATA)(denoiser, y, None, np.arange(4000)).mean()) == pytest.approx(
            1, abs=0.04
        )


@pytest.mark.parametrize(("noise", "weight"), list(itertools.product(NOISES, WEIGHTS)))
def test_any_noise_goes_with_any_weight_and_the_ideal_loss_is_known(noise, weight):
    """Gaussian data N(0, s²): E‖D − y‖²/d = s²σ²/(s² + σ²) for the ideal D, so the loss is its weighted mean."""
    s, count = 0.5, 20_000
    exact = GaussianMixture(torch.zeros(1, 2), s)

    def ideal(x, sigma, labels=None, augment=None):
        return exact(x, sigma)

    ideal.round_sigma, ideal.sigma_min = lambda sigma: sigma, 0.0
    design = Design(noise=noise, weight=weight)
    y = s * streams.normals(3, 4, range(count), (2,)).float()
    loss = Loss(design, 7, s)(ideal, y, None, np.arange(count))
    u = streams.uniforms(7, streams.Purpose.SIGMA, range(count), 2)[:, 0]
    sigma = NOISES[noise].sigma(torch.from_numpy(u), design)
    known = WEIGHTS[weight](sigma, s) * (s * sigma) ** 2 / (s**2 + sigma**2)
    ratio = loss.double() / known  # each a χ² of 2 degrees of freedom over 2, so of mean 1
    assert float(ratio.mean()) == pytest.approx(1, abs=0.03)


def test_an_image_s_loss_does_not_depend_on_the_batch_it_is_in():
    denoiser = Denoiser(zero, PRECONDITIONINGS["edm"](SIGMA_DATA))
    loss, y = Loss(Design(), 3, SIGMA_DATA), torch.linspace(-1, 1, 24).view(8, 3)
    whole = loss(denoiser, y, None, np.arange(100, 108))
    parts = [loss(denoiser, y[:3], None, np.arange(100, 103)), loss(denoiser, y[3:], None, np.arange(103, 108))]
    assert torch.equal(whole, torch.cat(parts))
    assert not torch.equal(whole, loss(denoiser, y, None, np.arange(8)))


def test_the_share_of_hidden_classes_is_as_asked():
    seen = []

    def network(x, c_noise, labels):
        seen.append(labels)
        return torch.zeros_like(x)

    denoiser = Denoiser(network, PRECONDITIONINGS["edm"](SIGMA_DATA))
    labels = torch.arange(5000) % 10
    Loss(Design(label_dropout=0.3), 0, 0.5)(denoiser, torch.zeros(5000, 2), labels, np.arange(5000))
    hidden = seen[0] == -1
    assert float(hidden.float().mean()) == pytest.approx(0.3, abs=0.02)
    assert torch.equal(seen[0][~hidden], labels[~hidden])


def test_a_model_of_discrete_levels_is_trained_at_its_own_levels():
    """The noise that is added has the level that the network is told."""
    told = []

    def network(x, c_noise):
        told.append((x, c_noise))
        return torch.zeros_like(x)

    p = PRECONDITIONINGS["iddpm"]()
    Loss(Design(noise="edm"), 0, 0.5)(Denoiser(network, p), torch.zeros(3000, 8), None, np.arange(3000))
    scaled, c_noise = told[0]
    sigma = p.u[(999 - c_noise).long()]  # y = 0, so c_in·x = c_in·σ·n
    ratio = scaled.double().square().mean(1).sqrt() / (p.c_in(sigma) * sigma)
    assert (sigma > 0).all()
    assert float(ratio.square().mean()) == pytest.approx(1, abs=0.03)


def test_validation_repeats_its_noise_and_splits_as_it_likes():
    exact = GaussianMixture(torch.zeros(1, 2), 0.5)
    y = exact.sample(3000, seed=1)
    sigmas = [0.1, 1.0, 10.0]
    first = per_sigma(exact, y, None, sigmas)
    assert first == pytest.approx(per_sigma(exact, y, None, sigmas, batch=77), rel=1e-6)
    known = [0.25 * s * s / (0.25 + s * s) for s in sigmas]
    assert first == pytest.approx(known, rel=0.05)


def test_what_is_drawn_ahead_is_what_is_drawn_late_and_the_thread_that_trains_draws_nothing(monkeypatch):
    honest, drawn = streams.normals, []

    def watched(seed, purpose, *arguments):
        drawn.append((purpose, threading.current_thread().name.split("_")[0]))
        return honest(seed, purpose, *arguments)

    settings = tiny(batch=32)
    with closing(train(settings)) as events:
        state = next(events).state
        denoiser = Denoiser(state.network, state.header.preconditioning.build(), state.header.shape)
        loss = Loss(settings.design, settings.seed, state.header.sigma_data, Augmentation(settings.design.augment))
        y, labels, numbers = torch.randn(32, *state.header.shape), torch.arange(32) % 10, np.arange(64, 96)
        with torch.no_grad():
            late = loss(denoiser, y, labels, numbers)
            ahead = loss.of(loss.draw(denoiser, numbers, y.shape[1:]))(denoiser, y, labels, numbers)
        assert torch.equal(ahead, late)
        monkeypatch.setattr(streams, "normals", watched)
        assert isinstance(next(events), Step)
    assert set(drawn) == {(streams.Purpose.NOISE, "loader")}
