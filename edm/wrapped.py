"""A network wrapped in its preconditioning: it sees c_in·x, and is told c_noise. What denoisers and classifiers share.

Coefficients take σ as a tensor of any shape and return float64 of that shape (float32 where its device has none).
`round_sigma` gives the level that a model with discrete levels really sees; it is the identity for the others.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from numbers import Real
from typing import TYPE_CHECKING, Any, Self

import torch

from edm.base.copies import COPIES
from edm.base.devices import precisely
from edm.base.transfers import sent

if TYPE_CHECKING:
    from edm.base.protocols import HeaderLike

Level = float | torch.Tensor


class Preconditioning(ABC):
    """Defaults: those of a network that predicts the negated noise of a state scaled to unit variance.

    sigma_min, sigma_max: the range of σ that the model is for.
    """

    sigma_min: float
    sigma_max: float

    def round_sigma(self, sigma: Level) -> torch.Tensor:
        return level_of(sigma)

    def c_skip(self, sigma: Level) -> torch.Tensor:
        return torch.ones_like(level_of(sigma))

    def c_out(self, sigma: Level) -> torch.Tensor:
        return -level_of(sigma)

    def c_in(self, sigma: Level) -> torch.Tensor:
        return (level_of(sigma) ** 2 + 1).rsqrt()

    @abstractmethod
    def c_noise(self, sigma: Level) -> torch.Tensor:
        """What the network is told of σ."""


def level_of(sigma: Level) -> torch.Tensor:
    """σ as a tensor, as precise as its device has it."""
    return precisely(torch.as_tensor(sigma))


class Wrapped(ABC):
    """A network in its preconditioning.

    network: F(c_in·x, c_noise, …), where c_noise is [B], or [1] where all samples share σ. preconditioning: its
    coefficients. shape: of one sample, if known. classes: number of them (0: none), if known. header: of the file that
    it was loaded from (`edm.files.checkpoints.Header`).
    """

    def __init__(
        self,
        network: Callable[..., torch.Tensor],
        preconditioning: Preconditioning,
        shape: Iterable[int] | None = None,
        classes: int | None = None,
        header: HeaderLike | None = None,
    ):
        self.network, self.preconditioning = network, preconditioning
        self.sigma_min, self.sigma_max = preconditioning.sigma_min, preconditioning.sigma_max
        self.shape = None if shape is None else tuple(shape)
        self.classes, self.header = classes, header

    @property
    def sigma_data(self) -> float | None:
        """Of the data that it has learned, as its file says."""
        return None if self.header is None else self.header.sigma_data

    @property
    def taught(self) -> tuple[int, ...]:
        """The classes of which it has seen images, as its file says; (): all, or that is not known."""
        return () if self.header is None else tuple(self.header.taught)

    def round_sigma(self, sigma: Level) -> torch.Tensor:
        """The level that the network really sees, float64."""
        return self.preconditioning.round_sigma(sigma)

    def to(self, device: torch.device | str) -> Self:
        """Itself if the network is on `device`, else a copy that is there. It is kept until the weights change, or
        others have been used since that need the room."""
        device = torch.empty(0, device=device).device
        tensors = [*self.network.parameters(), *self.network.buffers()]
        if all(tensor.device == device for tensor in tensors):
            return self

        def made():
            moved = copy.copy(self)
            moved.network = copy.deepcopy(self.network).to(device)
            return moved

        state, size = [tensor._version for tensor in tensors], sum(tensor.nbytes for tensor in tensors)
        return COPIES.of(self, device, state, lambda moved: size, made)

    @abstractmethod
    def __call__(self, x: torch.Tensor, sigma: Level, labels: Any = None) -> torch.Tensor: ...

    def coefficients(self, sigma: Level, x: torch.Tensor, dtype: torch.dtype) -> tuple[Any, Any, Any, torch.Tensor]:
        """c_skip, c_out, c_in in the type of x, to multiply it with, and c_noise for the network, [1] or [B].

        Those of a number are worked out on the host, and go to a device with what is asked of it: nothing waits.
        """
        p, number = self.preconditioning, _number(sigma, x)
        if number is not None:
            level = p.round_sigma(torch.tensor([number], dtype=torch.float64))
            c_skip, c_out, c_in = (float(c(level).to(x.dtype)) for c in (p.c_skip, p.c_out, p.c_in))
            return c_skip, c_out, c_in, torch.full((1,), float(p.c_noise(level)), dtype=dtype, device=x.device)
        sigma = sigma if isinstance(sigma, torch.Tensor) else torch.as_tensor(sigma, dtype=torch.float64)
        sigma = p.round_sigma(sent(sigma, x.device, torch.float64).reshape(-1))
        each = (c(sigma).to(x.dtype).view(-1, *[1] * (x.ndim - 1)) for c in (p.c_skip, p.c_out, p.c_in))
        c_skip, c_out, c_in = each
        return c_skip, c_out, c_in, p.c_noise(sigma).to(dtype)


def _number(sigma, x) -> float | None:
    """σ as a number, if it is one: a tensor of one element counts as one where it lies on the host, and x does not."""
    if isinstance(sigma, Real):
        return float(sigma)
    if not isinstance(sigma, torch.Tensor) or sigma.numel() != 1 or sigma.requires_grad:
        return None
    return float(sigma) if sigma.device.type == "cpu" and x.device.type != "cpu" else None
