"""A GPU that nobody has: tensors whose numbers lie in main memory and whose device reads pretend:0, pretend:1, …

    with pretended.gpu(count=2) as gpu:
        x = torch.randn(3, device=gpu.device)
        x + torch.ones(3)  # raises Mixed
        x.sum().item()  # counted: gpu.waits["item @ edm/training/loop.py:170 if not torch.isfinite(total):"]

It says what a GPU would: tensors of two devices do not mix; the host waits where it asks for a number, for a copy, or
for what a mask chooses; float64 is refused where the device has none, as Apple's MPS. What is copied without blocking,
to or from pinned memory, is not waited for, and what comes back so is not there (but NaN) before the next wait. It
computes what the CPU computes, in every thread. Needs torch's way to write a device in Python, which is experimental:
without it, tests that need it are skipped.
"""

import contextlib
from unittest import mock

import pytest
import torch
from torch.utils import backend_registration

from edm.base import devices
from edm.base.copies import COPIES
from tests.pretended.device import GPU, Mixed, NoFloat64, Pretended, is_ours
from tests.pretended.teaching import Event, Generator, teach

__all__ = ["GPU", "Mixed", "NoFloat64", "Pretended", "gpu"]

MISSING = "this torch cannot pretend a device: it has no _setup_privateuseone_for_python_backend"


@contextlib.contextmanager
def gpu(count=1, no_float64=False):
    """`count` pretended devices, which edm.base.devices knows by their names, until it is left. Yields the `GPU`."""
    if not hasattr(backend_registration, "_setup_privateuseone_for_python_backend"):
        pytest.skip(MISSING)
    teach()
    made = GPU(count, no_float64)
    with contextlib.ExitStack() as stack:
        for place, name, value in replaced(made):
            stack.enter_context(mock.patch.object(place, name, value))
        stack.enter_context(torch.autograd.set_multithreading_enabled(False))  # so that its waits have a line of ours
        for device in made.devices:
            stack.callback(COPIES.forget, device)  # what is kept there for later
        yield made


def replaced(gpu):
    """(module or class, name, what stands there while `gpu` is pretended)."""
    device, empty, tensor, as_tensor = devices.device, torch.empty, torch.tensor, torch.as_tensor

    def known(name="auto"):
        return torch.device(name) if is_ours(name) else device(name)

    def pin_memory(tensor, device=None):
        return gpu.pin(tensor.clone(memory_format=torch.preserve_format))

    def pinned_empty(*args, pin_memory=False, **kwargs):
        return gpu.pin(empty(*args, **kwargs)) if pin_memory else empty(*args, **kwargs)

    def made_here(make):  # torch makes it on a device of its own by a way that Python cannot follow
        def made(data, *, device=None, **kwargs):
            return make(data, **kwargs).to(device) if is_ours(device) else make(data, device=device, **kwargs)

        return made

    return [
        (GPU, "now", gpu),
        (devices, "device", known),
        (torch, "empty", pinned_empty),
        (torch, "tensor", made_here(tensor)),
        (torch, "as_tensor", made_here(as_tensor)),
        (torch, "Event", Event),
        (torch, "Generator", Generator),
        (torch.Tensor, "pin_memory", pin_memory),
        (torch.Tensor, "is_pinned", lambda tensor, device=None: gpu.is_pinned(tensor)),
    ]
