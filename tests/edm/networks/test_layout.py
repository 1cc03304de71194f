"""Images stay in channels-last memory on a GPU: what is not turned round need not be turned back."""

import collections

import pytest
import torch
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
    """counted: the operations that return images in another memory layout than they are given."""

    def __init__(self):
        super().__init__()
        self.counted = collections.Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        turned = not func.is_view and layouts(made) and layouts((args, kwargs)) - layouts(made)
        if turned or func is torch.ops.aten.native_group_norm.default:  # a GPU's turns what is channels-last
            self.counted[str(func)] += 1
        return made


@pytest.mark.parametrize("name", [name for name, network in networks.NETWORKS.items() if network.images])
def test_on_a_gpu_only_what_comes_in_is_turned(name):
    sizes = {"channels": 16, "channel_mult": (1, 2), "blocks": 1, "attention": (8,)}
    network = networks.build(name, in_channels=3, resolution=16, **sizes)
    x, c_noise, told = torch.randn(2, 3, 16, 16), torch.zeros(2), []
    expected = network(x, c_noise)
    for norm in network.modules():
        if isinstance(norm, torch.nn.GroupNorm):
            norm.register_forward_hook(lambda norm, given, made: told.append((layouts(given), layouts(made))))
    with pretended.gpu() as gpu, Turned() as turned:
        made = network.to(gpu.device)(x.to(gpu.device), c_noise.to(gpu.device))
        assert layouts(made) == {True}
        torch.testing.assert_close(made.cpu(), expected, rtol=1e-4, atol=1e-6)
    assert told
    assert all(given == made == {True} for given, made in told)
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
