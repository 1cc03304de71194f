"""What the page sends with its events: parsed first, computed second.

A message that is not as declared here is refused in a sentence that names the key at fault. `serial` numbers the
requests about one topic; `values` are settings as text, by the names of their fields, as an address holds them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from edm.base.errors import Refused
from edm.base.fields import Settings, SettingsError, Whole

MOST_NAMES, MOST_TEXT = 200, 100_000
_Serial = Annotated[int, Field(strict=True, ge=0, le=1 << 53)]
_Text = Annotated[str, Field(max_length=MOST_TEXT)]
_Values = Annotated[dict[_Text, Any], Field(max_length=MOST_NAMES)]
_Texts = Annotated[dict[_Text, _Text], Field(max_length=MOST_NAMES)]
_Images = Annotated[int, Field(strict=True, ge=0, le=10**12)]


class Message(Settings):
    """serial: 0 where nobody waits for the answer."""

    model_config = ConfigDict(extra="ignore", model_title_generator=lambda kind: f"{kind.__name__}Request")

    serial: _Serial = 0

    @classmethod
    def read(cls, document) -> Message:
        """From what the page has sent. Raises Refused with a sentence that names the key at fault."""
        try:
            return cls.parse(document)
        except SettingsError as error:
            raise Refused(f"The request could not be read: {error}") from None


class Window(Settings):
    """The picture's width over its height, and whether its window follows σ. aspect: None of a hidden one."""

    aspect: float | None = Field(None, allow_inf_nan=False)
    follow: bool = False


class Open(Message):
    """What the page's address says after its "?"."""

    query: _Text


class Lesson(Message):
    """A lesson, by what stands in a link; or the one in a file, whose text this is."""

    name: _Text = ""
    text: _Text | None = None


class Sheet(Message):
    """What one is looking at, by its name: an instrument's, a stage's or a tab's."""

    name: _Text


class Reveal(Message):
    """What comes of a lesson's step: the document of one, and the settings that are shown."""

    step: Annotated[dict[str, Any], Field(max_length=MOST_NAMES)]
    values: _Values


class Picture(Message):
    """Sample settings. field: where arrows are wanted. moving: while a knob is being moved."""

    values: _Values
    field: Window | None = None
    moving: bool = False


class Probe(Picture):
    """The path of one particle from `position` at noise level `level`."""

    position: Annotated[tuple[Annotated[float, Field(allow_inf_nan=False)], ...], Field(min_length=1, max_length=2)]
    level: Whole


class Levels(Message):
    """Sample settings whose noise levels shall be found."""

    values: _Values


class Steps(Message):
    """Sample settings, whose N shall be the largest that costs at most so many evaluations."""

    values: _Values
    evaluations: Whole


class Takeaway(Message):
    """Sample settings as a film or a drawing, in the page's theme."""

    values: _Values
    form: Literal["gif", "svg"]
    look: Literal["light", "dark"]


class Dropped(Message):
    """The settings that a picture carries, as it carries them."""

    settings: _Text


class Thumbnails(Message):
    """Trained models, by name, of which the page has no thumbnail."""

    models: Annotated[tuple[_Text, ...], Field(min_length=1, max_length=MOST_NAMES)]


class Figure(Message):
    """An instrument's settings, and those of the Sampler tab."""

    values: _Values
    yours: _Values | None = None


class Seen(Settings):
    """What the page knows of a run. sample: images of the newest samples that it has."""

    cursor: _Text = ""
    sample: _Images | None = None


class Poll(Message):
    """What the page knows already, of everything. runs: those that it looks at closely."""

    clock: _Text = ""
    models: _Text = ""
    datasets: _Text | None = None
    runs: Annotated[dict[_Text, Seen | None], Field(default_factory=dict, max_length=MOST_NAMES)]


class Film(Message):
    """Samples of a run at some ticks."""

    run: _Text
    images: Annotated[tuple[_Images, ...], Field(max_length=10_000)]


class Plan(Message):
    """The form of the Train tab."""

    values: _Texts


class Reading(Message):
    """The form of the Train tab, whose data shall be read."""

    values: _Texts


class Act(Message):
    """Something to be done: to a run, with the form's values, to an upload, or to the page itself. token: of a start,
    the same for each time that it is asked for. device: where the page shall compute. task: of a run,
    that is meant instead of it."""

    do: _Text
    run: _Text | None = None
    values: _Texts | None = None
    changes: _Texts | None = None
    data: _Text | None = None
    token: _Text | None = None
    device: _Text | None = None
    task: _Text | None = None

    def need(self, name: str):
        """The value under a name that this action needs."""
        if (value := getattr(self, name)) is None:
            raise Refused(f"The request could not be read: {name} is missing")
        return value
