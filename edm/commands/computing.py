"""The options of commands that sample with a network: where, and how it computes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from edm.base.fields import knobs
from edm.commands import options as common
from edm.sampling.computing import Computing, notes, prepared

if TYPE_CHECKING:
    import argparse

    import torch

    from edm.sampling.denoisers import Denoise


def add(parser: argparse.ArgumentParser, batch: str = "") -> None:
    """--device, and an option for each field of `Computing`. batch: what is the default of that, in words."""
    group = parser.add_argument_group("How it computes")
    group.add_argument(
        "--device", default="auto", help="cpu, cuda, cuda:1, mps, … (default: the GPU if there is one, and it pays)"
    )
    for name, knob in knobs(Computing).items():
        flag: dict[str, Any] = {"nargs": "?", "const": "true"} if isinstance(knob["default"], bool) else {}
        text = batch if name == "batch" and batch else common.described(knob)
        group.add_argument(f"--{name}", help=text.replace("%", "%%"), metavar="VALUE", **flag)


def of(options: argparse.Namespace) -> Computing:
    """What the options say. Raises SettingsError, with a sentence, for what cannot be."""
    given = {name: getattr(options, name) for name in Computing.model_fields}
    return Computing.parse({name: value for name, value in given.items() if value is not None})


def say(denoiser: Denoise, computing: Computing, device: torch.device) -> None:
    """Say what is to be known of how it computes there."""
    for note in notes(denoiser, computing, device):
        print(f"{note}.", file=sys.stderr)


def applied(denoiser: Denoise, computing: Computing, device: torch.device) -> Denoise:
    """The denoiser on the device, to compute like that; what is to be known of it is said."""
    say(denoiser, computing, device)
    return prepared(denoiser, computing, device)
