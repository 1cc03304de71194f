"""Upsampling diffusion: a denoiser of images that is told each one's low-resolution image, as in ADM and in cascaded
models (arXiv 2105.05233, 2106.15282).

    z = A·y + σ_c·n,   D(x; σ | z) = c_skip·x + c_out·F(cat(c_in·x, up(z)/√(σ_c² + σ_d²)); c_noise, ¼·ln σ_c)

A takes means of cells of pixels, up is bilinear. σ_c, the noise of the low-resolution image, is random in training and
told to the network, so that at sampling, where that image is another model's, it need not be believed to the last
detail (conditioning augmentation). In training n is fresh; of an image that is generated it is one n for all levels,
else its ODE were none. Published upsamplers know no σ_c, and see up(z) as it is.

With its low-resolution images given, an `Upsampler` is a denoiser of x alone, which every sampler takes.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import torch
from pydantic import Field
from torch.nn import functional

from edm.base.errors import Refused
from edm.base.fields import Settings, Whole
from edm.base.transfers import sent
from edm.preconditioning import Denoiser
from edm.sampling.denoisers import Around

if TYPE_CHECKING:
    from edm.sampling.denoisers import Denoise

LEAST = 0.01  # σ_c that the network is told at least: one step of 8 bits is 0.008
USUAL = 1 / 3  # of the largest σ_c of its training is what an upsampler is given, where nobody says


class Low(Settings):
    """The low-resolution images that an upsampler is told. resolution: pixels on a side. noise: the largest σ_c of its
    training; 0: there was none. sigma_data: their σ_d, by which they are scaled; None: they are not."""

    resolution: Whole = Field(ge=1, le=512)
    noise: float = Field(default=0.0, ge=0, le=10)
    sigma_data: float | None = Field(default=None, gt=0, le=1e4)

    @property
    def usual(self) -> float:
        """σ_c where nobody says."""
        return self.noise * USUAL


def lowered(images: torch.Tensor, size: int) -> torch.Tensor:
    """A·y: images [B, C, H, W] as the means of their cells, [B, C, size, size]."""
    return functional.adaptive_avg_pool2d(images, size)


def raised(images: torch.Tensor, size: int) -> torch.Tensor:
    """up(z): images [B, C, h, w] made [B, C, size, size], bilinear, as published upsamplers do it."""
    return functional.interpolate(images, size=(size, size), mode="bilinear", align_corners=False)


def told(sigma_c: torch.Tensor) -> torch.Tensor:
    """What the network is told of σ_c: a quarter of its logarithm, as of σ."""
    return sigma_c.clamp(min=LEAST).log() / 4


class Upsampler(Denoiser):
    """A network that sees a low-resolution image behind the channels of x, [B, 2·C, H, W]; F takes `level` [B] or [1],
    ¼·ln σ_c, if it was trained with noise there. low: what those images are. Asked without them, it refuses.
    """

    def __init__(self, network: Any, low: Low, preconditioning: Any, shape: Any, *more: Any):
        super().__init__(network, preconditioning, shape, *more)
        self.low = low

    def given(self, z: torch.Tensor, sigma_c: float | torch.Tensor = 0.0) -> Given:
        """The denoiser of the images of which these are the low-resolution ones, [B, C, h, w], in which there is noise
        of σ_c (a number or [B]) already. Raises Refused for images of another size."""
        assert self.shape is not None  # as of all that have low-resolution images
        wanted = (self.shape[0], self.low.resolution, self.low.resolution)
        if tuple(z.shape[1:]) != wanted:
            raise Refused(
                f"the low-resolution images have shape {list(z.shape)}; this model upsamples [B, "
                f"{', '.join(map(str, wanted))}]"
            )
        level = torch.as_tensor(sigma_c, dtype=torch.float32).reshape(-1)
        level = sent(level, z.device)
        up = raised(z, self.shape[-1])
        if self.low.sigma_data is not None:
            up = up / (level**2 + self.low.sigma_data**2).sqrt().view(-1, 1, 1, 1).to(up)
        return Given(self, up, told(level) if self.low.noise else None)

    def beside(
        self, x: torch.Tensor, sigma: Any, labels: Any, augment: torch.Tensor | None, up: torch.Tensor,
        level: torch.Tensor | None,
    ) -> torch.Tensor:  # fmt: skip
        """D(x; σ) with up [B, C, H, W], low-resolution images as the network sees them, and what it is told of σ_c."""
        return self._denoised(x, sigma, {"labels": labels, "augment": augment, "level": level}, up)

    def __call__(
        self, x: torch.Tensor, sigma: Any, labels: Any = None, augment: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Raises Refused: it has to be `given` low-resolution images first."""
        raise Refused("this model upsamples: give it low-resolution images with denoiser.given(z, sigma_c)")


class Given(Around):
    """An upsampler with the low-resolution images of a batch: a denoiser of x alone.

    x [k·B, …] is taken to be k times the batch, one after the other, as guidance asks; of some of its samples `part`
    is the denoiser.
    """

    def __init__(self, inner: Upsampler, up: torch.Tensor, level: torch.Tensor | None):
        super().__init__(inner)
        self._up, self._level = up, level

    def __call__(
        self, x: torch.Tensor, sigma: Any, labels: Any = None, augment: torch.Tensor | None = None
    ) -> torch.Tensor:
        up, level = self._up, self._level
        times, rest = divmod(len(x), len(up))
        if rest or not times:
            raise Refused(f"x has {len(x)} samples, but low-resolution images are given of {len(up)}")
        if times > 1:
            up = up.repeat(times, 1, 1, 1)
            level = level if level is None or len(level) == 1 else level.repeat(times)
        return self.inner.beside(x, sigma, labels, augment, up.to(x), level)

    def to(self, device: torch.device | str) -> Given:
        """The same on that device; a copy."""
        moved = super().to(device)
        moved._up, moved._level = sent(self._up, device), None if self._level is None else sent(self._level, device)
        return moved

    def part(self, rows: slice) -> Given:
        """Of these samples of the batch, or of several times the batch."""
        made, count = copy.copy(self), len(self._up)
        chosen = torch.arange(rows.start or 0, rows.stop, device=self._up.device) % count
        made._up = self._up[chosen]
        if self._level is not None and len(self._level) > 1:
            made._level = self._level[chosen]
        return made


def upsampler_of(denoiser: Any) -> Upsampler | None:
    """The upsampler that a denoiser is, or is around; None where there is none."""
    while isinstance(denoiser, Around):
        denoiser = denoiser.inner
    return denoiser if isinstance(denoiser, Upsampler) else None


def given(denoiser: Denoise, z: torch.Tensor, sigma_c: float | torch.Tensor = 0.0) -> Any:
    """A denoiser whose upsampler is given these low-resolution images (`Upsampler.given`); all around it stays."""
    if not isinstance(denoiser, Around):
        upsampler: Any = denoiser
        return upsampler.given(z, sigma_c)
    made = copy.copy(denoiser)
    made.inner = given(denoiser.inner, z, sigma_c)
    return made
