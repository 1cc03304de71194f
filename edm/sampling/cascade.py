"""A cascade as one denoiser: an upsampler whose low-resolution images are the samples of a base (arXiv 2106.15282)."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

import torch

from edm.base.errors import Refused
from edm.sampling.denoisers import Around, conditional, on
from edm.sampling.loop import last, sample
from edm.sampling.noise import latents, low_noise
from edm.sampling.upsampling import given

if TYPE_CHECKING:
    from edm.sampling.denoisers import Denoise
    from edm.sampling.settings import Sampling


class Known(Protocol):
    """A base that has its images already, and samples none: those of these seeds and classes, [B, C, h, w]."""

    def drawn(self, seeds: Iterable[int], labels: Any, like: torch.Tensor) -> torch.Tensor: ...


class Cascade(Around):
    """inner: an upsampler, or what is around one. base: the denoiser of its low-resolution images, or one that is
    `Known`. sigma_c: how much noise they get. steps: N of the base; None: that of the upsampler. A base that knows no
    classes is told of none. heard: is told the base's samples, before and after they get noise.

    `edm.sample` asks it for the denoiser of its samples, by their seeds: sample k is sample k of the base, made larger,
    the same alone and in any batch.
    """

    def __init__(self, inner: Denoise, base: Denoise | Known, sigma_c: float = 0.0, steps: int | None = None):
        super().__init__(inner)
        self.base: Any = base
        self.sigma_c, self.steps = sigma_c, steps
        self.heard: Callable[[torch.Tensor, torch.Tensor], object] | None = None

    def to(self, device: torch.device | str) -> Cascade:
        """The same on that device; a copy."""
        moved = super().to(device)
        moved.base = self.base if self.known else on(self.base, device)
        return moved

    @property
    def known(self) -> bool:
        """Whether its first stage samples nothing."""
        return hasattr(self.base, "drawn")

    def base_sampling(self, sampling: Sampling) -> Sampling:
        """How the base is sampled, where the upsampler is sampled like that: the same but for N."""
        return sampling if self.steps is None else sampling.changed(steps=self.steps, sigmas=None)

    def low(self, sampling: Sampling, labels: Any, seeds: Iterable[int], like: torch.Tensor) -> torch.Tensor:
        """z [B, C, h, w]: samples of the base with noise of σ_c, of the type and on the device of `like`."""
        seeds = list(seeds)
        images = self._images(sampling, labels, seeds, like)
        z = noised(images, self.sigma_c, seeds)
        if self.heard is not None:
            self.heard(images, z)
        return z

    def _images(self, sampling, labels, seeds, like):
        if self.known:
            return self.base.drawn(seeds, labels, like)
        shape = getattr(self.base, "shape", None)
        z = latents(seeds, shape or like.shape[1:], like.dtype, like.device)
        told = labels if conditional(self.base) else None
        return last(sample(self.base, z, self.base_sampling(sampling), told, seeds=seeds)).x

    def of_samples(self, sampling: Sampling, labels: Any, seeds: Iterable[int] | None) -> Around:
        """The denoiser of the samples of these seeds; it samples the base when it is first asked."""
        if seeds is None:
            raise Refused("a cascade has to know which samples these are: say seeds=edm.seeds(sampling.seed, count)")
        return _Begun(self, sampling, labels, list(seeds))

    def __call__(self, x: torch.Tensor, sigma: Any, labels: Any = None) -> torch.Tensor:
        """Raises Refused: what it answers depends on which samples these are (`of_samples`)."""
        raise Refused("a cascade answers for samples of known seeds only; sample it with edm.sample(…, seeds=…)")


def noised(images: torch.Tensor, sigma_c: float, seeds: Iterable[int]) -> torch.Tensor:
    """z = images + σ_c·n, the low-resolution images [B, C, h, w] of these samples as an upsampler is told them."""
    if not sigma_c:
        return images
    return images + sigma_c * low_noise(seeds, images.shape[1:], images.dtype, images.device)


class _Begun(Around):
    """The second stage of a cascade, for some samples. The first is computed when it is asked."""

    def __init__(self, cascade, sampling, labels, seeds):
        super().__init__(cascade.inner)
        self._cascade, self._asked, self._given = cascade, (sampling, labels, seeds), None

    def _ready(self, x):
        if self._given is None:
            cascade = self._cascade
            z = cascade.low(*self._asked, x)
            self._given = given(cascade.inner, z, cascade.sigma_c)
        return self._given

    def __call__(self, x, sigma, labels=None):
        return self._ready(x)(x, sigma) if labels is None else self._ready(x)(x, sigma, labels)

    def to(self, device):
        moved = copy.copy(self)
        moved._cascade, moved.inner = self._cascade.to(device), on(self.inner, device)
        moved._given = None if self._given is None else on(self._given, device)
        return moved
