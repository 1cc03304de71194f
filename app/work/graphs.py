"""Networks of images as graphs of their operations (`torch.jit.trace`), in which no Python stands between one operation
and the next: a third of a small network's time, and what makes two threads wait for each other.

A graph computes the same numbers, to the last bit. It holds for batches of one size, and is made between two turns,
after a few calls of that size; until then, and for whatever else is asked, the network computes as it is.
"""

from __future__ import annotations

import copy
import logging
import math
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from weakref import WeakKeyDictionary

import torch
from cachetools import LRUCache

from app.work.slots import Slots
from edm.networks.unet import UNet
from edm.preconditioning import Denoiser

CALLS = 12  # of a size, after which its graph is made, which takes as long as 15 of them
SIZES = 8  # whose graphs are kept for a network

_made: WeakKeyDictionary[UNet, Graphs] = WeakKeyDictionary()
_jit: Any = torch.jit
_pool = ThreadPoolExecutor(1, thread_name_prefix="graphs")
_lock = threading.Lock()


def drawn(denoiser: Any, slots: Slots | None) -> Any:
    """The denoiser with its network as graphs, if it is one that can be, and there are `slots` to make them in."""
    if slots is None or not isinstance(denoiser, Denoiser):
        return denoiser
    network = denoiser.network
    if not isinstance(network, UNet) or network.out_conv.weight.device.type != "cpu":
        return denoiser
    with _lock:
        graphs = _made.setdefault(network, Graphs())
    made = copy.copy(denoiser)
    made.network = Drawn(network, graphs, slots)
    return made


class Graphs:
    """Those of a network, by what they hold for, and how often what has none was asked for. Thread-safe."""

    def __init__(self):
        self._lock = threading.Lock()
        self._kept: LRUCache[tuple, Callable | int] = LRUCache(SIZES)

    def get(self, key: tuple) -> tuple[Callable | None, bool]:
        """(the graph or None, is it to be made now?)"""
        with self._lock:
            found = self._kept.get(key, 0)
            if callable(found):
                return found, False
            self._kept[key] = found + 1
            return None, found + 1 == CALLS

    def keep(self, key: tuple, graph: Callable) -> None:
        with self._lock:
            self._kept[key] = graph


class Drawn:
    """A network that computes as graphs. It is copied and sent as the network itself."""

    def __init__(self, network: UNet, graphs: Graphs, slots: Slots):
        self._network, self._graphs, self._slots = network, graphs, slots

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what copies and pickles ask of a thing that is not made yet
            raise AttributeError(name)
        return getattr(self._network, name)

    def __reduce__(self):
        return _itself, (self._network,)

    def __call__(
        self,
        x: torch.Tensor,
        c_noise: torch.Tensor,
        labels: torch.Tensor | None = None,
        augment: torch.Tensor | None = None,
        level: torch.Tensor | None = None,
    ) -> torch.Tensor:
        given = (x, c_noise) if labels is None else (x, c_noise, labels)
        more = augment is not None or level is not None
        graph = None if more or self._asks() else self._found(_key(given))
        return self._network(x, c_noise, labels, augment, level) if graph is None else graph(*given)

    def _asks(self) -> bool:
        """Whether more is asked of it than to be computed."""
        return torch.is_grad_enabled() or torch.is_autocast_enabled("cpu") or self._network.training

    def _found(self, key):
        graph, now = self._graphs.get(key)
        if now:
            _pool.submit(_make, self._network, self._graphs, key, self._slots)
        return graph


def _itself(network):
    return network


def _key(given):
    return tuple((tuple(one.shape), one.dtype) for one in given)


def _make(network, graphs, key, slots):
    """In a turn of its own, and behind all others, for whom it would be too long."""
    given = [
        torch.linspace(-1, 1, math.prod(shape)).view(shape).to(kind)  # of whole numbers, class 0 and none
        for shape, kind in key
    ]
    try:
        with slots.turn("graphs", 0.0), torch.no_grad():
            _hush()
            traced = _jit.trace(network, tuple(given), check_trace=False)
            same = torch.equal(_run(traced, *given), network(*given))
    except Exception as error:  # whatever torch has against it, or has not any more
        logging.getLogger(__name__).info("a network has no graph, and is computed without: %s", error)
        return
    if same:
        graphs.keep(key, lambda *given: _run(traced, *given))


def _hush():
    """Nobody is told that torch will go other ways, nor of what is the same for this size of batch."""
    warnings.filterwarnings("ignore", message=r"`torch\.jit", category=FutureWarning)
    warnings.filterwarnings("ignore", message=r"`torch\.jit", category=DeprecationWarning)
    warnings.filterwarnings("ignore", category=_jit.TracerWarning)


def _run(traced, *given):
    with _jit.optimized_execution(False):  # else its first calls are slow, and the others no quicker
        return traced(*given)
