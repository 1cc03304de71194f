"""Many samples of an experiment: batch after batch, on as many processes as there are, none of them twice.

Which samples are computed together depends on their numbers alone: sample k is row k mod B of the batch ⌊k/B⌋, and
that batch is computed whole, even where a part of it is wanted. On the CPU B is the same always, so that sample k is
the same there bit for bit: alone, resumed, in any range, on any number of processes. On a GPU B is what `batch` says:
bit for bit with the same batch on the same card, and else to rounding, which changes a few pixels by one level of 255.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from edm.base.errors import Refused
from edm.base.fields import SettingsError, Whole, knob
from edm.experiments import models, runner
from edm.experiments.experiment import Experiment, Label
from edm.files.render import to_uint8
from edm.sampling.computing import Computing, prepared
from edm.sampling.guidance.settings import Guiding
from edm.sampling.loop import State, last
from edm.sampling.settings import Sampling

if TYPE_CHECKING:
    from edm.files.albums import Album

MOST = 1 << 32  # samples of a seed
ON_CPU = {1: 1024, 3: 32}  # computed at once, of points and of images
ON_GPU = {1: 4096, 3: 256}  # unless told
WRITERS = 4  # threads that make PNGs while the next batch is computed
LOOK = 0.5  # seconds between two looks at what other processes have done


class Many(Guiding):
    """Many images: which, and how they are drawn."""

    count: Whole = knob(50_000, "images", "How many images to draw", slider=(1000, 50_000), ge=1, le=MOST)
    first: Whole = knob(0, "first", "The number of the first of them", ge=0, le=MOST - 1)
    label: Label = knob(None, "class", "Class to sample, by its name; none: all by turns")
    zip: bool = knob(False, "one file", "Into one .zip, in the place of a folder of files")
    sampling: Sampling = Sampling()
    computing: Computing = Computing()

    @property
    def numbers(self) -> range:
        """Of the samples."""
        return range(self.first, self.first + self.count)

    def experiment(self, model: str) -> Experiment:
        """Of which they are the samples. Raises SettingsError for a class or guidance that it does not know."""
        guidance = {name: getattr(self, name) for name in Guiding.model_fields}
        return _apart(Experiment(model=model, label=self.label, sampling=self.sampling, **guidance))


def _apart(experiment) -> Experiment:
    """An experiment whose samples can be drawn a batch at a time. Raises Refused for a population."""
    if runner.together(experiment):
        raise Refused(
            f"guidance = {experiment.guidance!r}: its samples are one population, which is drawn at once; write up to "
            "4,096 of them into a .png, .csv or .npz"
        )
    return experiment


class Progress(NamedTuple):
    """done of total samples, those of other processes as far as one's own."""

    done: int
    total: int


