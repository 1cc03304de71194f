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

from edm.base import documents
from edm.base.choices import family_of, forms_of, help_of, knobs_of, leaves_of, own_of, title_of
from edm.base.errors import Refused, one_line, shown
from edm.base.paths import text

MOST_SENTENCES, LONGEST_NAME = 4, 60  # of one refusal; letters of a field's name in it


class SettingsError(Refused):
    """Settings that are refused. The message names each field, its value and what is allowed.

    `fields`: the dotted names of the fields at fault.
    """

    def __init__(self, message: str, fields: tuple[str, ...] = ()):
        super().__init__(message)
        self.fields = fields


class Choices:
    """What a field may name: the entries of a registry, as it is when they are asked for."""

    def __init__(self, registry: Collection[str] | Callable[[], Collection[str]]):
        self.registry = registry

    @property
    def entries(self) -> dict[str, Any]:
        """The entries by name; of plain names, None."""
        found = self.registry() if callable(self.registry) else self.registry
        return dict(found) if isinstance(found, Mapping) else dict.fromkeys(found)

    def __contains__(self, name: object) -> bool:
        return name in (self.registry() if callable(self.registry) else self.registry)


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
            raise _sentences(type(self), error) from None

    @model_validator(mode="after")
    def _known(self):
        """Each field that picks from a registry holds one of its names; None passes, for its type has judged it."""
        for name, known in _named(type(self)):
            value = getattr(self, name)
            if value is not None and value not in known:
                raise refusal(name, value, f"must be one of {', '.join(map(repr, known.entries))}")
        return self

    def changed(self, /, **values: Any) -> Self:
        """A copy with some fields replaced, validated like any other; of a group, the fields that are given."""
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


def allowed(settings: type[Settings], name: str) -> str:
    """The limits of a field in words: 'greater than 0 and at most 1'; '' where there are none."""
    words = {"gt": "greater than", "ge": "at least", "lt": "below", "le": "at most"}
    field = settings.model_fields.get(name)
    parts = []
    for limit in field.metadata if field else ():
        parts += [
            f"{text} {getattr(limit, key):.10g}" for key, text in words.items() if getattr(limit, key, None) is not None
        ]
    return " and ".join(parts)


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


def _sentences(settings: type[Settings], error: ValidationError) -> SettingsError:
    sentences, fields = [], []
    for item in error.errors(include_url=False):
        cause = item.get("ctx", {}).get("error")
        if isinstance(cause, Refused):  # of a nested model, or a function that it has called, which have spoken already
            sentences.append(str(cause))
            fields += getattr(cause, "fields", ())
        elif isinstance(cause, Exception):  # pydantic takes any ValueError of a validator for the user's mistake
            raise cause
        else:
            name, sentence = _sentence(settings, item)
            sentences.append(sentence)
            fields.append(name)
    rest = len(sentences) - MOST_SENTENCES
    more = f"; and {rest} more" if rest > 0 else ""
    return SettingsError("; ".join(sentences[:MOST_SENTENCES]) + more, tuple(dict.fromkeys(fields)))


def _sentence(settings, item) -> tuple[str, str]:
    """(dotted name, sentence) of one thing that is wrong."""
    context, place = item.get("ctx", {}), [part for part in item["loc"] if isinstance(part, int | str)]
    name = one_line(context.get("field") or ".".join(str(part) for part in place), LONGEST_NAME)
    value = item.get("input")
    if item["type"] == "extra_forbidden":
        known = ", ".join(settings.model_fields)
        return name, f"{name} = {shown(value)}: there is no such field; the fields are {known}"
    if item["type"] == "missing":
        return name, f"{name} is missing"
    if item["type"] == "refused":
        return name, f"{name} = {context['value']}: {context['reason']}"
    limits, kind = allowed(settings, str(place[0])) if place else "", _KINDS.get(item["type"])
    if item["type"] in ("too_long", "too_short"):
        kind = f"a list of at {', '.join(f'{_ENDS[key]} {context[key]}' for key in _ENDS if key in context)}"
    if kind is None:
        field = settings.model_fields.get(str(place[0])) if place else None
        whole = field is not None and "int" in str(field.annotation)
        number = "a whole number" if whole else "a number"
        kind = number if "than" in item["type"] else item["msg"].removeprefix("Input should be ")
    text = value if isinstance(value, str) and is_number(value) else shown(value)
    return name, f"{name} = {text:.60}: must be {kind}{', ' + limits if limits else ''}"


def is_number(text: str) -> bool:
    """Whether text is a number, as Python reads it."""
    try:
        float(text)
    except ValueError:
        return False
    return True


_ENDS = {"max_length": "most", "min_length": "least"}
_KINDS = {
    "finite_number": "a finite number",
    "float_parsing": "a number",
    "float_type": "a number",
    "number": "a number",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a whole number of fewer digits",
    "string_type": "a name",
    "string_unicode": "text without half letters",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "names and values",
    "model_type": "names and values",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
}
