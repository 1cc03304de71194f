"""The short form of the Train tab: a few choices that stand for a whole `edm.Training`, all checked by it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from app.instruments.base import View, offered, option
from app.training import about, datasets
from app.training.devices import placed
from app.training.estimates import Estimates
from app.training.recipes import COLUMNS, DESIGNS, RATES, SIZES, kind, recipe
from app.training.trying import estimate
from edm import runs
from edm.base import flat
from edm.base.errors import Refused
from edm.base.fields import Number as Decimal
from edm.base.fields import SettingsError, Whole, knobs
from edm.base.precisions import AUTO
from edm.data import sources
from edm.experiments.documents import merged
from edm.networks import levels
from edm.plots.looks import look_of
from edm.runs import launchers
from edm.training import fitting
from edm.training.estimate import opened
from edm.training.goals import GOALS
from edm.training.memory import Remedies
from edm.training.settings import Training

TICKS = (12, 200)  # of a run: with samples to look at
TICK_SECONDS = 8.0
RAMP = 10  # share of a run of minutes in which the learning rate may grow: one in so many
ARITHMETIC = ("precision", "compile", "tf32", "deterministic", "checkpointing")
ALIKE = ("data", "architecture", "batch", "micro_batch", *ARITHMETIC)  # on these the rate depends
COSTLY = (*ALIKE, "design", "ema", "samples", "validation")
CURVES = {"measure": ("train", "same", "copies"), "logx": ("on",), "logy": ("on",), "smooth": None}  # None: from 0 to 1
HIDDEN = (
    "dataset",
    "path",
    "download",
    "images",
    "minutes",
    "greyscale",
    "crop",
    "columns",
)  # that the short form asks in other words


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
        colors=lambda name: look_of(name).color,
    )
    minutes: Decimal | None = option(
        None, "minutes", "How long it may train", slider=(0.5, 480), log=True, gt=0, le=100_000
    )
    images: Whole | None = option(
        None, "images", "How many images it sees", slider=(1e4, 1e7), log=True, ge=1, le=10**11
    )
    device: str = option("auto", "device", "Where it trains; auto: the GPU with the most memory free then, or the CPU")
    name: str | None = option(None, "name", "Name of the run; none: the dataset's, with a number")


MINUTES = 2.0
NAMES = {*Short.model_fields, *flat.names(Training)}.difference(HIDDEN) | {"images", "minutes"}  # of what the form asks
PATIENCE = 6.0  # seconds that somebody waits for an estimate; a page waits for three times as long


@dataclass(frozen=True)
class Cost:
    """What a kind of run takes. rate: images/s; report: seconds of a tick; the rest: as the estimate."""

    rate: float
    report: float
    bytes: int
    parameters: int
    warning: str = ""
    remedies: Remedies = ()
    parts: Mapping[str, int] = field(default_factory=dict)
    precision: str = "fp32"
    why: str = ""

    def seconds(self, settings: Training) -> float:
        """That a run takes; what its minutes are in images, it finds out itself."""
        return settings.images / self.rate + settings.images // settings.tick * self.report


@dataclass(frozen=True)
class Plan:
    """A run to be started. cost: None where it was not asked for, or cannot be told. notes: of fields that somebody
    has set and that change nothing, why."""

    settings: Training
    device: str
    name: str | None
    cost: Cost | None
    notes: dict[str, str]


class Former:
    """Makes plans. Thread-safe. folder: of all runs. known: () -> the runs that tell how fast this machine is. room: ()
    -> what of its GPUs is free, as data: as long as that stays, so does what is known of a kind of run."""

    def __init__(self, folder, known=lambda: (), room=lambda: ()):
        self._folder, self._known, self._room = folder, known, room
        self._costs = Estimates()

    def plan(
        self,
        values: dict,
        clamped=lambda settings: settings,
        costs: bool = True,
        alive: Callable = lambda: None,
        longer: float = 1.0,
    ) -> Plan:
        """From values as text, as an address holds them. Raises SettingsError, which names the fields, or Refused.

        clamped: brings settings within what a visitor may have, or refuses them. costs: find out what it takes, which
        may take up to PATIENCE seconds itself, or `longer` times that; without, and where that is too short, lengths in
        minutes are guesses. alive: called now and then while it waits; what it raises ends that.
        """
        if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
            raise SettingsError("the settings must be names and values")
        short = Short.parse({k: v for k, v in values.items() if k in Short.model_fields})
        if short.name is not None:
            try:
                runs.check_name(short.name)
            except Refused as error:
                raise SettingsError(str(error), ("name",)) from None
        found = datasets.named(short.data, self._folder)
        own = Training.owned(flat.unflatten({k: v for k, v in values.items() if k not in Short.model_fields}, Training))
        base = flat.unflatten(recipe(found.shape, short.size, short.design), Training)
        base, fields = _learning(base, found, own.get("learns"))
        document = _attending(merged(merged(base, {"data": fields}), own), own, found.shape)
        settings = clamped(Training.parse(document))
        fitting.check(settings, found.shape, own.get("architecture", ()))
        cost = self._cost(settings, short.device, alive, longer) if costs else None
        known = cost.rate if cost else costs and self._experience(settings, short.device)
        rate = known or RATES[kind(found.shape)]
        minutes = None if short.images else short.minutes or MINUTES
        images = short.images or _whole(rate * 60 * (minutes or 0), settings.batch)
        reports = _reports(images, settings.batch, rate)
        if minutes and "lr_ramp" not in own:  # a short run has its whole learning rate for most of its time
            reports["lr_ramp"] = min(document.pop("lr_ramp", Training().lr_ramp), images / RAMP)
        made = clamped(Training.parse(reports | document | {"images": images, "minutes": minutes}))
        idle = fitting.idle(settings, found.shape, opened(settings.data).classes) if costs else {}
        notes = {name: sentence for name, sentence in idle.items() if name in values}
        return Plan(made, short.device, short.name, cost, notes)

    def _cost(self, settings, device, alive, longer) -> Cost | None:
        key = json.dumps([{name: settings.document().get(name) for name in COSTLY}, device, self._room()])
        cost = self._costs.get(key, lambda: _estimated(settings, device), longer * PATIENCE, alive)
        rate = cost and self._experience(settings.changed(precision=cost.precision), device)
        return replace(cost, rate=rate, report=cost.report * cost.rate / rate) if rate else cost

    def _experience(self, settings, device) -> float | None:
        """The rate of the last run like this one."""
        for run in self._known():
            known = about.settings_of(run) if run.rate and device in ("auto", run.device) else None
            if known and all(getattr(settings, name) in (getattr(known, name), AUTO) for name in ALIKE):
                return run.rate
        return None


def _learning(base, found, learns) -> tuple[dict, dict]:
    """(the recipe, the fields of the data) for what is to be learned: of a classifier as they usually are for one."""
    goal = GOALS.get(learns or "denoiser", GOALS["denoiser"])
    told = sources.labels(found.fields.get("dataset", "")) if goal.classes else None
    named = {"labels": told} if told == "parts" else {}
    return merged(base, goal.usual), named | found.fields


def _attending(document, own, shape) -> dict:
    """The document with the recipe's attention at the levels that a network of somebody's own multipliers has."""
    sizes, chosen = document["architecture"], own.get("architecture", {})
    if len(shape) == 1 or "attention" in chosen or "attention" not in sizes:
        return document
    try:
        there = levels(shape[-1], Training.parse(document).architecture.channel_mult)
    except SettingsError:
        return document
    return merged(document, {"architecture": {"attention": [size for size in sizes["attention"] if size in there]}})


def _estimated(settings, device) -> Cost:
    one = settings.changed(images=settings.batch, tick=settings.batch)
    found = estimate(one, device)
    report = found.seconds - settings.batch / found.rate
    told = (found.warning, found.remedies, found.parts, found.precision, found.why)
    return Cost(found.rate, report, found.bytes, found.parameters, *told)


def _reports(images, batch, rate) -> dict:
    """Ticks so often that there is something to watch, and a checkpoint at each; before the first, by time."""
    ticks = min(max(images / rate / TICK_SECONDS, TICKS[0]), TICKS[1])
    every = max(batch, math.ceil(images / ticks / batch) * batch)
    return {"early": True, "tick": every, "checkpoint": every}


def _whole(images, batch) -> int:
    """Two significant digits, and at least one step."""
    unit = 10 ** max(0, math.floor(math.log10(images)) - 1)
    return max(batch, round(images / unit) * unit)


def against(values: dict, settings: Training) -> dict:
    """The form's values, of which `settings` were made, for runs that differ in nothing but their column of Table 1."""
    rows = {name for design in DESIGNS.values() for name in design}
    same = {name: str(getattr(settings, name)) for name in ("images", "tick", "checkpoint", "lr_ramp")}
    return {name: value for name, value in values.items() if name not in {*rows, "minutes"}} | same


