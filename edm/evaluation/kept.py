"""Features of a model's samples, a part of them after the other: on any number of processes, and kept in a folder.

FOLDER/<what tells the evaluation from others>/<first>-<last>.npy     of samples first … last, written atomically

Parts are divided alike on any number of processes, each is computed by one of them, and they come in order: so what is
summed up from them is the same to the last bit, also where it goes on after it was killed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from edm.base.atomic import atomic, make
from edm.base.errors import Refused
from edm.base.paths import expanded

if TYPE_CHECKING:
    from edm.base.types import StrPath
    from edm.training.parallel import World

Drawn = Iterator[float | torch.Tensor]  # shares of a part that are done, and at last its rows


def parts(count: int, batch: int, repeats: int = 1) -> list[range]:
    """The numbers of samples that are drawn at once; none goes beyond the end of a repeat of `count`."""
    starts = [
        (k, (repeat + 1) * count)
        for repeat in range(repeats)
        for k in range(repeat * count, (repeat + 1) * count, batch)
    ]
    return [range(start, min(start + batch, end)) for start, end in starts]


class Kept:
    """The features of parts in a folder."""

    def __init__(self, folder: StrPath, told: dict, denoiser: Any):
        """told: what tells the samples from others, as plain data, besides the denoiser itself."""
        text = json.dumps({**told, "model": digest(denoiser)}, sort_keys=True)
        self.folder = expanded(folder) / hashlib.sha256(text.encode()).hexdigest()[:16]
        make(self.folder)

    def place(self, part: range) -> Path:
        return self.folder / f"{part.start:08}-{part.stop - 1:08}.npy"

    def read(self, part: range) -> torch.Tensor | None:
        """The rows of a part; None if they are not there, or damaged."""
        try:
            rows = np.load(self.place(part), allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        return torch.from_numpy(rows) if rows.ndim > 1 and len(rows) == len(part) and rows.dtype.kind == "f" else None

    def write(self, part: range, rows: torch.Tensor) -> None:
        with atomic(self.place(part)) as file:
            np.save(file, rows.numpy())


def drawn(
    parts: Sequence[range], draw: Callable[[range], Drawn], kept: Kept | None, world: World
) -> Iterator[float | tuple[range, torch.Tensor]]:
    """Yields (part, rows) of all parts, in order, and before each how many samples are done; rows only in rank 0.

    draw(part) computes one. Those that are kept are read instead; what comes after the first that is not is computed.
    """
    ready = 0
    while kept is not None and world.rank == 0 and ready < len(parts) and (rows := kept.read(parts[ready])) is not None:
        yield parts[ready], rows
        ready += 1
    ready = world.gather(ready)[0]
    done = sum(map(len, parts[:ready]))
    yield float(done)
    for start in range(ready, len(parts), world.size):
        together = parts[start : start + world.size]
        total, rows = sum(map(len, together)), None
        for found in draw(together[world.rank]) if world.rank < len(together) else ():
            if isinstance(found, torch.Tensor):
                rows = found
            else:
                yield done + total * found
        done += total
        for part, made in zip(together, world.gather(rows), strict=False):
            if world.rank == 0:
                if kept is not None:
                    kept.write(part, made)
                yield part, made
        yield float(done)


def digest(denoiser: Any) -> str:
    """What tells a denoiser from others: its numbers, and those of what it is around.

    Raises Refused for one without any, a plain function, say.
    """
    found, numbers = hashlib.sha256(), 0
    for name, value in _contents(denoiser, "", set()):
        found.update(name.encode())
        if isinstance(value, torch.Tensor):
            numbers += value.numel()
            found.update(f"{value.dtype} {list(value.shape)}".encode())
            found.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
        else:
            found.update(repr(value).encode())
    if not numbers:
        raise Refused("keep: this denoiser has no numbers by which its samples could be told from others'")
    return found.hexdigest()[:32]


def _contents(value, name, seen) -> Iterator[tuple[str, Any]]:
    """(name, value) of all tensors and plain values in an object, in an order of their own."""
    if isinstance(value, torch.Tensor | str | int | float | bool | None | Enum):
        yield name, value
    elif id(value) in seen:
        return
    elif isinstance(value, torch.nn.Module):
        yield from ((f"{name}.{key}", tensor) for key, tensor in sorted(value.state_dict().items()))
    elif isinstance(value, dict):
        for key in sorted(value, key=str):
            yield from _contents(value[key], f"{name}.{key}", seen | {id(value)})
    elif isinstance(value, list | tuple):
        for key, item in enumerate(value):
            yield from _contents(item, f"{name}.{key}", seen | {id(value)})
    elif hasattr(value, "__dict__") and not callable(getattr(value, "__func__", None)):
        yield name, type(value).__name__
        public = {key: item for key, item in vars(value).items() if not key.startswith("_")}
        yield from _contents(public, name, seen | {id(value)})
    else:
        yield name, type(value).__name__
