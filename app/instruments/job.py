"""The computation behind a live figure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import SerializeAsAny, ValidationInfo, field_validator

from app.instruments import INSTRUMENTS, notices
from app.instruments.base import Context, View
from app.work import snippets
from app.work.jobs import Job
from app.work.shared import Work
from app.work.watch import Watch
from edm.base.errors import Refused, shown
from edm.experiments.experiment import Experiment


class Figure(Job):
    """What an instrument draws. settings: of that instrument. yours: the Sampler tab's."""

    kind: ClassVar[str] = "figure"

    instrument: str
    settings: Annotated[View, SerializeAsAny()]
    yours: Experiment = Experiment()

    @field_validator("instrument")
    @classmethod
    def _there(cls, name: str) -> str:
        if name not in INSTRUMENTS:
            raise Refused(f"instrument = {shown(name, 40)}: must be one of {', '.join(INSTRUMENTS)}")
        return name

    @field_validator("settings", mode="before")
    @classmethod
    def _of_the_instrument(cls, settings, info: ValidationInfo):
        instrument = INSTRUMENTS.get(info.data.get("instrument", ""))
        return instrument.settings.parse(settings) if instrument and isinstance(settings, dict) else settings

    def compute(self, work: Work, watch: Watch) -> Iterator[tuple[dict | str, bool]]:
        context, complete = Context(work, watch, self.yours), {}
        notice = notices.of(self.instrument, self.settings)
        for body, last in INSTRUMENTS[self.instrument].respond(self.settings, context):
            if isinstance(body, dict) and (code := body.get("python")):
                if code not in complete:  # most say the same from one preview to the next
                    complete = {code: snippets.complete(code, work.own)}
                body = {**body, "python": complete[code]}
            yield (body if notice is None else _with(notice, body, last)), last


def _with(notice, body, last):
    """The body with what is to be noticed; one that is text, which holds pictures, only when it is whole."""
    if isinstance(body, dict):
        return body | {"notice": notices.noticed(notice, body)}
    if not last:
        return body
    return f'{body[:-1]}, "notice": {json.dumps(notices.noticed(notice, json.loads(body)))}}}'
