"""Sampling never waits for the GPU: what the host knows it works out itself, and what it sends goes in its turn."""

import copy
from unittest import mock

import pytest
import torch

import edm
from edm import networks, runner
from edm.preconditioning import PRECONDITIONINGS, Denoiser
from edm.sampling import pace
from edm.sampling.compiling import compiled
from edm.sampling.denoisers import Around, on
from edm.schedules import SCALINGS, SCHEDULES
from edm.solvers import SOLVERS
from edm.timesteps import DISCRETIZATIONS
from tests import pretended

EDM = PRECONDITIONINGS["edm"]
PLAIN = edm.Sampling(steps=18)
SETTINGS = [
    PLAIN,
    *(edm.Sampling(solver=solver, steps=3, S_churn=1) for solver in SOLVERS),
    *(edm.Sampling(discretization=name, steps=2) for name in DISCRETIZATIONS),
    *(edm.Sampling(schedule=name, scaling=scaling, steps=2) for name in SCHEDULES for scaling in SCALINGS),
]


def point_network(classes=0):
    return networks.build("mlp", in_channels=2, out_channels=2, channels=8, blocks=1, classes=classes)


def sampled(denoiser, device, sampling, labels=None, count=3):
    z = edm.latents(edm.seeds(1, count), denoiser.shape, device=device)
    return edm.last(edm.sample(denoiser, z, sampling, labels, seeds=edm.seeds(1, count)))


@pytest.mark.parametrize("sampling", SETTINGS, ids=lambda s: str(s.document()))
@pytest.mark.parametrize("name", PRECONDITIONINGS)
def test_no_solver_schedule_or_preconditioning_waits_and_samples_are_those_of_the_cpu(name, sampling):
    torch.manual_seed(0)
    denoiser = Denoiser(point_network(), PRECONDITIONINGS[name](), (2,))
    torch.nn.init.normal_(denoiser.network.out.weight)
    with pretended.gpu() as gpu:
        there = on(denoiser, gpu.device)
        gpu.clear()
        end = sampled(there, gpu.device, sampling)
        assert not gpu.waits and not gpu.copies["D2H"]
        assert end.x.device == gpu.device
        assert torch.equal(end.x.cpu(), sampled(denoiser, "cpu", sampling).x)


