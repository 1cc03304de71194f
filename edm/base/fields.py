"""What all settings have in common: a field with its display, numbers, and errors that are sentences."""

from __future__ import annotations

import copy
import json
import math
import re
from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from edm.base import aliases, documents
from edm.base.choices import Choices, family_of, forms_of, help_of, knobs_of, leaves_of, own_of, title_of
from edm.base.errors import Refused, one_line, shown
from edm.base.paths import text
from edm.base.sentences import sentences


class SettingsError(Refused):
    """Settings that are refused. The message names each field, its value and what is allowed.

    `fields`: the dotted names of the fields at fault.
    """

    def __init__(self, message: str, fields: tuple[str, ...] = ()):
        super().__init__(message)
        self.fields = fields


def knob(
    default: Any,
    symbol: str,
    help: str,
    *,
    choices: Collection[str] | Callable[[], Collection[str]] | None = None,
    slider: tuple[float, float] | None = None,
    log: bool = False,
    step: float | None = None,
    ends: tuple[float | None, float | None] = (None, None),
    unit: str = "",
    needs: str | None = None,
    instead: tuple[str, ...] = (),
    **limits: Any,
) -> Any:
    """A field with what a page or a command line needs to offer it.

    choices: the registry that it picks from by name (a mapping of entries as `edm.base.choices` has them, names,
    or a function that returns such).
    symbol: as in the paper (with <sub>). slider: (low, high) of a comfortable range, inside the limits.
    ends: values that the slider's two ends stand for, where they are not low and high (0, infinity).
    needs: another field, without which this one changes nothing. instead: the fields in whose place this one counts.
    limits: pydantic's ge, gt, le, lt. unit: of the value, "" for pure numbers.
    """
    low, high = ends
    display = {"symbol": symbol, "slider": slider, "log": log, "step": step, "unit": unit}
    display |= {"ends": [low, "inf" if high == math.inf else high]}
    display |= {"needs": needs} if needs else {}
    display |= {"instead": list(instead)} if instead else {}
    field = Field(default, description=help, json_schema_extra={"knob": display}, **limits)
    if choices is not None:
        field.metadata.append(Choices(choices))
    return field


def display(kind: type[Settings], name: str) -> dict[str, Any]:
    """What `knob` says of a field besides its limits: symbol, slider, log, step, unit, ends, …"""
    extra: Any = kind.model_fields[name].json_schema_extra
    return extra["knob"]


def symbol(kind: type[Settings], name: str) -> str:
    """The symbol of a field as text: S_churn for S<sub>churn</sub>."""
    return re.sub(r"<sub>(.*?)</sub>", r"_\1", display(kind, name)["symbol"])


def number_or_none(value: Any) -> Any:
    if isinstance(value, bool):
        raise PydanticCustomError("number", "Input should be a number")
    if isinstance(value, str) and value.strip().lower() in {"none", "auto", ""}:
        return None
    return value


def whole_or_none(value: Any) -> Any:
    """Whole numbers may be written 1e6."""
    value = number_or_none(value)
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            return value
        return int(number) if math.isfinite(number) and number.is_integer() and "." not in value else value
    return value


Number = Annotated[float, BeforeValidator(number_or_none), Field(allow_inf_nan=False)]
Whole = Annotated[int, BeforeValidator(whole_or_none)]
Place = Annotated[str | None, BeforeValidator(text)]  # where something lies, if it is said: ~ is a home folder


