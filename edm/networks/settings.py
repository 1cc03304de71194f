"""The network of a training, as validated data, and the limits of every network."""

from __future__ import annotations

from pydantic import model_validator

from edm.base.fields import Number, Settings, Whole, knob, refusal
from edm.networks import NETWORKS

MAX_CHANNELS, MAX_BLOCKS, MAX_LEVELS = 1024, 32, 8


class Architecture(Settings):
    """The network: its kind and size."""

    network: str | None = knob(
        None, "network", "Kind of network; none: MLP for points, DDPM++ for images", choices=NETWORKS
    )
    channels: Whole = knob(
        64, "channels", "Width of the network at full resolution", slider=(8, 256), step=4, ge=4, le=MAX_CHANNELS
    )
    channel_mult: tuple[Whole, ...] = knob(
        (1, 2, 2), "multipliers", "Multipliers of the width, level by level; each level halves the size"
    )
    blocks: Whole = knob(
        2, "blocks", "Residual blocks a level (of an MLP: in all)", slider=(1, 6), step=1, ge=1, le=MAX_BLOCKS
    )
    attention: tuple[Whole, ...] = knob((8, 16), "attention", "Resolutions with self-attention")
    dropout: Number = knob(
        0.0, "dropout", "Share of activations dropped in training", slider=(0, 0.5), step=0.01, ge=0, lt=1
    )

    @model_validator(mode="after")
    def _consistent(self):
        if not 1 <= len(self.channel_mult) <= MAX_LEVELS or not all(1 <= m <= 32 for m in self.channel_mult):
            raise refusal("channel_mult", list(self.channel_mult), f"must be 1 to {MAX_LEVELS} numbers from 1 to 32")
        if len(self.attention) > MAX_LEVELS or not all(1 <= r <= 1024 for r in self.attention):
            raise refusal("attention", list(self.attention), f"must be at most {MAX_LEVELS} resolutions up to 1024")
        if self.channels % 4:
            raise refusal("channels", self.channels, "must be a multiple of 4")
        return self
