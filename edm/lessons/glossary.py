"""Every symbol that is shown to people, in words: presets/glossary.yaml."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated

from pydantic import Field, model_validator

from edm.base import settings_files
from edm.base.fields import Settings, refusal
from edm.base.resources import PRESETS

PLACE = PRESETS / "glossary.yaml"
PAPER = re.compile(
    r"(Section|Appendix|Equation|Figure|Table|Algorithm) [\dA-F]|(After|Before) the paper: \S"
)  # how a place is written
_Line = Annotated[str, Field(min_length=1, max_length=300)]


class Symbol(Settings):
    """symbol: as it is written in texts, such as σ_max. say: how it is read aloud. text: what it is. paper: where it
    is defined there, or in which later work. forms: how it may be written besides; empty: it is a word, which texts do
    not mark. of: names of knobs, where one symbol means several things. lesson: NAME/STEP in which it matters."""

    symbol: _Line
    say: _Line
    text: _Line
    paper: _Line
    forms: tuple[_Line, ...] | None = None
    of: tuple[str, ...] = ()
    lesson: str = ""

    @model_validator(mode="after")
    def _consistent(self):
        if not PAPER.match(self.paper):
            raise refusal("paper", self.paper, "must begin with its place, such as Section 3, or After the paper:")
        return self

    @property
    def written(self) -> tuple[str, ...]:
        """All forms in which a text may have it."""
        return () if self.forms == () else (self.symbol, *(self.forms or ()))

    @property
    def place(self) -> tuple[str, int] | None:
        """(name, step from 1 on) of the lesson in which it matters."""
        name, _, step = self.lesson.partition("/")
        return (name, int(step)) if name else None


class Glossary(Settings):
    """symbols: in the order of a list of all."""

    symbols: tuple[Symbol, ...]


@lru_cache(maxsize=1)
def symbols() -> tuple[Symbol, ...]:
    """All of them."""
    return Glossary.parse(settings_files.read(PLACE)).symbols


def forms() -> list[str]:
    """Everything that a text may have of them, the longest first."""
    found = dict.fromkeys(form for symbol in symbols() for form in symbol.written)
    return sorted(found, key=len, reverse=True)
