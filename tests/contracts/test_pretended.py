"""The pretended GPU of the tests does what a GPU does: it refuses to mix, and tells what the host waits for."""

import copy
import threading

import numpy as np
import pytest
import torch

from tests import pretended


def kinds(gpu):
    """What the host waited for since it was last asked."""
    found = {what.partition(" @ ")[0]: count for what, count in gpu.waits.items()}
    gpu.clear()
    return found


def test_numbers_are_those_of_the_cpu_and_stay_on_the_device():
    with pretended.gpu(2) as gpu:
        for device in gpu.devices:
            one = torch.ones(2, device=device)
            made = [make([1.0, 2.0], device=device) for make in (torch.tensor, torch.as_tensor, one.new_tensor)]
            made += [torch.arange(1.0, 3, device=device), torch.linspace(1, 2, 2, device=device), one.cumsum(0)]
            made += [
                torch.full((2,), 1.0, device=device) + torch.eye(2, device=device)[1],
                torch.arange(1.0, 3).to(device),
            ]
            assert {tensor.device for tensor in made} == {device}
            assert [tensor.tolist() for tensor in made] == [[1, 2]] * len(made)
            assert copy.deepcopy(made[0]).device == device


def test_tensors_of_two_devices_do_not_mix():
    with pretended.gpu(2) as gpu:
        here, (first, second) = torch.ones(2), (torch.ones(2, device=device) for device in gpu.devices)
        for one, other in ((here, first), (first, here), (first, second)):
            with pytest.raises(pretended.Mixed, match=r"test_pretended\.py"):
                one + other
            with pytest.raises(pretended.Mixed):
                torch.stack([one, other])
        with pytest.raises(pretended.Mixed):
            here[torch.tensor([0], device=gpu.device)]
        with pytest.raises(pretended.Mixed):
            torch.stack([first[0], here[0]])
        with pytest.raises(RuntimeError, match="ordinal"):
            here.to("pretend:2")
        assert (first * here[0]).tolist() == [1, 1]  # a number of the CPU goes along
        assert first.to(second.device).device == second.device
        with pytest.raises(TypeError, match=r"Tensor\.cpu"):
            np.asarray(first)


WAITS = {
    "item": lambda x: float(x.sum()),
    "equal": lambda x: torch.equal(x, x),
    "nonzero": lambda x: x.nonzero(),
    "mask": lambda x: x[x > 1],
    "unique": lambda x: x.unique(),
    "index on the CPU": lambda x: x[torch.tensor([0])],
    "D2H": lambda x: x.tolist(),
    "H2D": lambda x: x.copy_(torch.ones(3)),
    "linalg": lambda x: torch.linalg.eigh(torch.diag(x)),
    "H2D of memory that is not pinned": lambda x: torch.ones(3).to(x.device, non_blocking=True),
    "D2H of memory that is not pinned": lambda x: torch.ones(3).copy_(x, non_blocking=True),
}
FREE = {
    "arithmetic": lambda x: (x * 2 - x.mean()).clamp(min=0).softmax(0),
    "places": lambda x: x[torch.arange(2, device=x.device)],
    "a number for what a mask chooses": lambda x: x.__setitem__(x > 1, 0.0),
    "made there": lambda x: torch.full((3,), 0.5, device=x.device) + torch.randn(3, device=x.device),
    "pinned": lambda x: torch.ones(3).pin_memory()[:2].to(x.device, non_blocking=True),
}


def test_what_the_host_waits_for_is_counted_with_its_line():
    with pretended.gpu() as gpu:
        x = torch.arange(3.0).to(gpu.device)
        gpu.clear()
        for kind, ask in WAITS.items():
            ask(x)
            line = next(iter(gpu.waits), f"{kind} is not waited for")
            assert line.startswith(f"{kind} @ tests/contracts/test_pretended.py:") and "lambda x:" in line
            assert kinds(gpu).keys() == {kind}
        for ask in FREE.values():
            ask(x)
            assert not kinds(gpu)


def test_copies_are_counted_and_come_back_when_they_are_waited_for():
    with pretended.gpu() as gpu:
        x = torch.ones(3).pin_memory().to(gpu.device, non_blocking=True)
        back = torch.empty(3, pin_memory=True).copy_(x, non_blocking=True)
        again = x.to("cpu", non_blocking=True)
        assert (gpu.copies, gpu.moved) == ({"H2D": 1, "D2H": 2}, {"H2D": 12, "D2H": 24})
        assert back.isnan().all() and again.isnan().all() and not gpu.waits
        torch.Event(gpu.device).synchronize()
        assert back.tolist() == again.tolist() == [1, 1, 1] and kinds(gpu) == {"event": 1}


def test_float64_is_forbidden_where_the_device_has_none():
    with pretended.gpu(no_float64=True) as gpu:
        x = torch.ones(2, device=gpu.device)
        for ask in (x.double, lambda: torch.ones(2).double().to(gpu.device), lambda: x.to(torch.complex128)):
            with pytest.raises(pretended.NoFloat64):
                ask()
        assert (x * torch.tensor(2.0, dtype=torch.float64)).dtype == torch.float32


@pytest.mark.parametrize("optimizer", ["Adam", "SGD"])
def test_it_learns_what_the_cpu_learns(optimizer):
    def learned(device):
        torch.manual_seed(1)
        network = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.SiLU(), torch.nn.Dropout(), torch.nn.Linear(8, 1))
        network.to(device)
        steps = getattr(torch.optim, optimizer)(network.parameters(), 0.1, foreach=True)
        x = torch.randn(4, 2, generator=torch.Generator(device).manual_seed(0), device=device)
        for _ in range(3):
            steps.zero_grad()
            network(x).square().mean().backward()
            steps.step()
        return torch.cat([parameter.detach().flatten().cpu() for parameter in network.parameters()])

    with pretended.gpu() as gpu:
        assert torch.allclose(learned(gpu.device), learned("cpu"), rtol=1e-5, atol=1e-6)


def test_autocast_lowers_products_and_raises_sums():
    with pretended.gpu() as gpu:
        x = torch.ones(2, 2, device=gpu.device)
        layer = torch.nn.Linear(2, 2).to(gpu.device)
        with torch.autocast(gpu.device.type, torch.bfloat16):
            y = layer(x)
            assert (y.dtype, (x @ x).dtype, y.sum().dtype, (y * y).dtype) == (
                *[torch.bfloat16] * 2,
                torch.float32,
                y.dtype,
            )
        y.sum().backward()
        assert layer.weight.grad.dtype == torch.float32 and (x @ x).dtype == torch.float32


def test_other_threads_have_it_too():
    with pretended.gpu() as gpu:
        made = []
        thread = threading.Thread(target=lambda: made.append(torch.tensor([1.0], device=gpu.device).item()))
        thread.start()
        thread.join()
        assert made == [1] and kinds(gpu) == {"H2D": 1, "item": 1}


def test_nothing_is_pretended_outside():
    with pretended.gpu() as gpu:
        device = gpu.device
    with pytest.raises(RuntimeError, match="no device is pretended"):
        torch.ones(1, device=device)
    assert not torch.ones(1).is_pinned()