def blocks(numbers: range, size: int, rank: int = 0, ranks: int = 1) -> Iterator[range]:
    """The batches of `size` in which samples of these numbers lie, cut to them: those of one process among `ranks`."""
    first = numbers.start // size
    for k in range(first + (rank - first) % ranks, -(-numbers.stop // size), ranks):
        yield range(max(k * size, numbers.start), min((k + 1) * size, numbers.stop))


def at_once(model: models.Model, computing: Computing, device: torch.device) -> int:
    """B: how many samples are computed together."""
    points = len(model.shape)
    return ON_CPU[points] if device.type == "cpu" else computing.batch or ON_GPU[points]


class Drawing:
    """Samples of an experiment, by number. Its count is not looked at: there are as many as one likes."""

    def __init__(self, experiment: Experiment, computing: Computing, device: torch.device):
        self.experiment, self.computing, self.device = experiment, computing, device
        self.model = models.of(experiment)
        _apart(experiment)
        self.size = at_once(self.model, computing, device)
        self._denoiser = runner.denoiser(experiment, self.model, device, lambda d: prepared(d, computing, device))

    def states(self, block: range) -> Iterator[State]:
        """The states of the batch, whole, in which a block lies."""
        whole = block.start // self.size * self.size
        end = whole + self.size if self.device.type == "cpu" else block.stop
        return runner.states(self.experiment, self.device, numbers=range(whole, end), made=self._denoiser)

    def rows(self, block: range, state: State) -> np.ndarray:
        """Those of the batch's last state that belong to a block: float32 [n, …]."""
        return state.x.cpu().numpy()[block.start % self.size :][: len(block)]

    def document(self) -> dict:
        """What the samples are of, as JSON data: equal, where the samples are equal but for rounding."""
        found: dict[str, Any] = {"experiment": self.experiment.document()}
        found["experiment"].pop("count", None)
        if self.computing.precision != "fp32":
            found["precision"] = self.computing.precision
        if self.model.path is not None:
            with open(self.model.path, "rb") as file:
                found["sha256"] = hashlib.file_digest(file, "sha256").hexdigest()
        return found

    def differs(self, other: dict) -> str:
        """What a document says that is not so here, in words; "" if its samples are the same."""
        mine, theirs = _flat(self.document()), _flat(other)
        if "sha256" in mine and mine["sha256"] == theirs.get("sha256"):
            theirs["model"] = mine["model"]  # the same file under another name
        names = [name for name in {**mine, **theirs} if mine.get(name) != theirs.get(name)]
        if names == ["sha256"]:
            return "of another model in a file of that name"
        told = [f"{name} = {_said(theirs, name)}, not {_said(mine, name)}" for name in names if name != "sha256"]
        return ", ".join(told[:3])


def _said(fields, name) -> str:
    return "none" if fields.get(name) is None else str(fields[name])


def _flat(document) -> dict:
    """The fields of a document by name, those of `Sampling` with their defaults."""
    found = document.get("experiment")
    experiment = {"model": Experiment.model_fields["model"].default} | (found if isinstance(found, dict) else {})
    try:
        sampling = Sampling.parse(experiment.pop("sampling", {})).document(complete=True)
    except SettingsError:
        sampling = {"sampling": "of another version of this program"}
    rest = {name: document[name] for name in ("precision", "sha256") if name in document}
    return {**experiment, **sampling, "precision": "fp32", **rest}


def images(drawing: Drawing, numbers: range, album: Album, rank: int = 0, ranks: int = 1) -> Iterator[Progress]:
    """Write the images of these numbers that are not there yet; one process of `ranks`, all of which call this.

    The album has been prepared. Yields after each evaluation's step: closing the generator ends the work there, and the
    same call goes on. The first process waits for the others, and then finishes the album.
    """
    own = sum(map(len, blocks(numbers, drawing.size, rank, ranks)))
    written, waiting, total = 0, 0, len(numbers)
    writing: list[Future] = []

    def reached() -> Progress:
        there = written + (waiting if all(each.done() for each in writing) else 0)
        return Progress(total * there // own, total)

    with ThreadPoolExecutor(WRITERS) as pool:
        for block in blocks(numbers, drawing.size, rank, ranks):
            yield reached()
            if lacking := album.lacking(block):
                for state in drawing.states(block):
                    yield reached()
                    ended = state
                _settle(writing)
                written, waiting = written + waiting, 0
                pictures = to_uint8(drawing.rows(block, ended))
                writing = [pool.submit(album.write, k, pictures[k - block.start]) for k in lacking]
            waiting += len(block)
        _settle(writing)
    if rank:
        return
    for block in blocks(numbers, drawing.size) if ranks > 1 else ():
        while album.lacking(block):
            time.sleep(LOOK)
            yield Progress(max(0, total - len(block)), total)
    album.finish(numbers, runner.classes_of(drawing.experiment))
    yield Progress(total, total)


def _settle(writing):
    """Wait until images are written; a full disk is told here."""
    for each in writing:
        each.result()


def rows(drawing: Drawing, numbers: range) -> Iterator[np.ndarray]:
    """The samples of these numbers in their order, float32 [n, …], a batch at a time."""
    for block in blocks(numbers, drawing.size):
        yield drawing.rows(block, last(drawing.states(block)))


def joined(parts: Sequence[Sequence[State]]) -> list[State]:
    """The states of several batches as those of one."""
    return [
        State(
            first.index, first.t, first.sigma, first.scale, torch.cat([state.x for state in several]),
            torch.cat([state.denoised for state in several]), first.evaluations,
        )
        for several in zip(*parts, strict=True)
        for first in several[:1]
    ]  # fmt: skip


def numbers_of(text: str) -> range:
    """The samples that a text like 0-49999, or 7, names. Raises Refused, with a sentence, for another."""
    first, dash, end = text.strip().partition("-")
    if not (first.isascii() and first.isdecimal()) or (dash and not (end.isascii() and end.isdecimal())):
        raise Refused(f"--seeds {text!r:.40}: must be numbers of samples, like 0-49999")
    found = range(int(first), int(end if dash else first) + 1)
    if not found or found.stop > MOST:
        raise Refused(f"--seeds {text!r:.40}: must rise, and stay below {MOST:,}")
    return found
