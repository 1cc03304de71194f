"""Networks that `torch.compile` makes quicker, for whoever samples much."""

from __future__ import annotations

import copy
import logging
from typing import Any, TypeVar

import torch

from edm.base.devices import out_of_memory
from edm.sampling.denoisers import Around, Denoise
from edm.wrapped import Wrapped

_Callable = TypeVar("_Callable", bound=Denoise)


def compiled(denoiser: _Callable, mode: str | None = None) -> _Callable:
    """The denoiser with its network compiled by `torch.compile`, which the first calls of each shape pay for.

    mode: as there; None: "reduce-overhead" on CUDA, whose graphs spare small networks what it takes to start each of
    their operations, and its default elsewhere. A network that cannot be compiled is called as it is, and the log says
    so; one without a network is as it was.
    """
    made: Any = copy.copy(denoiser)
    if isinstance(denoiser, Around):
        made.inner = compiled(denoiser.inner, mode)
    elif isinstance(denoiser, Wrapped):
        made.network = _Compiled(denoiser.network, mode)
    return made


class _Compiled:
    """A network that is compiled when it is first called, for its device."""

    def __init__(self, network, mode):
        self._plain, self._mode, self._made = network, mode, None

    def __getattr__(self, name):
        if name.startswith("__"):  # what copies and pickles ask of a thing that is not made yet
            raise AttributeError(name)
        return getattr(self._plain, name)

    def __getstate__(self):
        return {**self.__dict__, "_made": None}

    def to(self, device):
        return _Compiled(self._plain.to(device), self._mode)

    def __call__(self, x, c_noise, **conditions):
        if self._made is None:
            mode = self._mode or ("reduce-overhead" if x.device.type == "cuda" else None)
            self._made = torch.compile(self._plain, mode=mode)
        try:
            return self._made(x, c_noise, **conditions)
        except Exception as error:
            if self._made is self._plain or out_of_memory(error):
                raise
            logging.getLogger(__name__).warning("the network is not compiled, but called as it is: %s", error)
            self._made = self._plain
            return self._plain(x, c_noise, **conditions)