@pytest.mark.parametrize("sigma", [0.3, torch.tensor(0.3), torch.tensor([0.3]), torch.tensor([0.1, 0.3, 2.0])])
@pytest.mark.parametrize("name", PRECONDITIONINGS)
def test_a_level_from_the_host_is_not_waited_for_nor_is_one_on_the_gpu(name, sigma):
    denoiser = Denoiser(point_network(), PRECONDITIONINGS[name](), (2,))
    x = torch.ones(3, 2)
    with pretended.gpu() as gpu:
        there, x_there = on(denoiser, gpu.device), torch.ones(3, 2, device=gpu.device)
        on_gpu = sigma.to(gpu.device) if isinstance(sigma, torch.Tensor) else sigma
        gpu.clear()
        given = [there(x_there, level) for level in (sigma, on_gpu)]
        assert not gpu.waits
        for one in given:
            torch.testing.assert_close(one.cpu(), denoiser(x, sigma), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("labels", [[0, 2, -1], torch.tensor([0, 2, -1])])
def test_classes_from_the_host_are_looked_at_there_and_then_sent(labels):
    denoiser = Denoiser(point_network(3), PRECONDITIONINGS["edm"](), (2,), classes=3)
    with pretended.gpu() as gpu:
        there = Around(on(denoiser, gpu.device))
        gpu.clear()
        end = sampled(there, gpu.device, PLAIN, labels)
        assert not gpu.waits and torch.equal(end.x.cpu(), sampled(denoiser, "cpu", PLAIN, labels).x)
        with pytest.raises(ValueError, match="labels contain 3"):
            sampled(there, gpu.device, PLAIN, [0, 1, 3])


def test_noise_comes_for_many_steps_in_one_copy():
    denoiser = Denoiser(point_network(), PRECONDITIONINGS["edm"](), (2,))
    with pretended.gpu() as gpu:
        there, z = on(denoiser, gpu.device), edm.latents([1, 2], (2,), device=gpu.device)
        gpu.clear()
        edm.last(edm.sample(there, z, edm.Sampling(steps=20, S_churn=50), seeds=[1, 2]))
        assert gpu.copies == {"H2D": 1} and not gpu.waits


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_latents_on_the_gpu_are_not_looked_at_whatever_their_type(dtype):
    denoiser, short = Denoiser(point_network(), EDM(), (2,)), edm.Sampling(steps=2, sigma_max=10)
    with pretended.gpu() as gpu:
        there, z = on(denoiser, gpu.device), edm.latents([1, 2], (2,), dtype=dtype, device=gpu.device)
        gpu.clear()
        assert edm.last(edm.sample(there, z, short)).x.dtype == dtype and not gpu.waits
        with pytest.raises(ValueError, match="hold numbers up to 65504"):
            edm.sample(there, z.half(), short.changed(sigma_max=70_000))


@pytest.mark.parametrize("name", ["digits_edm", "digits_iddpm", "spiral_mlp", "digits"])
def test_an_experiment_waits_at_its_end_only(name):
    experiment = edm.Experiment(model=name, count=2, sampling=edm.Sampling(steps=2, S_churn=1))
    with pretended.gpu() as gpu:
        on(edm.models.load(name).denoiser, gpu.device)
        gpu.clear()
        *_, end = runner.states(experiment, gpu.device)
        assert sum(gpu.waits.values()) == 1, gpu.waits  # whether all is finite, of what is shown
        torch.testing.assert_close(end.x.cpu(), edm.last(runner.states(experiment)).x, rtol=1e-3, atol=1e-2)


class Mark:
    """Stands for torch.cuda.Event, and notes what happens."""

    def __init__(self, log):
        self._log = log

    def record(self, stream):
        self.number = sum(one[0] == "mark" for one in self._log)
        self._log.append(("mark", self.number))

    def synchronize(self):
        self._log.append(("wait", self.number))


def test_the_host_is_so_many_evaluations_ahead_of_a_gpu_and_no_more(monkeypatch):
    log, run = [], pace.Pace()
    monkeypatch.setattr(torch.cuda, "Event", lambda blocking: Mark(log))
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: None)
    for number in range(1, 40):
        run.keep(torch.device("cuda:0"))
        log.append(("asked", number))
        passed = max((mark + 1 for what, mark in log if what == "wait"), default=0) * pace.EVERY
        assert number - passed <= pace.EVERY * (pace.BEHIND + 1)
    assert [one for one in log if one[0] == "wait"] == [("wait", k) for k in range(39 // pace.EVERY - pace.BEHIND)]
    before = len(log)
    pace.Pace().keep(torch.device("cpu"))
    assert len(log) == before


def test_a_network_that_cannot_be_compiled_is_called_as_it_is_and_that_is_said(caplog):
    denoiser = Denoiser(point_network(), PRECONDITIONINGS["edm"](), (2,))
    x, modes = torch.ones(3, 2), []

    def broken(network, mode):
        modes.append(mode)
        return mock.Mock(side_effect=RuntimeError("no compiler"))

    with mock.patch.object(torch, "compile", broken):
        made = compiled(Around(denoiser))
        assert torch.equal(made(x, 1.0), denoiser(x, 1.0)) and torch.equal(made(x, 2.0), denoiser(x, 2.0))
        assert torch.equal(copy.deepcopy(made)(x, 1.0), denoiser(x, 1.0)) and modes == [None, None]
    assert type(on(made, "meta").inner.network) is type(made.inner.network) and caplog.text.count("no compiler") == 2
    with mock.patch.object(
        torch, "compile", lambda network, mode: lambda *given, **named: 2 * network(*given, **named)
    ):
        assert torch.equal(compiled(denoiser)(x, 1.0), Denoiser(lambda *g: 2 * denoiser.network(*g), EDM())(x, 1.0))


def test_nothing_that_is_sampled_is_rounded_to_tf32():
    seen = []

    def network(x, c_noise):
        seen.append(torch.backends.cudnn.conv.fp32_precision)
        return x

    with pretended.gpu() as gpu:
        before = torch.backends.cudnn.conv.fp32_precision
        sampled(Denoiser(network, EDM(), (2,)), gpu.device, edm.Sampling(steps=2))
        assert set(seen) == {"ieee"} and torch.backends.cudnn.conv.fp32_precision == before
