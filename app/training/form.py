"""The short form of the Train tab: a few choices that stand for a whole `edm.Training`, all checked by it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

from cachetools import LRUCache

from app.instruments.base import View, option
from app.training import datasets
from app.training.recipes import COLUMNS, DESIGNS, RATES, SIZES, kind, recipe
from edm import flat, runs
from edm.commands.options import merged
from edm.fields import Number as Decimal
from edm.fields import SettingsError, Whole
from edm.settings import knobs
from edm.training.settings import Training

TICKS = (12, 200)  # of a run: with samples to look at
TICK_SECONDS = 8.0
YOURS = "yours"
HIDDEN = ("dataset", "path", "download", "images", "greyscale", "crop")  # that the short form asks in other words


def _named(names):
    return lambda: {name: COLUMNS.get(name, name) for name in names}


class Short(View):
    """What the form asks beside the fields of a training."""

    data: str = option("digits", "dataset", "What is learned: a toy distribution, digits, scenes, or your own")
    size: str = option("small", "size", "Size of the network", choices=_named(SIZES))
    design: str = option(
        "edm",
        "design",
        "Preconditioning, noise and weight of the loss: a column of Table 1",
        choices=_named(COLUMNS),
        colors=list(COLUMNS),
    )
    minutes: Decimal | None = option(
        None, "minutes", "How long it may train", slider=(0.5, 480), log=True, gt=0, le=100_000
    )
    images: Whole | None = option(
        None, "images", "How many images it sees", slider=(1e4, 1e7), log=True, ge=1, le=10**11
    )
    device: str = option("auto", "device", "Where it trains; auto: the GPU with the fewest runs, or the CPU")
    name: str | None = option(None, "name", "Name of the run; none: the dataset's, with a number")


MINUTES = 2.0


@dataclass(frozen=True)
class Plan:
    """A run to be started. estimate: of `edm.training.estimate`, or None where it cannot be told."""

    settings: Training
    device: str
    name: str | None
    estimate: object


class Former:
    """Makes plans. folder: of all runs; estimates of the same network are made once."""

    def __init__(self, folder):
        self._folder = folder
        self._estimates: LRUCache = LRUCache(256)

    def plan(self, values: dict, clamped=lambda settings: settings) -> Plan:
        """From values as text, as an address holds them. Raises SettingsError, which names the fields, or ValueError.

        clamped: brings settings within what a visitor may have.
        """
        if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
            raise SettingsError("the settings must be names and values")
        short = Short.parse({k: v for k, v in values.items() if k in Short.model_fields})
        if short.name is not None:
            try:
                runs.check_name(short.name)
            except ValueError as error:
                raise SettingsError(str(error), ("name",)) from None
        found = datasets.of(short.data, self._folder)
        own = flat.unflatten({k: v for k, v in values.items() if k not in Short.model_fields}, Training)
        base = flat.unflatten(recipe(found.shape, short.size, short.design), Training)
        document = merged(merged(base, {"data": found.fields}), own)
        settings = Training.parse(document)
        estimate = self._estimate(settings, short.device)
        rate = estimate.rate if estimate else RATES[kind(found.shape)]
        images = short.images or _whole(rate * 60 * (short.minutes or MINUTES), settings.batch)
        reports = _reports(images, settings.batch, rate)
        settings = clamped(Training.parse(reports | document | {"images": images}))
        return Plan(settings, short.device, short.name, self._estimate(settings, short.device))

    def _estimate(self, settings, device):
        try:
            from edm.training.estimate import estimate
        except ImportError:
            return None
        key = json.dumps([settings.document(), device])
        if key not in self._estimates:
            self._estimates[key] = estimate(settings, device)
        return self._estimates[key]


def _reports(images, batch, rate) -> dict:
    """Ticks so often that there is something to watch, and a checkpoint at each."""
    ticks = min(max(images / rate / TICK_SECONDS, TICKS[0]), TICKS[1])
    every = max(batch, math.ceil(images / ticks / batch) * batch)
    return {"tick": every, "checkpoint": every}


def _whole(images, batch) -> int:
    """Two significant digits, and at least one step."""
    unit = 10 ** max(0, math.floor(math.log10(images)) - 1)
    return max(batch, round(images / unit) * unit)


def against(values: dict, settings: Training) -> dict:
    """The form's values, of which `settings` were made, for runs that differ in nothing but their column of Table 1."""
    rows = {name for design in DESIGNS.values() for name in design}
    same = {name: str(getattr(settings, name)) for name in ("images", "tick", "checkpoint")}
    return {name: value for name, value in values.items() if name not in {*rows, "minutes"}} | same


def column_of(design) -> str:
    """The column of Table 1 that a design's preconditioning, noise and weight are of, or "yours"."""
    rows = {name: getattr(design, name) for name in ("preconditioning", "noise", "weight")}
    return next((name for name, row in DESIGNS.items() if row == rows), YOURS)


def described(plan: Plan) -> dict:
    """A plan for the page: all values that count, the command, and what it will take."""
    document = plan.settings.document(complete=True)
    values = {k: v for k, v in document.items() if not isinstance(v, dict)}
    for group in document.values():
        values |= group if isinstance(group, dict) else {}
    estimate, where = plan.estimate, () if plan.device == "auto" else (f"--device={plan.device}",)
    return {
        "values": values,
        "command": flat.command("train", plan.settings, *where),
        "estimate": estimate
        and {"seconds": estimate.seconds, "bytes": estimate.bytes, "parameters": estimate.parameters},
    }


def boot(folder, devices) -> dict:
    """What the page needs to build the form."""
    declared = knobs(Short)
    for name, field in Short.model_fields.items():
        if choices := field.json_schema_extra.get("choices"):
            declared[name] |= {"choices": list(choices()), "titles": list(choices().values())}
    declared["device"] |= {"choices": ["auto", *devices], "titles": ["auto", *devices]}
    fields: dict = {}
    for group in flat.groups(Training).values():
        fields |= {name: {**knob, "default": None} for name, knob in knobs(group).items() if name not in HIDDEN}
    return {"short": declared, "fields": fields, "minutes": MINUTES, "datasets": datasets.described(folder)}
