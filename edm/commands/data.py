"""python -m edm data: what a folder, an archive or a file holds that could be learned."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from edm.commands.help import command
from edm.commands.options import filled, place

if TYPE_CHECKING:
    import argparse

ABOUT = """Say what there is to be learned in a folder, an archive or a file: how many images or points, of which shape
and classes, what was left out and why, and what was decided. What `train --path` reads is this."""
MORE = """examples:
  python -m edm data photos.zip
  python -m edm data measured.csv --json
  python -m edm data pictures/ --leave-out"""


def add(commands: argparse._SubParsersAction) -> None:
    parser = command(commands, "data", "say what there is to be learned in a folder, an archive or a file", ABOUT, MORE)
    parser.add_argument("path", type=place, help="folder, zip or tar of images, or a file of images or points")
    parser.add_argument("--json", action="store_true", help="all of it as JSON, each file or row that was left out too")
    parser.add_argument("--columns", type=filled, metavar="A,B", help="of a table: its coordinates, and classes")
    parser.add_argument("--labels", choices=("names",), help="take classes from the names of the files")
    parser.add_argument("--leave-out", action="store_true", help="leave out images that are broken")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> Any:
    from edm import data

    found = data.bring(options.path, columns=options.columns, labels=options.labels, leave_out=options.leave_out)
    print(json.dumps(found.document(), indent=2, ensure_ascii=False) if options.json else found.told())
