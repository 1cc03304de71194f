"""python -m edm sample: sample a model and write a picture, the numbers, or many images."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edm.base import paths
from edm.base.errors import Refused
from edm.commands import computing, queued, written
from edm.commands import options as common
from edm.commands.help import command
from edm.experiments.experiment import MAX_SAMPLES, Experiment

if TYPE_CHECKING:
    import argparse

ABOUT = """Sample a model and write a picture (.png), a film from noise to data (.gif) or lines for slides (.svg, of
points), each with its settings inside; the numbers (.csv), the samples with their trajectories (.npz), or as many
images as you like: into a folder, or a .zip."""
MORE = """examples:
  python -m edm sample --model digits --label 3 --steps 12 --out threes.png
  python -m edm sample --preset designs/vp --model spiral --out spiral.npz
  python -m edm sample --model digits_edm --preset designs/vp --steps 40 --count 64 --out digits.png
  python -m edm sample --model spiral --out film.gif --dark
  python -m edm sample --config film.gif --steps 40
  python -m edm sample --model digits_edm --label 3 --guidance free --guidance_weight 2 --out threes.png
  python -m edm sample --model runs/digits/checkpoints/00000200000.safetensors
  python -m edm sample --model digits_edm --count 50000 --out images/
  python -m edm sample --model scenes_16_32 --cascade scenes_16 --cascade_noise 0.1 --out cascade.png
  torchrun --nproc_per_node 8 -m edm sample --model cifar10.safetensors --seeds 0-49999 --out images.zip

--model is a name that `python -m edm models` lists, a .safetensors file of ours, or run-NAME_IMAGES: the checkpoint of
so many images of the run NAME, looked for in $EDM_RUNS or runs/.

--label is a class's name (cat); a number is a name too where classes have numbers for names, and a class's place, from
0, where none has. none: without a class, of a network that was so in part of its training.

--guidance leads samples further than the model does: free (away from the same model without a class), classifier
(--guide: a classifier of noisy samples), auto (--guide: a worse model), cfgpp, apg; tilted draws from p(x)·p(c|x)^w
itself, as one population, and wants 100 steps or more. --guidance_interval 0.2,5: between two noise levels only.
--guidance_told no: the classifier alone leads, D without a class; a network that knows no classes is always led so.
--clip yes: D of images is kept within -1 and 1, before guidance, as guided-diffusion's sampler does.

A model that makes images larger begins with samples of another, --cascade, which get noise of --cascade_noise.

Presets, then the file of --config, then options: each goes over what stands before it.

Many images lie in sub-folders of 1,000 (00000/000000.png), called by the numbers of their samples, with their classes
in dataset.json: a set that --dataset folder reads. The same command goes on where it was stopped or killed, and with a
greater --count. Sample k is the same bit for bit on the CPU, whatever else is drawn and on however many processes; on
GPUs with the same --batch, and else to rounding.

A script can ask a running page for the same:
  gradio_client.Client(address).predict({"model": "spiral", "steps": 9}, api_name="/sample")