def described(plan: Plan) -> dict:
    """A plan for the page: all values that count, the command, and what it will take."""
    document = plan.settings.document(complete=True)
    values = {k: v for k, v in document.items() if not isinstance(v, dict)}
    for group in document.values():
        values |= group if isinstance(group, dict) else {}
    cost = plan.cost
    values |= {"precision": cost.precision} if cost else {}  # which is known of its device only
    return {
        "values": values,
        "command": launchers.command(["train", *flat.options(plan.settings)], plan.device),
        "notes": plan.notes,
        "misfit": misfit(cost) if cost else None,
        "cost": cost and costing(cost, plan.settings),
    }


def costing(cost: Cost, settings: Training) -> dict:
    """What a run takes, for the page."""
    told = {"seconds": cost.seconds(settings), "bytes": cost.bytes, "parameters": cost.parameters}
    told |= {"precision": cost.precision, "why": cost.why}
    return {**told, "parts": dict(cost.parts)}


def misfit(cost: Cost) -> dict | None:
    """Why a run will not fit, and what of the form to change: {sentence, remedies}; None: it will."""
    if not cost.warning:
        return None
    why, _, what = cost.warning.partition("; ")  # which the remedies say, if there are any
    sentence = f"{why[0].upper()}{why[1:]}{'. It would with:' if cost.remedies else f'; {what}.'}"
    remedies = [{"title": _titled(title, changes), "changes": changes} for title, changes in cost.remedies]
    return {"sentence": sentence, "remedies": remedies}


def _titled(title, changes) -> str:
    """What a remedy changes, several GPUs in words."""
    device = changes.get("device")
    return title if device is None else title.replace(f"device = {device}", placed(device))


def is_curve(allowed, text: str) -> bool:
    """Whether a switch of the curves, one of CURVES, can be set to this."""
    return text in allowed if allowed else re.fullmatch(r"0(\.\d{1,9})?|1(\.0*)?", text) is not None


def boot(folder, devices) -> dict:
    """What the page needs to build the form."""
    declared = offered(Short)
    declared["device"] |= {"choices": ["auto", *devices], "titles": ["auto", *devices]}
    fields: dict = {}
    for group in flat.groups(Training).values():
        fields |= {name: {**knob, "default": None} for name, knob in knobs(group).items() if name not in HIDDEN}
    return {
        "short": declared,
        "fields": fields,
        "minutes": MINUTES,
        "datasets": datasets.described(folder),
        "curves": CURVES,
        "goals": {
            name: {"error": goal.error, "over": goal.over, "samples": goal.draws} for name, goal in GOALS.items()
        },
    }
