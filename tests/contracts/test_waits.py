"""How often the host waits for a GPU, here a pretended one, and where: sampling does for what is shown, and no more."""

import pytest

import edm
from edm import data, models, networks
from edm.diagnostics import Shared
from edm.experiments import runner
from edm.experiments.experiment import Experiment
from edm.files.render import picture
from edm.preconditioning import PRECONDITIONINGS
from edm.sampling.denoisers import on
from edm.solvers import SOLVERS
from tests import pretended
from tests.contracts.test_devices import mixture, network


def run(gpu, denoiser, settings, shape, labels=None):
    """The last state of three samples that begin on the device."""
    there, seeds = on(denoiser, gpu.device), edm.seeds(settings.seed, 3)
    latents = edm.latents(seeds, shape, device=gpu.device)
    gpu.clear()
    return edm.last(edm.sample(there, latents, settings, labels, seeds=seeds))


@pytest.mark.parametrize("pre", PRECONDITIONINGS)
@pytest.mark.parametrize("name", networks.NETWORKS)
def test_sampling_with_a_network_waits_for_nothing(name, pre):
    with pretended.gpu() as gpu:
        denoiser = network(name, pre, classes=3)
        end = run(gpu, denoiser, edm.Sampling(steps=3, S_churn=1.0), denoiser.shape, [0, 2, 1])
        assert end.x.device == gpu.device and not gpu.waits


@pytest.mark.parametrize("name", ["two_diracs", "pinwheel", "digits"])
def test_sampling_with_an_exact_denoiser_waits_for_nothing(name):
    dataset = data.load(name)
    with pretended.gpu() as gpu:
        run(gpu, dataset.denoiser, edm.Sampling(steps=2), dataset.shape, [0, 1, 2] if dataset.classes else None)
        assert not gpu.waits


@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver_waits_for_nothing(solver):
    with pretended.gpu() as gpu:
        for churn in (0.0, 1.0):
            run(gpu, mixture(), edm.Sampling(solver=solver, steps=4, S_churn=churn), (2,))
        assert not gpu.waits


def test_a_denoiser_that_remembers_waits_for_a_few_bytes_at_each_call():
    with pretended.gpu() as gpu:
        end = run(gpu, Shared(mixture().to(gpu.device)), edm.Sampling(steps=3), (2,))
        assert gpu.waits.total() <= end.evaluations and gpu.moved["D2H"] <= 64 * end.evaluations


@pytest.mark.parametrize("name", ["two_moons", "spiral_mlp", "digits_edm"])
def test_an_experiment_waits_for_its_picture(name):
    experiment = Experiment.parse({"model": name, "count": 3, "sampling": {"steps": 3}})
    with pretended.gpu() as gpu:
        on(models.load(name).denoiser, gpu.device)
        gpu.clear()
        states = list(runner.states(experiment, gpu.device))
        assert sum(count for where, count in gpu.waits.items() if "isfinite" not in where) == 0, gpu.waits
        assert gpu.waits.total() <= 1  # whether the samples are finite
        gpu.clear()
        picture(models.load(name), states)
        assert gpu.copies == {"D2H": 1}
