"""What training on an image takes, counted without doing it: a network on the "meta" device has shapes and no numbers.

Only the way there is counted, kernel by kernel, as a GPU would run it; the way back follows from it. Networks of few
blocks are built, and the rest grows in proportion to them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from edm.classifier import Classifier
from edm.files import checkpoints
from edm.networks import parameters
from edm.networks.blocks import Block
from edm.preconditioning import Denoiser
from edm.sampling.upsampling import Low, Upsampler

if TYPE_CHECKING:
    from torch import nn

    from edm.files.checkpoints import Header

HALF = {"bf16": torch.bfloat16, "fp16": torch.float16}
MULTIPLIED = (functional.conv2d, functional.conv_transpose2d, functional.linear, torch.conv2d, torch.matmul)
THERE_AND_BACK = {
    "operations": 3.0,
    "traffic": 2.8,
    "kernels": 2.2,
}  # in units of the way there, of the paper's networks


@dataclass(frozen=True)
class Count:
    """operations, traffic (bytes read and written) and held (bytes kept for the way back) of an image; block: of held,
    what the block keeps that keeps most; inputs: bytes of what goes into the blocks, of an image; kernels: there and
    back, of however many images; cast: bytes of the weights in 16 bits."""

    operations: float
    traffic: float
    kernels: float
    held: float
    block: float
    inputs: float
    cast: float

    def kept(self, checkpointing: bool) -> float:
        """Bytes of an image's activations: with checkpointing those between blocks, and one block's own."""
        return min(self.inputs + self.block, self.held) if checkpointing and self.inputs else self.held


def counted(header: Header, precision: str = "fp32") -> Count:
    """Of training the network of a run."""
    told = header.network.model_dump_json(), header.preconditioning.model_dump_json(), header.shape
    low = None if header.low is None else header.low.model_dump_json()
    return _counted(*told, low, header.classifies, precision)


def sized(header: Header) -> tuple[int, int]:
    """(parameters, layers with weights) of the network."""
    return _sized(header.network.model_dump_json())


@lru_cache(maxsize=64)
def _sized(network):
    number, layers = _with_blocks(checkpoints.NetworkConfig.model_validate_json(network), _sizes)
    return round(number), round(layers)


def _sizes(network):
    return parameters(network), sum(1 for layer in network.modules() if hasattr(layer, "weight"))


@lru_cache(maxsize=64)
def _counted(network, preconditioning, shape, low, classifies, precision) -> Count:
    coefficients = checkpoints.PreconditioningConfig.model_validate_json(preconditioning).build()
    config = checkpoints.NetworkConfig.model_validate_json(network)

    def made(network):
        if low is None:
            return (Classifier if classifies else Denoiser)(network, coefficients, shape)
        known = Low.model_validate_json(low)
        images = torch.zeros(1, shape[0], known.resolution, known.resolution, device="meta")
        return Upsampler(network, known, coefficients, shape).given(images)

    def count(network):
        return _there(network.train(), made(network), config.classes, _Autocast(HALF.get(precision)))

    return Count(*_with_blocks(config, count))


def _with_blocks(config, count: Callable[[nn.Module], tuple[float, ...]]) -> list[float]:
    """What a network has, from networks with one block and with two."""
    counts = []
    for number in (1, 2):
        with torch.device("meta"):
            counts.append(count(checkpoints.build(config.changed(blocks=number)).to("meta")))
    return [one + (config.blocks - 1) * (two - one) for one, two in zip(*counts, strict=True)]


def _there(network, denoiser, classes, autocast) -> tuple[float, ...]:
    """A `Count` but for the sizes, of the way there of one image."""
    x = torch.zeros(1, *denoiser.shape, device="meta")
    labels = torch.zeros(1, dtype=torch.long, device="meta") if classes else None
    kept, blocks = Kept(network), _Blocks(network)
    with blocks.watched(kept), kept.watched(), autocast, _Kernels(network) as kernels:
        output = denoiser(x, torch.ones(1, device="meta"), labels)
        (output - x if output.shape == x.shape else output).square().sum()
    there = {"operations": kernels.operations, "traffic": kernels.traffic, "kernels": kernels.number}
    both = (times * there[name] for name, times in THERE_AND_BACK.items())
    return (*both, kept.bytes, blocks.most, blocks.inputs, kept.cast)


class Kept:
    """What a network keeps from the way there for the way back. bytes: of activations; cast: of weights in another
    type, however many images there are."""

    def __init__(self, network: nn.Module):
        self._own = {p.untyped_storage()._cdata for p in network.parameters()}
        self._held: dict[int, torch.Tensor] = {}
        self.bytes = self.cast = 0

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """While this lasts, it is counted what is kept."""
        with torch.autograd.graph.saved_tensors_hooks(self._keep, lambda tensor: tensor):
            yield
        self._held.clear()

    def _keep(self, tensor):
        storage = tensor.untyped_storage()
        if storage._cdata not in self._own and storage._cdata not in self._held:
            self._held[storage._cdata] = tensor  # so that nothing else gets its place meanwhile
            if _of_weights(tensor):
                self.cast += storage.nbytes()
            else:
                self.bytes += storage.nbytes()
        return tensor


def _of_weights(tensor) -> bool:
    """Whether it comes of a weight alone, as one that autocast has made of it does."""
    made = tensor.grad_fn
    while made is not None and len(made.next_functions) == 1:
        made = made.next_functions[0][0]
        if hasattr(made, "variable"):
            return True
    return False


class _Blocks:
    """inputs: bytes of what goes into the network's blocks; most: that a block keeps."""

    def __init__(self, network):
        self._blocks = [module for module in network.modules() if isinstance(module, Block)]
        self.inputs = self.most = 0

    @contextlib.contextmanager
    def watched(self, kept) -> Iterator[None]:
        begun = []

        def begin(block, inputs):
            begun.append(kept.bytes)
            self.inputs += inputs[0].nbytes

        def end(block, inputs, output):
            self.most = max(self.most, kept.bytes - begun.pop())

        hooks = [block.register_forward_pre_hook(begin) for block in self._blocks]
        hooks += [block.register_forward_hook(end) for block in self._blocks]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()


