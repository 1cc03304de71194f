"""What a lane can be: a column of Table 1, the Sampler tab's settings, or any solver on any time steps there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.sentences.visible import without_folders
from edm import presets
from edm.base.errors import Refused
from edm.diagnostics import Pairing
from edm.experiments.experiment import Experiment
from edm.plots.looks import YOURS, counted, look_of
from edm.sampling.settings import Sampling

DEFAULT = "edm"  # the column of a lane that names none


def offered() -> dict[str, str]:
    """The samplers that a lane can have: columns of Table 1, and the Sampler tab's; name -> title."""
    return {**presets.titles(), YOURS: "yours"}


def sampling_of(lane: str, yours: Experiment, seed: int) -> Sampling:
    """The sampler of a lane: a column of Table 1, or the Sampler tab's."""
    sampling = yours.sampling if lane == YOURS else presets.load(f"designs/{lane}").sampling
    return sampling.changed(seed=seed)


def flow_with_heun(yours: Experiment, seed: int, shift: float) -> Sampling:
    """Flow's time steps with α = shift, σ(t) and s(t), with Heun."""
    return sampling_of("flow", yours, seed).changed(solver="heun", shift=shift)


def read(lane: str) -> str:
    """A lane of any solver on any time steps as it is written: solver:knob=value/time steps:knob=value@column.

    The column's σ(t), s(t) and range count. Raises Refused for what no lane can be."""
    pair, _, column = lane.partition("@")
    if column and column not in offered():
        raise Refused(f"there is no column {column!r:.40}; there are {', '.join(offered())}")
    return f"{Pairing.parse(pair)}@{column or DEFAULT}"


@dataclass(frozen=True)
class Lane:
    """One picture: its title, the palette's colour, and the settings behind it, or a sentence why there are none."""

    title: str
    color: str
    experiment: Experiment | None
    failed: str | None = None


@dataclass(frozen=True)
class Way:
    """How a lane samples: its title, the palette's colour, the column whose own model it may have, and the sampler."""

    title: str
    color: str
    column: str
    sampling: Sampling


def ways(chosen: Sequence[str], yours: Experiment, seed: int) -> Iterator[Way | Lane]:
    """The lanes that are chosen, columns or as `read` has them; a lane without settings where they do not fit."""
    own = 0
    for lane in chosen:
        if lane in offered():
            yield Way(offered()[lane], look_of(lane).color, lane, sampling_of(lane, yours, seed))
            continue
        pair, _, column = lane.partition("@")
        pairing, look, own = Pairing.parse(pair), counted(own), own + 1
        title = f"{pairing.title} · in {offered()[column]}"
        try:
            yield Way(title, look.color, column, pairing.applied(sampling_of(column, yours, seed)))
        except Refused as error:
            yield Lane(title, look.color, None, without_folders(str(error)))
