"""The weight that is learned: u(σ) comes to ln E[λ·‖D − y‖²], and a run with it goes on where it was."""

import pytest
import torch

from edm.files import checkpoints
from edm.objective import WEIGHTS
from edm.training.export import export
from edm.training.loop import train
from edm.training.settings import Training
from edm.training.uncertainty import Uncertainty, balanced


def test_it_comes_to_the_logarithm_of_the_mean_loss():
    """Data ±1 and their exact denoiser, λ of EDM for σ_data = 1: E at σ = 0.3, 0.5, 1, 2 as computed by quadrature."""
    torch.manual_seed(0)
    u, sigma = Uncertainty(), torch.linspace(-0.9, 1.5, 64, dtype=torch.float64).exp()
    nodes = torch.special.ndtri((torch.arange(2000, dtype=torch.float64) + 0.5) / 2000)
    x = 1 + sigma[:, None] * nodes
    error = (torch.tanh(x / sigma[:, None] ** 2) - 1).square().mean(1)
    losses = (WEIGHTS["learned"](sigma, 1.0) * error).float()
    optimizer = torch.optim.Adam(u.parameters(), 0.1)
    for step in range(600):
        optimizer.param_groups[0]["lr"] = 0.1 * (1 - step / 600)
        optimizer.zero_grad()
        balanced(losses, u(sigma)).mean().backward()
        optimizer.step()
    learned = u(torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64)).exp()
    assert learned.tolist() == pytest.approx([0.343, 0.899, 0.995], rel=0.06)


def test_the_losses_are_told_as_they_are():
    losses, u = torch.tensor([0.5, 2.0], requires_grad=True), torch.tensor([0.3, -1.0], requires_grad=True)
    told = balanced(losses, u)
    assert told.tolist() == losses.tolist()
    told.sum().backward()
    assert losses.grad is not None and u.grad is not None
    torch.testing.assert_close(losses.grad, (-u).exp().detach())
    torch.testing.assert_close(u.grad, 1 - (losses * (-u).exp()).detach())


def _settings(**more):
    small = {"architecture": {"channels": 16, "blocks": 1}, "batch": 32, "samples": 1, "validation": 16}
    return Training(data={"dataset": "two_moons"}, design={"weight": "learned"}, images=256, **small, **more)


def test_a_run_that_goes_on_is_the_run_that_was_not_interrupted(tmp_path):
    def states(settings, resume=None):
        return [event.state for event in train(settings, resume=resume) if hasattr(event, "state")]

    whole = states(_settings())[-1]
    *_, half = states(_settings().changed(images=128))
    half.save(tmp_path / "half.safetensors")
    resumed = states(_settings(), resume=tmp_path / "half.safetensors")[-1]
    for name, parameter in whole.trained.items():
        assert torch.equal(parameter, resumed.trained[name]), name
    assert any(name.startswith("uncertainty") and parameter.any() for name, parameter in whole.trained.items())


def test_the_file_of_a_model_knows_nothing_of_it(tmp_path):
    *_, state = (event.state for event in train(_settings()) if hasattr(event, "state"))
    state.save(tmp_path / "a.safetensors")
    export(tmp_path / "a.safetensors", tmp_path / "model.safetensors")
    denoiser = checkpoints.load(tmp_path / "model.safetensors")
    assert denoiser(torch.zeros(2, 2), 1.0).shape == (2, 2)
