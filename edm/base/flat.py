"""Settings as flat text, as in a URL or on a command line: names of fields, without the groups they belong to.

Lists are written 1,2,3 and points 1,2;3,4. Every field's name is unique among the groups of its settings.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import Any, get_args

from edm.base.errors import shown
from edm.base.fields import Settings, SettingsError


def groups(kind: type[Settings]) -> dict[str, type[Settings]]:
    """The groups of fields that are settings of their own: name -> their class; "" is `kind` itself."""
    nested: dict[str, Any] = {name: f.annotation for name, f in kind.model_fields.items() if not f.json_schema_extra}
    return {"": kind, **nested}


def flatten(settings: Settings) -> dict[str, str]:
    """The fields that differ from their defaults, as text."""
    document = settings.document()
    inner = groups(type(settings))
    flat = {name: value for name, value in document.items() if name not in inner}
    for name in inner:
        flat |= document.get(name, {})
    return {name: written(value) for name, value in flat.items()}


def options(settings: Settings) -> list[str]:
    """The same as options of a command line: --steps=18."""
    return [f"--{name}={value}" for name, value in flatten(settings).items()]


def command(verb: str, settings: Settings, *more: str) -> str:
    """The command line of `python -m edm` with these settings, quoted for a shell."""
    return shlex.join(["python", "-m", "edm", verb, *options(settings), *more])


def unflatten(values: dict, kind: type[Settings]) -> dict:
    """A document for `kind.parse`, from fields by their names, in their groups, or both; the inverse of `flatten`.

    Unknown names and groups that are none are left for it to refuse. Raises SettingsError for a field that is there
    twice.
    """
    inner = groups(kind)
    home = {name: (group, field) for group, k in inner.items() for name, field in k.model_fields.items()}
    document: dict = {name: dict(v) if name in inner and isinstance(v, dict) else v for name, v in values.items()}
    for name in values:
        group, field = home.get(name, ("", None))
        if field is None or (not group and name in inner):
            continue
        value = document.pop(name)
        if isinstance(value, str):
            value = _value(name, value, field.annotation)
        into = document.setdefault(group, {}) if group else document
        if not isinstance(into, dict):
            raise SettingsError(f"{group} = {shown(into)}: must be names and values, or left out", (group,))
        if name in into:
            raise SettingsError(f"{name} is given twice, by itself and in {group}; give it once", (name,))
        into[name] = value
    return document


def names(kind: type[Settings]) -> set[str]:
    """The names of all fields, those in groups too."""
    return {name for settings in groups(kind).values() for name in settings.model_fields} - set(groups(kind))


def check_names(values: Iterable[str], kind: type[Settings]) -> None:
    """Raises SettingsError for a name that no field has."""
    for name in values:
        if name not in names(kind):
            raise SettingsError(f"there is no field {shown(name)}", (name,))


def _value(name, text, annotation):
    optional = type(None) in get_args(annotation)
    if "tuple[str" in str(annotation):
        return [] if text in ("", "none") else text.split(",")
    if "tuple" in str(annotation):
        return (
            (None if optional else [])
            if text in ("", "none")
            else _numbers(name, text, pairs="tuple[tuple" in str(annotation))
        )
    named = int in get_args(annotation) and str in get_args(annotation)  # a class, which may be called none
    return None if optional and not named and text in ("none", "auto") else text


def written(value: Any) -> str:
    """A value as text, as `flatten` writes it."""
    if isinstance(value, list):
        return (";" if value and isinstance(value[0], list) else ",").join(written(item) for item in value) or "none"
    if isinstance(value, bool | None):
        return str(value).lower()
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _numbers(name: str, text: str, pairs: bool):
    try:
        if pairs:
            return [[float(n) for n in pair.split(",")] for pair in text.split(";")]
        return [float(n) for n in text.split(",")]
    except ValueError:
        example = "0.5,1;-0.2,0.3" if pairs else "80,20,5,1"
        raise SettingsError(f"{name} = {shown(text)}: must be numbers, written like {example}", (name,)) from None
