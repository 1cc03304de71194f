"""What torch has to be taught of the device: that there is one, its operations, autocast, generators and events."""

import functools

import torch
from torch.utils import backend_registration

from tests.pretended.device import GPU, TYPE, changed, is_ours

# Makers of tensors that find their size as they go, which a pretended tensor cannot
ARRANGED = ("arange", "arange.start", "arange.start_step", "linspace", "logspace", "eye", "eye.m")
DRAWN = ("randperm", "randperm.generator")
# Under autocast, as on CUDA, in its type and in float32; what is not named is computed in the type that it has
PRODUCTS = ("linear", "matmul", "mm", "addmm", "bmm", "baddbmm", "conv1d", "conv2d", "scaled_dot_product_attention")
SUMS = ("group_norm", "layer_norm", "log", "exp", "softmax.int", "mse_loss", "pow.Tensor_Scalar", "sum")


@functools.cache
def teach():
    """Once in a process. Returns the libraries of operations, which have to be kept."""
    backend_registration._setup_privateuseone_for_python_backend(TYPE, Module())
    every, named = torch.library.Library("_", "IMPL"), torch.library.Library("aten", "IMPL")
    every.fallback(run, "PrivateUse1")
    every.fallback(torch.library.fallthrough_kernel, "AutocastPrivateUse1")
    for name in (*ARRANGED, *DRAWN):
        named.impl(name, functools.partial(run, operation(name)), "PrivateUse1")
    for name in (*PRODUCTS, *SUMS):
        named.impl(name, functools.partial(cast, operation(name), name in SUMS), "AutocastPrivateUse1")
    return every, named


def run(func, *args, **kwargs):
    return GPU.present().run(func, args, kwargs)


def operation(name):
    name, _, overload = name.partition(".")
    return getattr(getattr(torch.ops.aten, name), overload or "default")


def cast(func, raised, *args, **kwargs):
    """The operation under autocast."""
    dtype = torch.float32 if raised else torch.get_autocast_dtype(TYPE)

    def fit(tensor):
        return tensor.to(dtype) if tensor.is_floating_point() else tensor

    done = torch._C.DispatchKeySet(torch._C.DispatchKey.AutocastPrivateUse1)
    with torch._C._ExcludeDispatchKeyGuard(done):
        args, kwargs = changed((args, kwargs), fit)
        return func(*args, **kwargs)


class Module:
    """What torch asks of torch.pretend."""

    def is_initialized(self):
        return True

    def is_available(self):
        return GPU.now is not None

    def device_count(self):
        return GPU.now.count if GPU.now else 0

    def current_device(self):
        return 0

    def _is_in_bad_fork(self):
        return False

    def manual_seed_all(self, seed):
        pass  # its random numbers are the CPU's

    def get_rng_state(self, device=None):
        return torch.get_rng_state()

    def set_rng_state(self, state, device=None):
        torch.set_rng_state(state)

    def get_amp_supported_dtype(self):
        return [torch.bfloat16, torch.float16]

    def synchronize(self, device=None):
        GPU.present().wait("synchronize")


class Generator(torch.Generator):
    """torch.Generator, on a pretended device too, whose random numbers are the CPU's."""

    def __new__(cls, device="cpu"):
        made = super().__new__(cls, "cpu" if is_ours(device) else device)
        made.place = torch.device(device)
        return made

    @property
    def device(self):
        return self.place


class Event:
    """torch.Event, of copies that do not block."""

    def __init__(self, device=None, **kwargs):
        self.device = device

    def record(self, stream=None):
        pass

    def wait(self, stream=None):
        pass

    def query(self):
        GPU.present().arrive()
        return True

    def synchronize(self):
        GPU.present().wait("event")
