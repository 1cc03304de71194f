"""What a file's header says of its network and its preconditioning, within the limits of both."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from edm.base.fields import Settings, Whole, refusal
from edm.embedded import MOST
from edm.networks.settings import MAX_BLOCKS, MAX_CHANNELS, MAX_LEVELS
from edm.preconditioning import PRECONDITIONINGS
from edm.preconditioning import build as build_preconditioning

_Multiplier = Annotated[int, Field(ge=1, le=32)] | Annotated[float, Field(gt=0, le=32)]


class NetworkConfig(Settings):
    """Arguments of `edm.networks.build`."""

    name: str
    in_channels: Whole = Field(ge=1, le=MOST)
    out_channels: Whole = Field(ge=1, le=100_000)
    resolution: Whole | None = Field(default=None, ge=1, le=1024)
    channels: Whole = Field(ge=4, le=MAX_CHANNELS)
    channel_mult: Annotated[tuple[_Multiplier, ...], Field(max_length=MAX_LEVELS)] = ()
    blocks: Whole = Field(ge=1, le=MAX_BLOCKS)
    attention: Annotated[tuple[Annotated[int, Field(ge=1, le=1024)], ...], Field(max_length=MAX_LEVELS)] = ()
    classes: Whole = Field(default=0, ge=0, le=100_000)
    augment_dim: Whole = Field(default=0, ge=0, le=64)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    stem: Whole | None = Field(default=None, ge=4, le=MAX_CHANNELS)
    heads: Whole | None = Field(default=None, ge=1, le=MAX_CHANNELS)
    decoder_heads: Whole | None = Field(default=None, ge=1, le=MAX_CHANNELS)
    head_channels: Whole = Field(default=64, ge=1, le=MAX_CHANNELS)
    groups: Whole | None = Field(default=None, ge=1, le=MAX_CHANNELS)
    level: bool = False


class PreconditioningConfig(Settings):
    """Arguments of a preconditioning: σ_data of EDM's."""

    name: str
    sigma_data: float = Field(default=0.5, gt=0, le=1e4)

    @model_validator(mode="after")
    def _consistent(self):
        if self.name not in PRECONDITIONINGS:
            known = ", ".join(map(repr, PRECONDITIONINGS))
            raise refusal("preconditioning", self.name, f"must be one of {known}")
        return self

    def build(self) -> Any:
        return build_preconditioning(self.name, self.sigma_data)
