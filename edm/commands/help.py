"""How the help of a command is written: what it is about, its options, and behind them examples."""

from __future__ import annotations

import argparse
import textwrap
from typing import Any


class Help(argparse.HelpFormatter):
    """Fills paragraphs to the width of the terminal, and leaves alone lines that are indented, as commands are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        filled, paragraph = [], []
        for line in [*text.splitlines(), ""]:
            if line[:1] not in ("", " "):
                paragraph.append(line)
                continue
            filled += [*textwrap.wrap(" ".join(paragraph), width, break_on_hyphens=False), line]
            paragraph = []
        return "\n".join(filled[:-1])


def command(
    commands: argparse._SubParsersAction, name: str, help: str, about: str = "", more: str = "", **named: Any
) -> argparse.ArgumentParser:
    """A new command among `commands`. about: what it does, said before its options; more: said behind them."""
    about = about or f"{help[0].upper()}{help[1:]}."
    return commands.add_parser(name, help=help, description=about, epilog=more, formatter_class=Help, **named)
