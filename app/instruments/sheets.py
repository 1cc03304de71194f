"""What one is looking at: presets/sheets/NAME.yaml of every instrument, kind of the Sampler's stage, and the Train tab.

axes: what is drawn, with units   tries: what to do, as links to states of the page   paper: where it stands there
mistake: what would be wrong to conclude   title: of what is no instrument
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from edm.base.fields import Settings, refusal
from edm.experiments import presets
from edm.lessons import glossary

_Text = Annotated[str, Field(min_length=20, max_length=1200)]


class Sheet(Settings):
    """See above; all but the title are texts as of lessons, of which the page sets the symbols."""

    axes: _Text
    tries: _Text
    paper: Annotated[str, Field(max_length=200)]
    mistake: _Text
    title: str = ""

    @field_validator("paper")
    @classmethod
    def _placed(cls, paper: str) -> str:
        if not glossary.PAPER.match(paper):
            raise refusal("paper", paper, "must begin with its place, such as Section 3, or After the paper:")
        return paper


def names() -> list[str]:
    """Of what there are sheets."""
    return sorted(name.split("/")[1] for name in presets.names("sheets"))


def load(name: str) -> Sheet:
    """The sheet of an instrument, of a stage or of a tab. Raises SettingsError for an unknown name."""
    return Sheet.parse(presets.read(f"sheets/{name}"))
