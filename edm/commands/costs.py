"""What a run will take, as text for a terminal."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from edm.commands.options import filled

if TYPE_CHECKING:
    import argparse

    from edm.training.estimate import Estimate
    from edm.training.settings import Training

DAY, LEAST = 86400, 0.05  # seconds; GB of memory that is worth a word


def add(parser: argparse.ArgumentParser) -> None:
    """Options for estimates instead of runs."""
    estimate = "print what it will take in time and memory, train nothing"
    parser.add_argument("--estimate", action="store_true", help=estimate)
    card = (
        "estimate it for this GPU: V100, A100, H100, …; --device cuda*8 for eight; neither they nor data need be here"
    )
    parser.add_argument("--card", type=filled, metavar="GPU", help=card)


def told(settings: Training, device: str, card: str | None = None) -> str:
    """Time and memory of a run, in three lines. Raises ValueError or OSError as `edm.training.estimate.estimate`."""
    from edm.base import devices
    from edm.training.estimate import estimate

    found = estimate(settings, device, card)
    several = devices.count(device)
    place = card or devices.option(device) if found.gpu else "the CPU"
    where = f"{several} × {place}" if several > 1 and found.gpu else place
    length = "" if settings.minutes is None else f" {found.rate * found.seconds:,.0f} images in"
    return "\n".join(
        (
            f"about{length} {_time(found.seconds)} at {found.rate:,.0f} images/s on {where}",
            f"about {_memory(found)}",
            f"{found.parameters / 1e6:.3g} M parameters, in {', '.join(filter(None, [found.precision, found.why]))}",
            *filter(None, [found.warning]),
        )
    )


def somewhere(data: Any) -> Any:
    """The document of data with a path, where they need one and have none: for what does not read them."""
    from edm.data import sources

    name = data.get("dataset") if isinstance(data, dict) else None
    if not isinstance(name, str) or name not in sources.offered() or not sources.file_of(name):
        return data
    return {"path": name, **data}


def warn(settings: Training, device: str) -> None:
    """Say it where a run is likely not to fit, before it begins."""
    from edm.training.memory import warning

    if sentence := warning(settings, device):
        with suppress(OSError, ValueError):  # a terminal that was closed
            print(sentence, file=sys.stderr, flush=True)


def _time(seconds) -> str:
    if seconds >= 2 * DAY:
        return f"{seconds / DAY:.1f} days"
    return f"{seconds / 3600:.1f} hours" if seconds >= 5400 else f"{max(seconds / 60, 0.1):.2g} minutes"


def _memory(found: Estimate) -> str:
    """ "11.1 GB of each GPU's 17.2: activations 8.9, weights 0.2, context 0.5"."""
    whose = "each GPU's" if found.gpu else "this machine's"
    of = "" if found.total is None else f" of {whose} {found.total / 1e9:.1f}"
    parts = [f"{name} {size / 1e9:.1f}" for name, size in found.parts.items() if size / 1e9 >= LEAST]
    return f"{found.bytes / 1e9:.1f} GB{of}: {', '.join(parts)}"
