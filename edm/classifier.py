"""Noisy classifiers: log p(c | x; σ) of a network that sees c_in·x and is told c_noise (Dhariwal & Nichol 2021,
section 4). Its gradient in x guides a denoiser: D + w·σ²·∇ log p(c | x; σ), in `edm.guidance`.
"""

from __future__ import annotations

from typing import Any

import torch

from edm.base.errors import Refused
from edm.wrapped import Level, Wrapped


class Classifier(Wrapped):
    """log p(c | x; σ) of classes c as a callable, differentiable in x.

    network: F(x, c_noise) -> logits [B, C]. preconditioning: of `edm.preconditioning`; c_in and c_noise of it are used.
    One with discrete levels is asked at the nearest one.
    """

    def log_probability(self, x: torch.Tensor, sigma: Level) -> torch.Tensor:
        """Of x [B, …], unscaled, at σ, a number or [B]: [B, C], in the type of x."""
        dtype = getattr(self.network, "dtype", x.dtype)  # a network of ours computes in its own type
        _, _, c_in, c_noise = self.coefficients(sigma, x, dtype)
        logits = self.network((c_in * x).to(dtype), c_noise)
        return torch.log_softmax(logits.to(x.dtype if x.dtype.itemsize > 2 else torch.float32), dim=1).to(x.dtype)

    def __call__(self, x: torch.Tensor, sigma: Level, labels: Any = None) -> torch.Tensor:
        """The same. Raises Refused if it is asked like a denoiser, with labels."""
        if labels is not None:
            raise Refused(self.no_denoiser)
        return self.log_probability(x, sigma)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Of its classes, as its file says, or their numbers."""
        names = () if self.header is None else tuple(self.header.class_names)
        return names or tuple(str(k) for k in range(self.classes or 0))

    @property
    def no_denoiser(self) -> str:
        """Why nothing can be sampled from it, in a sentence."""
        title = self.header.title if self.header else ""
        return NO_DENOISER.format(f"{title} is a classifier" if title else "this is a classifier")


NO_DENOISER = (
    "{}: it tells the class of a noisy sample, and draws none; sample a model of the same data with it as guide"
)
