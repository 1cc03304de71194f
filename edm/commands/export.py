"""python -m edm export: a checkpoint's averaged weights as a small model file with a card."""

from __future__ import annotations

from pathlib import Path


def add(commands):
    parser = commands.add_parser("export", help="make a small model file, with a card, from a run or a checkpoint")
    parser.add_argument("place", help="a checkpoint, or the folder of a run: then its last one")
    parser.add_argument("--out", required=True, help="model file to write: .safetensors")
    parser.add_argument("--title", default="", help="its name for people")
    parser.add_argument("--family", default="", help="name that the checkpoints of one run share on the page")
    parser.add_argument("--order", type=int, default=99, help="its place among other models (default: %(default)s)")
    parser.add_argument("--ema", type=int, default=0, help="which of the averages (default: the first)")
    parser.set_defaults(run=run)


def run(options):
    from edm.training.export import export
    from edm.training.recording import checkpoints

    place = Path(options.place)
    if place.is_dir():
        found = checkpoints(place)
        if not found:
            raise ValueError(f"{place}: there is no checkpoint in it")
        place = found[-1]
    export(place, options.out, title=options.title, family=options.family, order=options.order, ema=options.ema)
    print(options.out)
