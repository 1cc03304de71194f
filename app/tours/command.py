"""python -m app lessons export NAME: a lesson as a page of its own, with its pictures in it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from edm.base import paths
from edm.base.errors import Refused
from edm.commands.help import Help

PROGRAM = "python -m app lessons"
ABOUT = """A lesson as one HTML file: its text, a picture of each step as the page draws it, the questions, and the
answers with numbers that are computed now. It needs no server, no script and no network, and prints well."""
MORE = """examples:
  python -m app lessons export rho
  python -m app lessons export rho --theme dark --out rho-dark.html
  python -m app lessons export my-lesson.yaml --address https://edm.example/

Pictures are drawn in a browser without a window: pip install 'edm-explorer[export]', and a Chromium, of the system or
by python -m playwright install chromium."""


def options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=PROGRAM, description=ABOUT, epilog=MORE, formatter_class=Help)
    commands = parser.add_subparsers(dest="command", required=True, metavar="export")
    export = commands.add_parser("export", description=ABOUT, epilog=MORE, formatter_class=Help, help="write one")
    export.add_argument("lesson", metavar="NAME", help="a lesson that ships, or a YAML file that holds one")
    export.add_argument("--out", metavar="FILE", type=paths.text, help="the page (default: NAME.html, here)")
    export.add_argument("--theme", choices=("light", "dark"), default="light", help="(default: %(default)s)")
    export.add_argument(
        "--address",
        default="http://127.0.0.1:7860/",
        metavar="URL",
        help="of the explorer that its links lead to (default: %(default)s)",
    )
    export.add_argument(
        "--runs",
        type=paths.text,
        metavar="FOLDER",
        help="where models of runs are looked for (default: as the app does)",
    )
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Returns the exit code, as `app.__main__.main` does."""
    chosen = options(arguments)
    try:
        export(chosen)
    except KeyboardInterrupt:
        print(f"{PROGRAM}: stopped", file=sys.stderr)
        return 130
    except Exception as error:
        from edm.__main__ import failed

        return failed(f"{PROGRAM} export", error)
    return 0


def export(chosen: argparse.Namespace) -> None:
    """Raises Refused for what is no lesson, a place that cannot be written, or a browser that is not there."""
    from app.tours import document, pictures
    from edm.base.atomic import atomic

    name, lesson = read(chosen.lesson)
    if not chosen.address.startswith(("http://", "https://")):
        raise Refused(f"--address {chosen.address}: must be that of a page, such as https://edm.example/")
    out = Path(chosen.out or f"{name}.html").expanduser()
    if not out.parent.is_dir():
        raise Refused(f"--out {out}: there is no folder {out.parent}; make it, or choose another")
    if out.is_dir():
        raise Refused(f"--out {out}: this is a folder; name a file in it")
    ships = name if chosen.lesson == name else None
    with pictures.explorer(chosen.theme, chosen.runs) as page:
        written = document.written(lesson, ships, page, chosen.theme, chosen.address, print)
    with atomic(out) as file:
        file.write(written)
    print(f"{out}: {len(lesson.steps)} step{'s' * (len(lesson.steps) != 1)}, {len(written) / 1e6:.2f} MB")


def read(named: str):
    """(its name, the lesson) of one that ships, or of a YAML file. Raises Refused."""
    from edm import lessons
    from edm.base import settings_files

    if named in lessons.names():
        return named, lessons.load(named)
    path = Path(named).expanduser()
    if path.suffix.lower() not in (".yaml", ".yml"):
        raise Refused(f"there is no lesson {named}; there are {', '.join(lessons.names())}, or name a YAML file")
    if not path.is_file():
        raise Refused(f"there is no file {named}; name a lesson's YAML file, or one of {', '.join(lessons.names())}")
    return path.stem, lessons.parse(settings_files.read(path))
