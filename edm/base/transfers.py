"""Between the host and a device: what is sent does not wait, and what is fetched waits once for all of it.

A copy from ordinary memory makes the host wait until the device has done all that it was given; from pinned memory it
goes in its turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import Any, TypeVar

import numpy as np
import torch

from edm.base.devices import precise

_Thing = TypeVar("_Thing")
_NUMBERS = (int, float)
_UNPINNED = ("cpu", "meta", "mps")  # which share the host's memory, or have none


def sent(tensor: torch.Tensor, device: torch.device | str, dtype: torch.dtype | None = None) -> torch.Tensor:
    """The tensor on `device`, converted on its way to `dtype`; of one in main memory, in a copy that is not waited for.

    As with `Tensor.to`, it is itself if it is there already. float64 goes as float32 to where there is none.
    """
    device = torch.device(device)
    if (dtype or tensor.dtype) == torch.float64:
        dtype = precise(device)
    if dtype is not None and tensor.device.type == "cpu":
        tensor = tensor.to(dtype)  # before it travels
    if tensor.device.type == "cpu" and device.type not in _UNPINNED:
        return pinned(tensor, device).to(device, non_blocking=True)
    return tensor.to(device, dtype or tensor.dtype)


def pinned(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """The tensor of the CPU in memory that `device` fetches from by itself; itself where there is no such memory."""
    if device.type in _UNPINNED:
        return tensor
    try:
        return tensor.pin_memory()
    except RuntimeError:  # torch can pin none for this kind of device, or there is none left
        return tensor


def fetched(tensors: Iterable[torch.Tensor]) -> list[torch.Tensor]:
    """The tensors on the CPU: all of one device in one copy. Those that are there are themselves."""
    tensors = list(tensors)
    there: dict = {}
    for k, tensor in enumerate(tensors):
        if tensor.device.type != "cpu":
            there.setdefault(tensor.device, []).append(k)
    for places in there.values():
        places.sort(key=lambda k: -tensors[k].element_size())  # so that each begins where its type can
        packed = torch.cat([tensors[k].detach().reshape(-1).view(torch.uint8) for k in places]).cpu()
        parts = packed.split([tensors[k].nbytes for k in places])
        for k, part in zip(places, parts, strict=True):
            tensors[k] = part.view(tensors[k].dtype).view(tensors[k].shape)
    return tensors


def stacked(tensors: Sequence[torch.Tensor]) -> np.ndarray:
    """Tensors of one shape and one device as one array [N, …] of its own: one copy brings them."""
    return torch.stack(tuple(tensors)).detach().cpu().numpy()


def array(values: Any, dtype: type = np.float64) -> np.ndarray:
    """Numbers, wherever they lie, as an array of one's own."""
    return np.array(values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else values, dtype=dtype)


class Home:
    """Things with their tensors on the CPU: `home(thing)`, where a thing is a tensor, or a list, tuple, dictionary or
    dataclass of things, and all else is itself.

    One copy brings all that a call is given, and a tensor that came with the last call is not copied again.
    """

    def __init__(self) -> None:
        self._here: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}  # by id: the tensor, and what it is here

    def __call__(self, thing: _Thing) -> _Thing:
        found: dict[int, torch.Tensor] = {}
        _each(thing, lambda tensor: found.setdefault(id(tensor), tensor))
        if not found:
            self._here = {}
            return thing
        coming = [tensor for key, tensor in found.items() if key not in self._here]
        known = self._here | {id(tensor): (tensor, here) for tensor, here in zip(coming, fetched(coming), strict=True)}
        self._here = {key: known[key] for key in found}
        return _each(thing, lambda tensor: self._here[id(tensor)][1])


def _each(thing: Any, change) -> Any:
    """The thing with every tensor on a device changed; what has none is itself."""
    if isinstance(thing, torch.Tensor):
        return thing if thing.device.type == "cpu" else change(thing)
    if names := _names(type(thing)):
        values = [(name, getattr(thing, name)) for name in names]
        made = [(name, value, _each(value, change)) for name, value in values if type(value) not in _NUMBERS]
        changed = {name: new for name, value, new in made if new is not value}
        return replace(thing, **changed) if changed else thing
    if isinstance(thing, Mapping):
        made = {name: _each(value, change) for name, value in thing.items()}
        return made if any(made[name] is not value for name, value in thing.items()) else thing
    if isinstance(thing, list | tuple):
        made = [_each(value, change) for value in thing]
        if all(a is b for a, b in zip(made, thing, strict=True)):
            return thing
        return type(thing)(*made) if hasattr(thing, "_fields") else type(thing)(made)
    return thing


@cache
def _names(kind: type) -> tuple[str, ...]:
    """The fields that a dataclass is made of; () of any other type."""
    return tuple(field.name for field in fields(kind) if field.init) if is_dataclass(kind) else ()
