"""What `python -m edm sample` writes while it is drawn: more samples than would be kept in memory."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from edm.base.errors import Refused
from edm.commands import computing
from edm.commands.progress import Line

if TYPE_CHECKING:
    from pathlib import Path

    from edm.experiments.experiment import Experiment
    from edm.sampling.computing import Computing


def album(experiment: Experiment, numbers: range | None, how: Computing, out: Path, device: str) -> int | None:
    """Many images, of which each process draws its own."""
    from edm.experiments import many, models, runner
    from edm.files.albums import Album
    from edm.training import parallel

    model, album = models.of(experiment), Album(out)
    if len(model.shape) != 3:
        raise Refused(f"--out {out}: {model.name} makes points, not images; write them into a .csv or .npz file")
    numbers = range(model.count) if numbers is None else numbers
    with parallel.world(device) as world:
        place = runner.place(model, device) if world.size == 1 else world.device
        drawing = many.Drawing(experiment, how, place)
        if not world.rank:
            computing.say(model.denoiser, how, place)
            album.prepare(drawing.document(), drawing.differs)
        complete = album.complete(numbers)
        world.gather(complete)  # nobody writes before the place is ready
        line, progress = Line(sys.stderr, what="images"), many.Progress(0, len(numbers))
        try:
            for progress in () if complete else many.images(drawing, numbers, album, world.rank, world.size):
                if not world.rank:
                    line.show(*progress)
        except KeyboardInterrupt:
            if not world.rank:
                line.end(f"stopped with {progress.done:,} of {progress.total:,} images; the same command goes on")
            return 130
        if not world.rank:
            line.end()
            print(f"{len(numbers):,} images -> {out}")
    return None


def stream(experiment: Experiment, numbers: range, how: Computing, out: Path, device: str) -> None:
    """Many samples as numbers, of which none are kept."""
    import numpy as np

    from edm.base.atomic import atomic
    from edm.data import points
    from edm.experiments import many, models, runner
    from edm.files import arrays

    model, line = models.of(experiment), Line(sys.stderr)
    place = runner.place(model, device)
    computing.say(model.denoiser, how, place)
    drawing = many.Drawing(experiment, how, place)

    def rows():
        done = 0
        for part in many.rows(drawing, numbers):
            yield model.units.restored(part)
            done += len(part)
            line.show(done, len(numbers))
        line.end()

    with atomic(out) as file:
        if out.suffix.lower() == ".csv":
            for part in rows():
                points.write(file, part)
        else:
            print(f"{out} holds the samples alone: of so many no trajectories are kept.", file=sys.stderr)
            document = {**experiment.document(), "count": len(numbers)}
            shape = (len(numbers), *model.shape)
            told = {"settings": json.dumps(document), "first": np.asarray(numbers.start)}
            arrays.write(file, "samples", rows(), shape, dtype="<f8" if model.units.scaled else "<f4", **told)
    print(f"{len(numbers):,} samples -> {out}")
