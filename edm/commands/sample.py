"""python -m edm sample: sample a model and write a picture or the numbers."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edm.base.errors import Refused
from edm.commands import computing
from edm.commands import options as common
from edm.commands.help import command
from edm.experiments.experiment import Experiment

if TYPE_CHECKING:
    import argparse

ABOUT = """Sample a model and write a picture (.png, with its settings inside), the numbers (.csv), or the samples with
their trajectories (.npz)."""
MORE = """examples:
  python -m edm sample --model digits --label 3 --steps 12 --out threes.png
  python -m edm sample --preset designs/vp --model spiral --out spiral.npz
  python -m edm sample --model digits_edm --preset designs/vp --steps 40 --count 64 --out digits.png
  python -m edm sample --config picture.png --steps 40
  python -m edm sample --model runs/digits/checkpoints/00000200000.safetensors

--model is a name that `python -m edm models` lists, a .safetensors file of ours, or run-NAME_IMAGES: the checkpoint of
so many images of the run NAME, looked for in $EDM_RUNS or runs/.

--label is a class's name (cat); a number is a name too where classes have numbers for names, and a class's place, from
0, where none has.

Presets, then the file of --config, then options: each goes over what stands before it.

A script can ask a running page for the same:
  gradio_client.Client(address).predict({"model": "spiral", "steps": 9}, api_name="/sample")
with a password, Client(address, auth=("edm", WORD)). Two requests of a visitor are computed at a time, each of at most
about 20 s."""


def add(commands: argparse._SubParsersAction) -> None:
    usage = "python -m edm sample [options]"
    title = "sample a model and write a picture or the numbers"
    parser = command(commands, "sample", title, ABOUT, MORE, usage=usage)
    parser.add_argument("--out", default="sample.png", help="file to write: .png, .npz or .csv (default: %(default)s)")
    parser.add_argument("--dry-run", action="store_true", help="check and print the settings, sample nothing")
    computing.add(parser)
    common.add(parser, Experiment, "experiment")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> Any:
    document = common.document_of(options)
    if str(document.get("model")).lower().endswith(".safetensors"):
        from edm.experiments import models

        models.register(document["model"])
    experiment = Experiment.parse(document)
    if options.dry_run:
        print(json.dumps(experiment.document(), indent=2))
        return
    out = Path(options.out)
    suffix = out.suffix.lower()
    if suffix not in {".png", ".npz", ".csv"}:
        raise Refused(f"--out {out}: the name must end in .png, .npz or .csv")
    if not out.parent.is_dir():
        raise Refused(f"--out {out}: there is no folder {out.parent}")

    import numpy as np

    from edm.base import devices
    from edm.base.atomic import atomic
    from edm.data import points
    from edm.experiments import models, runner
    from edm.files import render
    from edm.sampling.path import path_of

    model, place = models.of(experiment), devices.device(options.device)
    for note in path_of(experiment.sampling, model.denoiser).notes:
        print(f"{note}.", file=sys.stderr)
    how, states = computing.of(options), []
    for state in runner.states(experiment, place, lambda denoiser: computing.applied(denoiser, how, place)):
        states.append(state)
        print(f"\rstep {state.index}, σ = {state.sigma:.4g}, {state.evaluations} evaluations ", end="", file=sys.stderr)
    print(file=sys.stderr)
    samples = states[-1].x.cpu().numpy()
    if suffix == ".png":
        render.save_png(render.picture(model, states), out, experiment.document())
    elif suffix == ".csv":
        with atomic(out) as file:
            points.write(file, samples)
    else:
        trajectory = np.stack([(state.x / state.scale).cpu().numpy() for state in states])
        with atomic(out) as file:
            np.savez(
                file,
                samples=samples,
                trajectory=trajectory,
                sigma=[state.sigma for state in states],
                settings=json.dumps(experiment.document()),
            )
    print(f"{len(samples)} samples, {states[-1].evaluations} evaluations -> {out}")