class _Autocast(TorchFunctionMode):
    """On "meta", what autocast does elsewhere, where a norm of ours keeps the type of images; and attention and dropout
    as kernels of a GPU do them."""

    def __init__(self, dtype):
        super().__init__()
        self._dtype, self._weights = dtype, {}

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if func is functional.dropout:
            return _dropout(*args, **kwargs)
        if func is functional.scaled_dot_product_attention:
            q, k, v = (self._cast(x, self._dtype) for x in args)
            return torch.ops.aten._scaled_dot_product_flash_attention(q, k, v)[0]
        if func in MULTIPLIED:
            args = [self._cast(x, self._dtype) for x in args]
            kwargs = {name: self._cast(x, self._dtype) for name, x in kwargs.items()}
        return func(*args, **kwargs)

    def _cast(self, x, dtype):
        if not isinstance(x, torch.Tensor) or dtype is None or not x.is_floating_point() or x.dtype == dtype:
            return x
        if not isinstance(x, torch.nn.Parameter):
            return x.to(dtype)
        if id(x) not in self._weights:  # once in a step
            self._weights[id(x)] = x.to(dtype)
        return self._weights[id(x)]


def _dropout(x, p=0.5, training=True, inplace=False):
    return torch.native_dropout(x, p, True)[0] if training and p else x


class _Kernels(TorchDispatchMode):
    """number, operations, and bytes of traffic with the memory, of kernels that have been run; without the network's
    weights, which are read once for all images."""

    def __init__(self, network):
        super().__init__()
        self.number, self.operations, self.traffic = 0, 0, 0
        self._weights = {p.untyped_storage()._cdata: p for p in network.parameters()}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        from torch.utils.flop_counter import flop_registry

        out = func(*args, **(kwargs or {}))
        if func.is_view or func is torch.ops.aten.detach.default:
            return out
        tensors = [x for x in tree_leaves((args, kwargs, out)) if isinstance(x, torch.Tensor)]
        self.number += 1
        weights = [x.untyped_storage()._cdata in self._weights for x in tensors]
        if len(tensors) == 2 and weights[0]:  # one in another type
            self._weights[tensors[1].untyped_storage()._cdata] = tensors[1]
        self.traffic += sum(x.nbytes for x, of_weights in zip(tensors, weights, strict=True) if not of_weights)
        if formula := flop_registry.get(func._overloadpacket):
            self.operations += formula(*args, **(kwargs or {}), out_val=out)
        return out
