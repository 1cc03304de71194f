"""python -m edm data: what a folder, an archive or a file holds that could be learned."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from edm.base.errors import Refused
from edm.commands.help import command
from edm.commands.options import place
from edm.commands.progress import Line

if TYPE_CHECKING:
    import argparse

    from edm.data.advised import Advice

ABOUT = """Say what there is to be learned in a folder, an archive or a file: how many images or points, of which shape
and classes, what was left out and why, and what was decided. What `train --path` reads is this. With --advice also
what it says of how to train on it: σ_data, σ_min, σ_max, P_mean and P_std, and why."""
MORE = """examples:
  python -m edm data photos.zip
  python -m edm data measured.csv --json
  python -m edm data pictures/ --leave-out
  python -m edm data pictures/ --advice
  python -m edm data digits --advice --json"""


def add(commands: argparse._SubParsersAction) -> None:
    parser = command(commands, "data", "say what there is to be learned in a folder, an archive or a file", ABOUT, MORE)
    parser.add_argument(
        "path",
        type=place,
        help="folder, zip or tar of images, or a file of images or points; "
        "with --advice also the name of a data set, such as digits",
    )
    parser.add_argument("--json", action="store_true", help="all of it as JSON, each file or row that was left out too")
    parser.add_argument("--columns", metavar="A,B", help="of a table: its coordinates, and classes")
    parser.add_argument("--labels", choices=("names",), help="take classes from the names of the files")
    parser.add_argument("--leave-out", action="store_true", help="leave out images that are broken")
    parser.add_argument("--advice", action="store_true", help="how to train on it, and why; takes some seconds")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> Any:
    from edm import data
    from edm.data import sources

    named = options.advice and options.path in sources.names() and not os.path.exists(options.path)
    document, lines, found = {}, [], options.path
    if not named:
        line, how = Line(sys.stderr, what="files"), {"labels": options.labels, "leave_out": options.leave_out}
        try:
            found = data.bring(options.path, columns=options.columns, progress=line.show, **how)
        except Refused as error:
            raise _network(options.path) or error from None
        finally:
            line.end()
        document, lines = found.document(), [found.told()]
    if options.advice:
        advised = _advised(found)
        document, lines = document | {"advice": advised.document()}, [*lines, *advised.sentences]
    print(json.dumps(document, indent=2, ensure_ascii=False) if options.json else "\n".join(lines))


def _network(path) -> Refused | None:
    """That a network is no data, if it is one."""
    from edm.files import checkpoints
    from edm.files.foreign import foreign

    with suppress(OSError, Refused):
        if other := foreign(path):
            return Refused(f"{path} holds no data: {other.sentence}")
        checkpoints.read_header(path)
        return Refused(f"{path} holds no data, but a network: python -m edm sample --model {path} draws from it")
    return None


def _advised(found) -> Advice:
    """What the data say, with progress on a line of its own."""
    from edm import data

    line, step = Line(sys.stderr, what="%"), None
    for step in data.advise(found):
        line.show(round(100 * step.share), 100)
    line.end()
    assert step is not None and step.advice is not None
    return step.advice