class Settings(BaseModel):
    """Base of all settings: frozen, no unknown fields, and errors that are sentences."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")

    def __init__(self, /, **values: Any):
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise SettingsError(*sentences(type(self), error)) from None

    @model_validator(mode="before")
    @classmethod
    def _by_own_names(cls, values):
        """Names that people use, as those of the entries that they mean, with the knobs that go with them."""
        if not isinstance(values, dict):
            return values
        found, wrong = aliases.owned(_named(cls), values)
        if wrong:
            raise refusal(*wrong)
        return found

    @model_validator(mode="after")
    def _known(self):
        """Each field that picks from a registry holds one of its names; None passes, for its type has judged it."""
        for name, known in _named(type(self)):
            value = getattr(self, name)
            if value is not None and value not in known:
                allowed, near = ", ".join(map(repr, known.entries)), aliases.near(known.entries, value)
                raise refusal(name, value, f"must be one of {allowed}{near}")
        return self

    @classmethod
    def owned(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values, not yet checked, with names that people use as those of the entries; in groups, too. Before one
        document is laid over another: what a name implies counts as given."""
        found, _ = aliases.owned(_named(cls), dict(values))
        for name, value in found.items():
            kind = cls.model_fields[name].annotation if name in cls.model_fields else None
            if isinstance(value, dict) and isinstance(kind, type) and issubclass(kind, Settings):
                found[name] = kind.owned(value)
        return found

    def changed(self, /, **values: Any) -> Self:
        """A copy with some fields replaced, validated like any other; of a group, the fields that are given."""
        values = type(self).owned(values)
        for name, value in values.items():
            if isinstance(value, dict) and isinstance(getattr(self, name, None), Settings):
                values[name] = {**getattr(self, name).model_dump(), **value}
        return type(self)(**{**self.model_dump(), **values})

    def document(self, complete: bool = False) -> dict:
        """Plain JSON data of every field that differs from its default, or of all; infinity is "Infinity"."""
        return json.loads(self.model_dump_json(exclude_defaults=not complete))

    @classmethod
    def parse(cls, document: Any) -> Self:
        """From a mapping or JSON text. Raises SettingsError for anything else, and for bad fields."""
        if isinstance(document, str | bytes):
            try:
                document = documents.from_json(document, "the document")
            except Refused as error:
                raise SettingsError(str(error)) from None
        if not isinstance(document, dict):
            raise SettingsError(f"settings must be a mapping of names to values, not {shown(document)}")
        return cls(**{str(name): value for name, value in document.items()})


def registries(settings: type[Settings]) -> dict[str, dict[str, Any]]:
    """What each field that picks from a registry may name: its entries by name."""
    return {name: known.entries for name, known in _named(settings)}


@cache
def _named(settings: type[Settings]) -> list[tuple[str, Choices]]:
    """The fields that pick from a registry, and that."""
    fields = settings.model_fields.items()
    return [(name, part) for name, field in fields for part in field.metadata if isinstance(part, Choices)]


def choices(settings: type[Settings]) -> dict[str, list[str]]:
    """The allowed names of each field that picks from a registry."""
    return {name: list(entries) for name, entries in registries(settings).items()}


def knobs(settings: type[Settings]) -> dict[str, dict]:
    """What a page needs to offer each field: symbol, help, default, slider, limits and choices, as JSON data."""
    defaults, offered = settings().document(complete=True), registries(settings)
    return {
        name: {
            **copy.deepcopy(display(settings, name)),
            "help": field.description,
            "default": defaults[name],
            **_choices_of(offered.get(name)),
            "whole": "int" in str(field.annotation),
        }
        for name, field in settings.model_fields.items()
        if field.json_schema_extra
    }


def _choices_of(entries) -> dict:
    """Names, and what the entries say of them: titles, helps, and uses, the fields that matter only with each."""
    if entries is None:
        return {"choices": None}
    told = {"titles": title_of, "helps": help_of, "uses": knobs_of}
    found = {"choices": list(entries)} | {key: [of(entries, name) for name in entries] for key, of in told.items()}
    more = {"families": family_of, "own": own_of, "forms": forms_of, "leaves": leaves_of}
    said = {key: [of(entries, name) for name in entries] for key, of in more.items()}
    return found | {key: values for key, values in said.items() if any(values)}


def refusal(field: str, value: Any, reason: str) -> PydanticCustomError:
    """An error of a whole model that is about one field."""
    told = {"field": one_line(field), "value": shown(value, 80), "reason": one_line(reason)}
    return PydanticCustomError("refused", "{reason}", told)
