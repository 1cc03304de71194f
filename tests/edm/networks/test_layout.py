"""Images lie in memory as the norms of their device leave them: what is not turned round need not be turned back."""

import pytest
import torch
from torch.utils._pytree import tree_leaves

from edm import networks
from edm.networks import blocks
from edm.networks.blocks import GroupNorm
from tests import pretended

LAST = torch.channels_last


def layouts(things):
    """Of images: True for those in channels-last memory, False for others; what is both says nothing."""
    images = [t for t in tree_leaves(things) if isinstance(t, torch.Tensor) and t.ndim == 4]
    found = {(t.is_contiguous(), t.is_contiguous(memory_format=LAST)) for t in images}
    return {last for plain, last in found if plain != last}


@pytest.mark.parametrize("name", [name for name, network in networks.NETWORKS.items() if network.images])
def test_norms_find_images_as_they_give_them_back_here_and_on_a_gpu(name, monkeypatch):
    monkeypatch.setattr(blocks, "PLAIN", ("pretend",))
    sizes = {"channels": 16, "channel_mult": (1, 2), "blocks": 1, "attention": (8,)}
    network, told = networks.build(name, in_channels=3, resolution=16, **sizes), []
    x, c_noise = torch.randn(2, 3, 16, 16), torch.zeros(2)
    for norm in network.modules():
        if isinstance(norm, torch.nn.GroupNorm):
            norm.register_forward_hook(lambda norm, given, made: told.append((layouts(given), layouts(made))))
    with pretended.gpu() as gpu:
        here = network(x, c_noise)
        assert {(*given, *made) for given, made in told} == {(True, True)}
        told.clear()
        there = network.to(gpu.device)(x.to(gpu.device), c_noise.to(gpu.device))
        assert {(*given, *made) for given, made in told} == {(False, False)}
        torch.testing.assert_close(there.cpu(), here, rtol=1e-4, atol=1e-6)
        told.clear()
        assert torch.equal(network.to("cpu")(x, c_noise), here)
        assert {(*given, *made) for given, made in told} == {(True, True)}


@pytest.mark.parametrize(
    ("dtype", "tolerance"),
    [(torch.float32, 1e-6), (torch.float64, 1e-14), (torch.bfloat16, 4 * 2**-8), (torch.float16, 4 * 2**-11)],
    ids=str,
)
def test_the_norm_of_a_gpu_is_the_norm_of_the_cpu(dtype, tolerance):
    torch.manual_seed(0)
    exact = torch.nn.GroupNorm(4, 16, 1e-6).double()
    for parameter in exact.parameters():
        torch.nn.init.normal_(parameter)
        parameter.data = parameter.data.to(dtype).double()  # it takes them in the type of its images
    norm = GroupNorm(4, 16, 1e-6).to(dtype if dtype == torch.float64 else torch.float32)
    norm.load_state_dict(exact.state_dict())
    x, dy = ((torch.randn(3, 16, 6, 5) * 2 + 3).to(dtype) for _ in range(2))

    def results(norm, x, dy):
        x = x.detach().requires_grad_()
        y = norm(x)
        y.backward(dy)
        assert y.dtype == x.dtype
        return [tensor.detach().cpu().double() for tensor in (y, x.grad, norm.weight.grad, norm.bias.grad)]

    expected = results(exact, x.double(), dy.double())
    with pretended.gpu() as gpu:
        found = results(norm.to(gpu.device), x.to(gpu.device), dy.to(gpu.device))
    apart = [float((one - other).abs().max() / other.abs().max()) for one, other in zip(found, expected, strict=True)]
    assert max(apart) < tolerance, apart
