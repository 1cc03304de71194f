"""python -m tests.documentation FOLDER: the library's documentation as web pages, made from its docstrings by pdoc.

They need no network. Docstrings are shown as they are written: their mathematics is in the paper's letters, and their
tables are aligned by blanks, neither of which Markdown would leave alone.
"""

from __future__ import annotations

import argparse
import base64
import re
import sys
from contextlib import ExitStack
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_type_hints
from unittest.mock import patch

import pdoc.doc
import pdoc.render

import edm
from edm.base.resources import ASSETS, CODE

STYLE = """
.pdoc .docstring { white-space: pre-wrap; font-size: 0.95em; line-height: 1.45; tab-size: 4; }
.pdoc .docstring code { font-size: 0.95em; }
"""


def modules() -> list[str]:
    """The modules that are documented: all but what starts a command."""
    found = []
    for path in sorted((CODE / "edm").rglob("*.py")):
        parts = path.relative_to(CODE).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        if not any(part.startswith("_") for part in parts):
            found.append(".".join(parts))
    return found


def build(folder, names: list[str], source: bool = True) -> None:
    """Write a page for each of these modules, and an index, into `folder`. source: show it with everything."""
    picture = base64.b64encode((ASSETS / "favicon.png").read_bytes()).decode()
    # pdoc sees only what a module holds already, and these load a name when it is asked for
    fronts = {front: {name: getattr(front, name) for name in front.__all__} for front in (edm, edm.runs)}
    with ExitStack() as stack:
        templates = stack.enter_context(TemporaryDirectory())
        for front, held in fronts.items():
            stack.enter_context(patch.dict(vars(front), held))
        stack.enter_context(patch.dict(pdoc.render.env.filters, to_html=as_written))
        Path(templates, "custom.css").write_text(STYLE, encoding="utf-8")
        stack.enter_context(patch("pdoc.doc.formatannotation", plain(pdoc.doc.formatannotation)))
        pdoc.render.configure(
            favicon=f"data:image/png;base64,{picture}",
            footer_text="EDM Explorer",
            show_source=source,
            template_directory=Path(templates),
        )
        pages = {name: _Module.from_name(name) for name in names}
        for name, page in pages.items():
            _settle(page.obj)
            page.submodules = [below for below in pages.values() if below.fullname.rpartition(".")[0] == name]
        for page in pages.values():
            _write(Path(folder, *page.fullname.split(".")).with_suffix(".html"), pdoc.render.html_module(page, pages))
        _write(Path(folder, "index.html"), pdoc.render.html_index(pages))
        _write(Path(folder, "search.js"), pdoc.render.search_index(pages))


def _settle(module):
    """The types of named tuples, whose constructors know none of the names in their module."""
    for found in vars(module).values():
        if isinstance(found, type) and issubclass(found, tuple) and hasattr(found, "_fields"):
            found.__new__.__annotations__.update(get_type_hints(found))


class _Module(pdoc.doc.Module):
    submodules = ()  # all that have a page, not only those in `__all__`


def _write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def plain(written):
    """How types are written, without what only checks them: a knob's `Annotated[float, …]` is a float."""

    def shown(annotation, *arguments, **named):
        bare = get_type_hints(type("", (), {"__annotations__": {"_": annotation}}))["_"]
        return written(bare, *arguments, **named)

    return shown


class _Text(str):
    """HTML of a docstring. It has no table of contents."""

    toc_html = ""


def as_written(docstring: str) -> str:
    """The HTML of a docstring, `names` in backquotes as code."""
    return _Text(re.sub(r"`([^`\n]+)`", r"<code>\1</code>", escape(docstring, quote=False)))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.documentation", description=__doc__.partition(":")[2])
    parser.add_argument("folder", metavar="FOLDER", help="folder to write the pages into; open its index.html")
    folder = parser.parse_args().folder
    build(folder, modules())
    print(Path(folder, "index.html"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
