"""What all settings have in common: a field with its display, numbers, and errors that are sentences."""

from __future__ import annotations

import json
import math
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from edm.errors import Refused


class SettingsError(Refused):
    """Settings that are refused. The message names each field, its value and what is allowed.

    `fields`: the dotted names of the fields at fault.
    """

    def __init__(self, message: str, fields: tuple[str, ...] = ()):
        super().__init__(message)
        self.fields = fields


def knob(default, symbol: str, help: str, *, slider=None, log=False, step=None, ends=(None, None), unit="", **limits):
    """A field with what a page or a command line needs to offer it.

    symbol: as in the paper (with <sub>). slider: (low, high) of a comfortable range, inside the limits.
    ends: values that the slider's two ends stand for, where they are not low and high (0, infinity).
    limits: pydantic's ge, gt, le, lt. unit: of the value, "" for pure numbers.
    """
    low, high = ends
    display = {"symbol": symbol, "slider": slider, "log": log, "step": step, "unit": unit}
    display |= {"ends": [low, "inf" if high == math.inf else high]}
    return Field(default, description=help, json_schema_extra={"knob": display}, **limits)


def number_or_none(value):
    if isinstance(value, bool):
        raise PydanticCustomError("number", "Input should be a number")
    if isinstance(value, str) and value.strip().lower() in {"none", "auto", ""}:
        return None
    return value


def whole_or_none(value):
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


class Settings(BaseModel):
    """Base of all settings: frozen, no unknown fields, and errors that are sentences."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")

    def __init__(self, **values: Any):
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise _sentences(type(self), error) from None

    def changed(self, **values) -> Settings:
        """A copy with some fields replaced, validated like any other; of a group, the fields that are given."""
        for name, value in values.items():
            if isinstance(value, dict) and isinstance(getattr(self, name, None), Settings):
                values[name] = {**getattr(self, name).model_dump(), **value}
        return type(self)(**{**self.model_dump(), **values})

    def document(self, complete: bool = False) -> dict:
        """Plain JSON data of every field that differs from its default, or of all; infinity is "Infinity"."""
        return json.loads(self.model_dump_json(exclude_defaults=not complete))

    @classmethod
    def parse(cls, document) -> Settings:
        """From a mapping or JSON text. Raises SettingsError for anything else, and for bad fields."""
        if isinstance(document, str | bytes):
            try:
                document = json.loads(document)
            except ValueError as error:
                raise SettingsError(f"the settings are not valid JSON ({error})") from None
        if not isinstance(document, dict):
            raise SettingsError(f"settings must be a mapping of names to values, not {document!r:.60}")
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


def check_choices(settings, tables: dict[str, list[str]]) -> None:
    """Each of these fields holds one of its names. "" is no name; None passes, for the field's type has judged it."""
    for name, names in tables.items():
        value = getattr(settings, name)
        if value is not None and value not in names:
            raise refusal(name, value, f"must be one of {', '.join(map(repr, names))}")


def refusal(field, value, reason) -> PydanticCustomError:
    """An error of a whole model that is about one field."""
    return PydanticCustomError("refused", "{reason}", {"field": field, "value": value, "reason": reason})


def _sentences(settings: type[Settings], error: ValidationError) -> SettingsError:
    sentences, fields = [], []
    for item in error.errors():
        context = item.get("ctx", {})
        place = [part for part in item["loc"] if isinstance(part, int | str)]
        if isinstance(context.get("error"), SettingsError):  # of a nested model, which has spoken already
            sentences.append(str(context["error"]))
            fields += context["error"].fields
            continue
        name = context.get("field") or ".".join(str(part) for part in place)
        value = context["value"] if "value" in context else item.get("input")
        fields.append(str(name))
        if item["type"] == "extra_forbidden":
            known = ", ".join(settings.model_fields)
            sentences.append(f"{name} = {value!r:.60}: there is no such field; the fields are {known}")
        elif item["type"] == "refused":
            sentences.append(f"{name} = {value!r:.80}: {context['reason']}")
        else:
            limits = allowed(settings, str(place[0])) if place else ""
            kind = _KINDS.get(item["type"])
            if kind is None:
                whole = place and "int" in str(settings.model_fields[str(place[0])].annotation)
                number = "a whole number" if whole else "a number"
                kind = number if "than" in item["type"] else item["msg"].removeprefix("Input should be ")
            shown = value if isinstance(value, str) and _is_number(value) else repr(value)
            sentences.append(f"{name} = {shown:.60}: must be {kind}{', ' + limits if limits else ''}")
    return SettingsError("; ".join(sentences), tuple(dict.fromkeys(fields)))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


_KINDS = {
    "finite_number": "a finite number",
    "float_parsing": "a number",
    "float_type": "a number",
    "number": "a number",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "string_type": "a name",
    "tuple_type": "a list",
}
