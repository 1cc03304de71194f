"""Images stay in channels-last memory on a GPU: what is not turned round need not be turned back."""

import collections

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from edm import networks
from edm.networks.blocks import GroupNorm
from tests import pretended

LAST = torch.channels_last


def layouts(things):
    """Of images: True for those in channels-last memory, False for others; what is both says nothing."""
    images = [t for t in tree_leaves(things) if isinstance(t, torch.Tensor) and t.ndim == 4]
    found = {(t.is_contiguous(), t.is_contiguous(memory_format=LAST)) for t in images}
    return {last for plain, last in found if plain != last}


class Turned(TorchDispatchMode):
    """counted: the operations that are given images of another memory layout than they return."""

    def __init__(self):
        super().__init__()
        self.counted = collections.Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        if not func.is_view and layouts(made) and layouts((args, kwargs)) - layouts(made):
            self.counted[str(func)] += 1
        return made


@pytest.mark.parametrize("name", [name for name, network in networks.NETWORKS.items() if network.images])
def test_on_a_gpu_only_what_comes_in_is_turned(name):
    sizes = {"channels": 32, "channel_mult": (1, 2), "blocks": 1, "attention": (8,)}
    network = networks.build(name, in_channels=3, resolution=16, **sizes)
    norms = [module for module in network.modules() if isinstance(module, torch.nn.GroupNorm)]
    kept = []
    for norm in norms:
        norm.register_forward_hook(lambda norm, given, made: kept.append(made.is_contiguous(memory_format=LAST)))
    with FakeTensorMode(allow_non_fake_inputs=True) as mode, torch.no_grad():
        own = dict([*network.named_parameters(), *network.named_buffers()])
        moved = {name: mode.from_tensor(tensor.detach()).to("cuda") for name, tensor in own.items()}
        x, c_noise = torch.empty(2, 3, 16, 16, device="cuda"), torch.empty(2, device="cuda")
        with Turned() as turned:
            made = torch.func.functional_call(network, moved, (x, c_noise))
    assert made.is_contiguous(memory_format=LAST)
    assert len(kept) == len(norms)
    assert all(kept)
    entrances = 2 if name == "ncsnpp" else 1  # its pyramid sees the images, too
    assert turned.counted == {"aten.convolution.default": entrances}


@pytest.mark.parametrize(
    ("dtype", "tolerance"),
    [(torch.float32, 1e-6), (torch.float64, 1e-14), (torch.bfloat16, 4e-3), (torch.float16, 5e-4)],
    ids=str,
)
def test_the_norm_of_a_gpu_is_the_norm_of_the_cpu(dtype, tolerance):
    torch.manual_seed(0)
    exact = torch.nn.GroupNorm(4, 16, 1e-6).double()
    for parameter in exact.parameters():
        torch.nn.init.normal_(parameter)
    norm = GroupNorm(4, 16, 1e-6).to(dtype if dtype == torch.float64 else torch.float32)
    norm.load_state_dict(exact.state_dict())
    x, dy = ((torch.randn(3, 16, 6, 5) * 2 + 3).to(dtype).to(memory_format=LAST) for _ in range(2))

    def results(norm, x, dy):
        x = x.detach().requires_grad_()
        y = norm(x)
        y.backward(dy)
        assert x.grad.is_contiguous(memory_format=LAST)
        assert y.is_contiguous(memory_format=LAST)
        assert y.dtype == x.dtype
        return [tensor.detach().cpu().double() for tensor in (y, x.grad, norm.weight.grad, norm.bias.grad)]

    expected = results(exact, x.double(), dy.double())
    with pretended.gpu() as gpu:
        found = results(norm.to(gpu.device), x.to(gpu.device), dy.to(gpu.device))
    for one, other in zip(found, expected, strict=True):
        assert float((one - other).abs().max() / other.abs().max()) < tolerance
