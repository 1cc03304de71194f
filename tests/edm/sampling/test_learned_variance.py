"""Ancestral steps with the variance that a network has learned: guided-diffusion's, in the library's variables."""

import math

import pytest
import torch

import edm
from edm import respacing
from edm.preconditioning import PRECONDITIONINGS, Denoiser
from edm.sampling.clipping import Clipped
from edm.sampling.denoisers import Around
from edm.solvers.stochastic import bounds
from tests.adm import DIFFUSION

STEPS = [step for step in DIFFUSION["steps"] if step["sigma_next"] > 0]


def row(values):
    return torch.tensor(values, dtype=torch.float64).view(1, -1)


def taken(step, lead=lambda denoiser: denoiser, labels=None, **settings):
    """(the state after a golden step in the golden's scaled variables, the noise levels). lead: what guides D, which
    is clipped."""
    times = respacing.table(step["schedule"] == "cosine")
    later = float(times[abs(times - step["sigma_next"]).argmin()])
    sigma = float(times[step["timestep"]])
    output = row([*step["network_output"]])
    name = "adm_linear" if step["schedule"] == "linear" else "iddpm"
    denoiser = lead(Clipped(Denoiser(lambda x, c_noise, **_: output, PRECONDITIONINGS[name]())))
    levels = (min(sigma, denoiser.sigma_max), later)
    sampling = edm.Sampling(sigmas=levels, **settings)
    x = row(step["x_scaled"]) * math.sqrt(1 + sigma**2)
    states = edm.sample(denoiser, None, sampling, labels, noise=lambda k, x: row(step["z"]), begin=(0, x))
    next(states)
    return next(states).x / math.sqrt(1 + later**2)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step['schedule']}-{step['respacing']}-{step['index']}")
def test_steps_are_the_golden_ones(step):
    rtol = 1e-7 if step["schedule"] == "linear" else 5e-4  # iDDPM's levels are float32 in published models
    tolerance = {"rtol": rtol, "atol": rtol}
    torch.testing.assert_close(
        taken(step, solver="euler_ancestral", variant="learned"), row(step["ancestral"]), **tolerance
    )
    for eta, name in ((0.0, "ddim_eta_0"), (0.5, "ddim_eta_half")):
        torch.testing.assert_close(taken(step, solver="ddim", eta=eta), row(step[name]), **tolerance)
        torch.testing.assert_close(taken(step, solver="euler_ancestral", eta=eta), row(step[name]), **tolerance)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step['schedule']}-{step['respacing']}-{step['index']}")
def test_guidance_is_added_to_the_clipped_d_and_is_not_clipped_again(step):
    def log_probability(x, sigma):
        """Of the only class, with the golden gradient in x."""
        lean = (x * row(step["classifier_gradient_scaled"])).sum(1, keepdim=True) / math.sqrt(1 + float(sigma) ** 2)
        return lean - lean.detach()

    found = taken(step, lambda d: edm.guidance.classifier(d, log_probability, 1.0), [0], solver="ddim", eta=0.0)
    rtol = 1e-7 if step["schedule"] == "linear" else 5e-4
    torch.testing.assert_close(found, row(step["ddim_guided"]), rtol=rtol, atol=rtol)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step['schedule']}-{step['respacing']}-{step['index']}")
def test_the_variance_lies_between_its_two_bounds_as_the_network_says(step):
    low, high = bounds(step["sigma"], step["sigma_next"])
    v = row(step["network_output"][6:])
    variance = (1 + v) / 2 * high + (1 - v) / 2 * low - math.log(1 + step["sigma_next"] ** 2)
    torch.testing.assert_close(variance, row(step["log_variance"]), rtol=1e-7, atol=1e-9)


SAMPLING = edm.Sampling(solver="euler_ancestral", variant="learned", steps=5, discretization="adm_linear")
LATENTS = edm.latents(edm.seeds(0, 4), (2,))


class Network:
    """F of points with a variance, which counts its calls. v: what it tells of that; None: nothing."""

    def __init__(self, v=0.3):
        self.v, self.calls = v, 0

    def parameters(self):
        return iter(())

    buffers = parameters

    def __call__(self, x, c_noise, labels=None):
        self.calls += 1
        told = torch.tanh(x) + (0 if labels is None else (labels >= 0).view(-1, 1) * 0.1)
        return told if self.v is None else torch.cat([told, self.v * torch.cos(x)], dim=1)


def drawn(denoiser, **settings):
    states = edm.sample(denoiser, LATENTS, SAMPLING.changed(**settings), [0, 1, 0, 1], seeds=edm.seeds(0, 4))
    return edm.last(states).x


def model(v=0.3):
    return Denoiser(Network(v), PRECONDITIONINGS["adm_linear"](), (2,), 2)


def test_the_variance_is_heard_with_the_evaluation_that_a_step_makes_anyway():
    denoiser = model()
    alone = drawn(denoiser)
    assert denoiser.network.calls == SAMPLING.steps
    assert not torch.equal(alone, drawn(denoiser, variant="lower"))

    class Halves(Around):
        """Asks for the rows of a batch in two parts, the later ones first."""

        def __call__(self, x, sigma, labels=None):
            later, first = slice(2, 4), slice(0, 2)
            parts = [self.part(rows).inner(x[rows], sigma, labels[rows]) for rows in (later, first)]
            return torch.cat(parts[::-1])

    for around in (Around, Halves, edm.diagnostics.Shared, lambda inner: edm.guidance.free(inner, 1.0)):
        assert torch.equal(drawn(around(denoiser)), alone)
    guided = drawn(edm.guidance.free(denoiser, 2.0))
    assert guided.shape == alone.shape and not torch.equal(guided, alone)


def test_without_a_learned_variance_it_is_the_lower_bound_s():
    for v in (None, 0.3):
        assert torch.equal(drawn(model(v), variant="lower"), drawn(model(v), solver="ddim", variant=None))
    assert torch.equal(drawn(model(None)), drawn(model(None), variant="lower"))
    assert torch.equal(drawn(model(), eta=0.0), drawn(model(), solver="ddim", variant=None, eta=0.0))


def test_a_v_of_one_is_the_upper_bound_and_of_minus_one_the_lower():
    class Ends(Network):
        def __call__(self, x, c_noise, labels=None):
            out = super().__call__(x, c_noise, labels)
            out[:, 2:] = self.v
            return out

    for v, bound in ((1.0, "upper"), (-1.0, "lower")):
        denoiser = Denoiser(Ends(v), PRECONDITIONINGS["adm_linear"](), (2,), 2)
        torch.testing.assert_close(drawn(denoiser), drawn(denoiser, variant=bound), rtol=1e-5, atol=1e-5)
