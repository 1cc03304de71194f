"""python -m edm info: what a file of ours is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edm.base import kinds_of_files
from edm.commands.help import command
from edm.commands.options import place

if TYPE_CHECKING:
    import argparse

ABOUT = """Say what a file is: a model's or a checkpoint's card, or the settings that a picture was drawn with."""
MORE = """examples:
  python -m edm info assets/models/digits_edm.safetensors
  python -m edm info picture.png"""


def add(commands: argparse._SubParsersAction) -> None:
    parser = command(commands, "info", "say what a model, a checkpoint or a picture is", ABOUT, MORE)
    parser.add_argument("file", type=place, help="a .safetensors file, or a picture (.png, .gif, .svg), of ours")
    parser.add_argument("--json", action="store_true", help="the whole header, as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> Any:
    if Path(options.file).is_file() and kinds_of_files.is_picture(options.file):
        from edm.files.render import read_document

        print(json.dumps(read_document(options.file), indent=2))
        return
    import torch

    from edm import networks
    from edm.files import checkpoints
    from edm.training.export import card

    header = checkpoints.read_header(options.file)
    if options.json:
        print(json.dumps(header.document(complete=True), indent=2))
        return
    with torch.device("meta"):  # a header may ask for any size
        count = networks.parameters(checkpoints.build(header.network, options.file))
    print(card(header, options.file, count), end="")
    if broken := checkpoints.broken(options.file):
        print(f"\n**Not usable**: {broken}")