with a password, Client(address, auth=("edm", WORD)). Two requests of a visitor are computed at a time, each of at most
about 20 s."""
OUT = "sample.png"
# what the ending of --out asks for
PICTURE, NUMBERS, ALBUM = (".png", ".gif", ".svg"), (".csv", ".npz"), ("", ".zip")


def add(commands: argparse._SubParsersAction) -> None:
    usage = "python -m edm sample [options]"
    title = "sample a model and write a picture, the numbers, or many images"
    parser = command(commands, "sample", title, ABOUT, MORE, usage=usage)
    out = f"what to write: .png, .gif, .svg, .npz or .csv; for many images a folder or a .zip (default: {OUT})"
    parser.add_argument("--out", type=common.place, help=out)
    parser.add_argument("--dark", action="store_true", help="a dark background, of a .gif or .svg")
    parser.add_argument("--seeds", metavar="FIRST-LAST", help="which samples, in the place of --count: 0-49999")
    queued.add(parser, "draw many images")
    parser.add_argument("--dry-run", action="store_true", help="check and print the settings, sample nothing")
    batch = "samples at once (default: what the device is good for; many images on the CPU are always drawn 32 at once)"
    computing.add(parser, batch)
    common.add(parser, Experiment, "experiment")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> Any:
    if options.folder:
        return queued.work("sample", options)
    how, document = computing.of(options), common.document_of(options)
    if options.queue:
        return _enqueue(document, how, options)
    options.out = options.out or OUT
    ending = "" if options.out.endswith(("/", os.sep)) or os.path.isdir(options.out) else _ending(options.out)
    numbers = _numbers(document, options, ending)
    if isinstance(model := document.get("model"), str):
        document["model"] = _known(model)
    if isinstance(guide := document.get("guide"), str) and document.get("guidance") != "classifier":
        document["guide"] = _known(guide)
    experiment = Experiment.parse(document)
    if options.dry_run:
        count = {} if numbers is None else {"count": len(numbers)}
        print(json.dumps({**experiment.document(), **count}, indent=2))
        return None
    out = Path(options.out)
    if ending not in (*PICTURE, *NUMBERS, *ALBUM):
        raise Refused(
            f"--out {out}: the name must end in .png, .gif, .svg, .npz or .csv, or for many images in .zip or /"
        )
    if options.dark and ending not in (".gif", ".svg"):
        raise Refused(f"--dark: {out} has no background to choose; name a .gif or .svg with --out")
    if not out.absolute().parent.is_dir():
        raise Refused(f"--out {out}: there is no folder {out.parent}")
    if ending in ALBUM:
        return written.album(experiment, numbers, how, out, options.device)
    if (several := int(os.environ.get("WORLD_SIZE", "1"))) > 1:
        raise Refused(f"--out {out}: {several} processes share images only; name a folder or a .zip")
    if numbers is not None:
        return written.stream(experiment, numbers, how, out, options.device)
    return _picture(experiment, how, out, options.device, "dark" if options.dark else "light")


def _known(model) -> str:
    """A model's name, once its file, or that of a run's folder, is known."""
    from edm.experiments import models
    from edm.files import saved

    model = paths.text(model)
    if model.lower().endswith(".safetensors") or (os.path.exists(model) and not models.known(model)):
        return models.register(saved.chosen(model))
    return model


def _ending(name) -> str:
    return Path(name).suffix.lower()


def _numbers(document, options, ending) -> range | None:
    """Which samples are wanted, where they are more than one picture, or one run of the sampler, may have; the document
    keeps no count then."""
    from edm.experiments.many import Many, numbers_of

    count = document.get("count")
    asked = None if count in (None, "none", "auto") else Many.parse({"count": count}).count
    if options.seeds is not None and options.count is not None:
        raise Refused("--seeds and --count both say how many; give one of them")
    if options.seeds is None and ending not in ALBUM and (asked or 0) <= MAX_SAMPLES:
        return None
    if ending in PICTURE:
        what = f"--seeds {options.seeds}" if options.seeds else f"--count {asked:,}"
        raise Refused(
            f"{what}: a picture has the first samples, at most {MAX_SAMPLES:,}; for others name with --out a folder, "
            "a .zip, a .csv or a .npz"
        )
    document.pop("count", None)
    return numbers_of(options.seeds) if options.seeds else range(asked) if asked else None


def _enqueue(document, how, options):
    """Many images as a task of a run."""
    from edm.experiments.many import Many, numbers_of

    if options.out:
        raise Refused("--queue puts the images into the run's own folder; leave out --out")
    model, numbers = str(document.pop("model", "")), numbers_of(options.seeds) if options.seeds else None
    if numbers is not None and options.count is not None:
        raise Refused("--seeds and --count both say how many; give one of them")
    which = {} if numbers is None else {"count": len(numbers), "first": numbers.start}
    settings = Many.parse({**document, **which, "computing": how.document()})
    if options.dry_run:
        return print(json.dumps(settings.document(), indent=2))
    return queued.start("sample", model, settings.document(), options.device)


def _picture(experiment, how, out, device, look):
    """Samples of which all states are kept until they are written."""
    import numpy as np

    from edm.base.atomic import atomic
    from edm.data import points
    from edm.experiments import models, runner
    from edm.files import films, render

    model = models.of(experiment)
    if _ending(out) == ".svg":
        films.check_drawn(model)
    for note in runner.path(experiment, model).notes:
        print(f"{note}.", file=sys.stderr)
    states = _states(experiment, how, device)
    samples, part = model.units.restored(states[-1].x.cpu().numpy()), runner.part_of(experiment, model)
    if _ending(out) == ".png":
        render.save_png(render.picture(model, states, part=part), out, experiment.document())
    elif _ending(out) in PICTURE:
        with atomic(out) as file:
            file.write(films.content(_ending(out)[1:], model, states, experiment.document(), look, part=part))
    elif _ending(out) == ".csv":
        with atomic(out) as file:
            points.write(file, samples)
    else:
        trajectory = np.stack([model.units.restored((state.x / state.scale).cpu().numpy()) for state in states])
        with atomic(out) as file:
            np.savez(
                file,
                samples=samples,
                trajectory=trajectory,
                sigma=[state.sigma for state in states],
                settings=json.dumps(experiment.document()),
            )
    print(f"{len(samples)} samples, {_cost(experiment, model, states[-1].evaluations)} evaluations -> {out}")


def _cost(experiment, model, evaluations) -> str:
    """The evaluations of a sample; of a cascade those of both stages."""
    from edm.experiments import cascades, runner

    if model.low is None:
        return str(evaluations)
    return f"{cascades.first(experiment, runner.denoiser(experiment, model))} + {evaluations}"


def _states(experiment, how, device) -> list:
    """The states of all samples, drawn in batches where --batch says so."""
    from edm.experiments import many, models, runner
    from edm.sampling.computing import prepared

    model, count = models.of(experiment), runner.count(experiment)
    place = runner.place(model, device, count)
    computing.say(model.denoiser, how, place)
    denoiser = runner.denoiser(experiment, model, place, lambda inner: prepared(inner, how, place))
    parts = []
    size = count if runner.together(experiment) else how.batch or count
    for block in many.blocks(range(count), size):
        part = []
        numbers = None if len(block) == count else block
        for state in runner.states(experiment, place, numbers=numbers, model=model, made=denoiser):
            part.append(state)
            told = f"step {state.index}, σ = {state.sigma:.4g}, {state.evaluations} evaluations"
            print(f"\r{told} ", end="", file=sys.stderr)
        parts.append(part)
    print(file=sys.stderr)
    return parts[0] if len(parts) == 1 else many.joined(parts)
