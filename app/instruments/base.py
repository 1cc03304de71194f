"""What every instrument is made of: its declared settings, what it may use, and the figure it answers with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from pydantic import model_validator

from app.messages.drawings import Drawing
from app.work.shared import Work
from app.work.watch import Watch
from edm.base.errors import Refused
from edm.base.fields import Settings, knob, knobs, refusal
from edm.base.flat import unflatten
from edm.experiments.experiment import Experiment
from edm.sampling.denoisers import on


def option(
    default,
    symbol: str,
    help: str,
    *,
    choices: Callable | None = None,
    reads: Callable[[str], str] | None = None,
    **display,
):
    """A knob of an instrument. choices: () -> {name: title}; several may be chosen where the default is a tuple.
    reads(text) -> how it is written, or raises Refused: what it may be besides.

    display: what `edm.base.fields.knob` takes, and for the page: section (heading), hidden (no widget: the picture
    itself is the widget), colors (of a choice, by its name), families (of all), list (one that opens, no buttons),
    when ({other knob: its values} with which it is shown), pairs ("lanes" or "range": a list of solvers with their
    time steps, as `edm.diagnostics.Pairing` writes them).
    """
    page = {name: display.pop(name) for name in ("section", "hidden", "list", "when", "pairs") if name in display}
    own = {name: display.pop(name, None) for name in ("colors", "families")}
    field = knob(default, symbol, help, **display)
    field.json_schema_extra["knob"] |= page
    field.json_schema_extra |= {"choices": choices, "reads": reads, **own}
    return field


def offered(settings: type[Settings]) -> dict[str, dict]:
    """All knobs as JSON data for the page, with the choices that there are now."""
    declared = knobs(settings)
    for name, field in settings.model_fields.items():
        choices = field.json_schema_extra.get("choices")
        if choices is not None:
            found = choices()
            declared[name] |= {"choices": list(found), "titles": list(found.values())}
            if color := field.json_schema_extra.get("colors"):
                declared[name]["colors"] = [color(choice) for choice in found]
            if families := field.json_schema_extra.get("families"):
                declared[name]["families"] = families(found)
    return declared


class View(Settings):
    """The settings of an instrument: what is chosen from a list is in the list."""

    @model_validator(mode="after")
    def _chosen(self):
        for name, field in type(self).model_fields.items():
            extra = field.json_schema_extra or {}
            choices, reads = extra.get("choices"), extra.get("reads")
            if choices is None:
                continue
            value, allowed = getattr(self, name), choices()
            several = value if isinstance(value, tuple) else (value,)
            if reads is not None and isinstance(value, tuple):
                several = tuple(one if one in allowed else _read(name, one, reads) for one in several)
                object.__setattr__(self, name, several)
                continue
            for one in several:
                if one is not None and one not in allowed:
                    raise refusal(name, one, f"must be one of {', '.join(map(repr, allowed))}")
        return self


def _read(name, text, reads) -> str:
    try:
        return reads(text)
    except Refused as error:
        raise refusal(name, text, str(error)) from None


@dataclass(frozen=True)
class Instrument:
    """A live figure. respond(settings, context) yields (body, finished?): whole answers, each better than the last;
    a body is {"summary", "python", "figure" and whatever the instrument's script draws}, or that as JSON text.

    tab: of `app.instruments.TABS`, which shows it. question: what it answers, in a sentence. streams: it goes on
    refining until it is stopped. script: which of assets/page/instruments draws it; body: what that is sent.
    """

    name: str
    tab: str
    title: str
    question: str
    settings: type[View]
    respond: Callable[[View, Context], Iterator[tuple[dict, bool]]]
    streams: bool = False
    script: str = "chart"
    body: type = Drawing

    def complete(self, values: dict) -> dict:
        """The values of all knobs, from some of them as text. Raises SettingsError."""
        return self.settings.parse(unflatten(values, self.settings)).document(complete=True)

    def described(self) -> dict:
        """As JSON data for the page."""
        text = {"name": self.name, "title": self.title, "question": self.question, "streams": self.streams}
        return {**text, "script": self.script, "knobs": offered(self.settings)}


@dataclass(frozen=True)
class Context:
    """What a request may use. watch: wraps a denoiser so that its next call ends an overtaken request.

    yours: the Sampler tab's settings. work: device, processor slots and memory that all requests share.
    """

    work: Work
    watch: Watch
    yours: Experiment

    def place(self, model) -> torch.device:
        """Where the model is computed."""
        return self.work.place(model)

    def denoiser(self, model, place=None):
        """The model's denoiser, watched. place: where it is asked; None: where the model is computed."""
        return self.watch(on(model.denoiser, place or self.place(model)))

    def paced(self, items: Iterable) -> Iterator[tuple[list, bool]]:
        """(all items so far, is it the end?) whenever it is time for a picture."""
        return self.watch.paced(items)
