"""The device: its tensors, and what it does at each of torch's operations."""

import collections
import linecache
import math
import sys
import weakref
from pathlib import Path

import torch

ROOT = str(Path(__file__).resolve().parents[2]) + "/"
ROOMS = tuple(ROOT + room for room in ("edm/", "app/", "tests/"))
TYPE = "pretend"

aten = torch.ops.aten
COPIES = {aten.copy_.default, aten._to_copy.default}
INDEXED = {aten.index.Tensor, aten._unsafe_index.Tensor}
PUT = {aten.index_put_.default, aten.index_put.default, aten._index_put_impl_.default}
ASKED = {  # operations of which the host has to know a number, or the size of the result
    aten._local_scalar_dense.default: "item",
    aten.bincount.default: "bincount",
    aten.equal.default: "equal",
    aten._linalg_check_errors.default: "linalg",
    aten._linalg_eigh.default: "linalg",
    aten._linalg_svd.default: "linalg",
    aten.masked_select.default: "masked_select",
    aten.nonzero.default: "nonzero",
    aten.repeat_interleave.Tensor: "repeat_interleave",
    aten.unique_consecutive.default: "unique",
    aten.unique_dim.default: "unique",
    aten._unique2.default: "unique",
}
# Beside what is pointwise, where a number of the CPU may stand: a tensor without dimensions
WITH_NUMBERS = {aten.fill_.Tensor, aten.masked_fill.Tensor, aten.masked_fill_.Tensor, aten.where.self, *PUT}


class Mixed(RuntimeError):
    """Tensors of several devices in one operation."""


class NoFloat64(TypeError):
    """The device has no float64."""


class Pretended(torch.Tensor):
    """A tensor on a pretended device. held: its numbers, on the CPU."""

    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, held, device):
        made = torch.Tensor._make_wrapper_subclass(
            cls,
            held.size(),
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            layout=held.layout,
            device=device,
        )
        made.held = held
        return made

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return GPU.present().run(func, args, kwargs or {})

    def __repr__(self):
        return f"Pretended({self.held!r}, device={str(self.device)!r})"

    def __format__(self, how):
        return format(self.item() if self.ndim == 0 else repr(self), how)

    def tolist(self):
        return self.cpu().tolist()

    def numpy(self, *, force=False):
        if not force:
            raise TypeError(f"can't convert {self.device} device type tensor to numpy. Use Tensor.cpu() first")
        return self.detach().cpu().numpy()

    def new_tensor(self, data, *, dtype=None, device=None):
        return torch.tensor(data, dtype=dtype or self.dtype, device=device or self.device)


