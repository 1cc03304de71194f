"""L_vlb and L_hybrid: closed forms, what teaches what, and runs whose networks learn their variance."""

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

import edm
from edm import respacing, timesteps
from edm.objective import Design
from edm.preconditioning import PRECONDITIONINGS, Denoiser
from edm.training import variational
from edm.training.events import Checkpoint
from edm.training.loss import Loss

ADM = PRECONDITIONINGS["adm_linear"]()
Y = torch.tensor([[0.3, -0.7], [0.1, 0.9]], dtype=torch.float64)


def told(*times):
    sigma = torch.from_numpy(respacing.table(False)[[*times]])
    return sigma, variational.drawn(ADM, sigma)


def test_the_bound_is_the_divergence_of_the_two_steps():
    sigma, drawn = told(400, 7)
    denoised, v = Y + torch.tensor([[0.05, -0.02], [0.001, 0.0]]), torch.tensor([[0.2, -0.4], [1.3, -1.1]]).double()
    found = variational.bound(denoised, v, Y, sigma, drawn)
    for b, t in enumerate((400, 7)):
        high, low = (float(respacing.table(False)[k]) for k in (t, t - 1))
        # in the network's variables: β, β̃ and x/√(1 + σ²) of guided-diffusion
        alphas = [1 / (1 + level**2) for level in (high, low)]
        beta = 1 - alphas[0] / alphas[1]
        least = beta * (1 - alphas[1]) / (1 - alphas[0])
        variance = torch.exp((1 + v[b]) / 2 * math.log(beta) + (1 - v[b]) / 2 * math.log(least))
        share = math.sqrt(alphas[1]) * beta / (1 - alphas[0])
        true, model = Normal(share * Y[b], math.sqrt(least)), Normal(share * denoised[b], variance.sqrt())
        assert float(found[b]) == pytest.approx(float(kl_divergence(true, model).mean()) / math.log(2), rel=1e-6)


def test_the_last_step_is_a_likelihood():
    sigma, drawn = told(0)
    low, high = (math.sqrt(float(drawn[name][0].exp())) for name in ("lower", "upper"))
    first, second = respacing.table(False)[:2]
    assert high == pytest.approx(first / math.sqrt(1 + first**2))
    assert low == pytest.approx(math.sqrt(first**2 * (second**2 - first**2) / second**2 / (1 + first**2)))
    points = variational.bound(Y[:1] + 0.01, torch.ones(1, 2).double(), Y[:1], sigma, drawn)
    nats = -Normal(Y[:1] + 0.01, high).log_prob(Y[:1]).mean()
    assert float(points) == pytest.approx(float(nats) / math.log(2), rel=1e-9)
    image = (torch.arange(256, dtype=torch.float64) / 127.5 - 1).view(256, 1, 1, 1)
    levels, drawn = sigma.expand(256), {name: value.expand(256) for name, value in drawn.items()}
    right = variational.bound(image.new_full((256, 1, 1, 1), 0.2), None, image, levels, drawn)
    assert float(torch.exp2(-right).sum()) == pytest.approx(1, abs=1e-6)  # the cells are all there is


def test_without_a_variance_it_is_the_weighted_error():
    """At the lower bound the divergence is ½(1/τ² − 1/σ²)·‖D − y‖²: VDM's, and the curve of the weight."""
    sigma = torch.from_numpy(timesteps.iddpm_u()[[400, 600]].copy())
    drawn = variational.drawn(PRECONDITIONINGS["iddpm"](), sigma)
    found = variational.STEPS * variational.bound(Y + 0.1, None, Y, sigma, drawn)
    expected = edm.objective.WEIGHTS["vlb"](sigma, 0.5) * 0.1**2
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=0)


class Told:
    """F that tells the parameters `mean` and `v` for every sample."""

    def __init__(self):
        self.mean, self.v = (torch.full((1, 2), value, requires_grad=True) for value in (0.1, 0.2))

    def __call__(self, x, c_noise):
        return torch.cat([self.mean, self.v], 1).expand(len(x), -1)


@pytest.mark.parametrize("weight", ["simple", "hybrid", "vlb"])
def test_in_l_hybrid_the_bound_teaches_the_variance_alone(weight):
    network = Told()
    loss = Loss(Design(preconditioning="adm_linear", noise="adm_linear", weight=weight), 0, 0.5)
    losses = loss(Denoiser(network, ADM, (2,)), Y.float(), None, range(2))
    assert losses.shape == (2,) and losses.isfinite().all()
    mean, v = torch.autograd.grad(losses.sum(), (network.mean, network.v), allow_unused=True, materialize_grads=True)
    assert bool(v.abs().sum() > 0) == (weight != "simple")
    simple = Loss(Design(preconditioning="adm_linear", noise="adm_linear", weight="simple"), 0, 0.5)
    (alone,) = torch.autograd.grad(simple(Denoiser(network, ADM, (2,)), Y.float(), None, range(2)).sum(), network.mean)
    assert torch.equal(mean, alone) == (weight != "vlb")


def test_a_run_learns_a_variance_and_its_samples_use_it(tmp_path):
    training = edm.Training(
        data={"dataset": "two_moons"}, images=64, batch=32, tick=64, checkpoint=64, samples=2, validation=4,
        architecture={"channels": 8, "blocks": 1},
        design={"preconditioning": "adm_linear", "noise": "adm_linear", "weight": "hybrid"},
    )  # fmt: skip
    for event in edm.train(training):
        if isinstance(event, Checkpoint):
            event.state.save(tmp_path / "000064.safetensors")
    denoiser = edm.load(tmp_path / "000064.safetensors")
    assert denoiser.header.network.out_channels == 4
    sampling = edm.Sampling(solver="euler_ancestral", variant="learned", discretization="adm_linear", steps=6)
    drawn = [
        edm.last(edm.sample(denoiser, edm.latents([1, 2], (2,)), changed, seeds=[1, 2])).x
        for changed in (sampling, sampling.changed(variant="lower"))
    ]
    assert drawn[0].isfinite().all() and not torch.equal(*drawn)