class GPU:
    """count: of devices. no_float64: they have none, as Apple's MPS.

    devices: all of them; device: the first. waits: how often the host waited, by "what for @ file:line source".
    copies, moved: how many copies there were to the device ("H2D") and back ("D2H"), and of how many bytes.
    """

    now = None  # the one that is pretended

    def __init__(self, count=1, no_float64=False):
        self.count, self.no_float64 = count, no_float64
        self.devices = [torch.device(TYPE, index) for index in range(count)]
        self.device = self.devices[0]
        self.waits, self.copies, self.moved = (collections.Counter() for _ in range(3))
        self._pinned = weakref.WeakKeyDictionary()  # storages
        self._coming = []  # (tensor on the CPU, its numbers) that are on their way

    @classmethod
    def present(cls):
        if cls.now is None:
            raise RuntimeError("no device is pretended here; use `with pretended.gpu():`")
        return cls.now

    def clear(self):
        """Forget what has been counted so far."""
        for counter in (self.waits, self.copies, self.moved):
            counter.clear()

    def wait(self, what):
        self.waits[f"{what} @ {where()}"] += 1
        self.arrive()

    def arrive(self):
        """What is copied back without blocking is there."""
        for tensor, numbers in self._coming:
            tensor.copy_(numbers)
        self._coming.clear()

    def pin(self, tensor):
        self._pinned[tensor.untyped_storage()] = True
        return tensor

    def is_pinned(self, tensor):
        return not isinstance(tensor, Pretended) and tensor.untyped_storage() in self._pinned

    def run(self, func, args, kwargs):
        """What the operation gives, of which an argument or the result is on a pretended device."""
        if func is torch.ops.prim.device.default:
            return args[0].device
        tensors = list(tensors_of((args, kwargs)))
        mine = [tensor for tensor in tensors if isinstance(tensor, Pretended)]
        late = func in COPIES and self._copy(func, args, kwargs)
        if func not in COPIES:
            self._check(func, args, tensors, mine)
        target = self._target(kwargs, mine)
        given, named = changed((args, kwargs), lambda tensor: tensor.held if isinstance(tensor, Pretended) else tensor)
        if is_ours(named.get("device")):
            named["device"] = torch.device("cpu")
        if target is not None:
            named.pop("pin_memory", None)
        made = func(*given, **named)
        if late:
            self._coming.append((made, made.clone()))
            return made.fill_(math.nan if made.is_floating_point() else 1)
        if any(tensor.held.shape != tensor.shape for tensor in mine):
            raise NotImplementedError(f"{func} gives a pretended tensor another size, {where()}")
        known = {id(tensor.held): tensor for tensor in mine}
        return made if target is None else changed(made, lambda tensor: self._wrapped(tensor, target, known))

    def _wrapped(self, tensor, target, known):
        if isinstance(tensor, Pretended) or id(tensor) in known:
            return known.get(id(tensor), tensor)
        if self.no_float64 and tensor.dtype in (torch.float64, torch.complex128):
            raise NoFloat64(f"Cannot convert a {target} tensor to {tensor.dtype}: it has no float64, {where()}")
        return Pretended(tensor, target)

    def _target(self, kwargs, mine):
        """The pretended device where the result is, or None."""
        named = kwargs.get("device")
        if named is None:
            return mine[0].device if mine else None
        if not is_ours(named):
            return None
        index = torch.device(named).index or 0
        if index >= self.count:
            raise RuntimeError(f"invalid device ordinal: {named}, of {self.count}")
        return self.devices[index]

    def _copy(self, func, args, kwargs):
        """Count a copy from one side to the other, and a wait for it. Returns whether it comes back some time later."""
        into, source = (args[0], args[1]) if func is aten.copy_.default else (None, args[0])
        from_gpu, to_gpu = isinstance(source, Pretended), isinstance(into, Pretended)
        if into is None:
            to_gpu = from_gpu if kwargs.get("device") is None else is_ours(kwargs["device"])
        if to_gpu == from_gpu:
            return False
        way, host = ("H2D", source) if to_gpu else ("D2H", into)
        self.copies[way] += 1
        self.moved[way] += source.numel() * source.element_size()
        free = kwargs.get("non_blocking", len(args) > 2 and args[2])
        pinned = host is None or self.is_pinned(host)  # torch pins what it makes for such a copy itself
        if not (free and pinned):
            self.wait(f"{way} of memory that is not pinned" if free else way)
        return free and pinned and from_gpu

    def _check(self, func, args, tensors, mine):
        """Raise where devices mix; count a wait where the host has to know something."""
        places = sorted({str(tensor.device) for tensor in mine})
        others = [tensor for tensor in tensors if not isinstance(tensor, Pretended)]
        if mine and func in INDEXED | PUT:
            others = self._indexed(func, args, others)
        if torch.Tag.pointwise in func.tags or func in WITH_NUMBERS:
            others = [tensor for tensor in others if tensor.ndim > 0]
        if len(places) > 1 or (mine and others):
            raise Mixed(f"tensors on {' and '.join([*places, *(['cpu'] if others else [])])}: {func}, {where()}")
        if mine and func in ASKED:
            self.wait(ASKED[func])

    def _indexed(self, func, args, others):
        """Of an operation with indices, which may be on the CPU: the other tensors there."""
        indices = [index for index in args[1] if index is not None]
        if not isinstance(args[0], Pretended):
            return others
        masks = [index for index in indices if index.dtype in (torch.bool, torch.uint8)]
        fills = func in PUT and args[2].numel() == 1 and len(masks) == len(indices)  # one number for all: masked_fill
        if masks and not fills:
            self.wait("mask")
        if any(not isinstance(index, Pretended) for index in indices):
            self.wait("index on the CPU")
        return [tensor for tensor in others if not any(tensor is index for index in indices)]


def tensors_of(thing):
    """All tensors in tuples, lists and dictionaries."""
    if isinstance(thing, torch.Tensor):
        yield thing
    elif isinstance(thing, tuple | list | dict):
        for part in thing.values() if isinstance(thing, dict) else thing:
            yield from tensors_of(part)


def changed(thing, change):
    """The same with each tensor changed."""
    if isinstance(thing, torch.Tensor):
        return change(thing)
    if isinstance(thing, dict):
        return {name: changed(part, change) for name, part in thing.items()}
    if isinstance(thing, tuple | list):
        return type(thing)([changed(part, change) for part in thing])
    return thing


def is_ours(device):
    return device is not None and str(device).partition(":")[0] == TYPE


def where():
    """The line of ours that is at work, edm/training/loop.py:170 if …, or of the tests."""
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(ROOMS) and not name.startswith(ROOT + "tests/pretended/"):
            line = linecache.getline(name, frame.f_lineno).strip()
            return f"{name.removeprefix(ROOT)}:{frame.f_lineno} {line[:90]}"
        frame = frame.f_back
    return "elsewhere"
