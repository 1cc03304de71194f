"""Settings from presets, files and options, the later over the earlier."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from edm.base import paths
from edm.base.fields import Settings, SettingsError
from edm.base.flat import groups, unflatten
from edm.experiments.documents import merged, read


def add(parser: argparse.ArgumentParser, kind: type[Settings], section: str, alone: bool = False) -> None:
    """Options for every field of `kind`, and for presets and files whose `section` holds such settings.

    alone: what is true or false is true where nothing follows it, for a command that takes nothing but options."""
    config = "settings from a file: .yaml, .json, a picture or a model of ours"
    parser.add_argument("--config", type=place, help=config)
    parser.add_argument(
        "--preset", action="append", default=[], help="a preset; several may be given, later over earlier"
    )
    fields(parser, kind, alone)
    parser.set_defaults(section=section)


def filled(text: str) -> str:
    """The text of an option that says where something is: an empty one is a variable that somebody forgot to set."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty")
    return text


def place(text: str) -> str:
    """The same of one that is a path: whatever it begins with, ~ is a home folder, also behind a = and where no shell
    is."""
    return paths.text(filled(text))


def fields(parser: argparse.ArgumentParser, kind: type[Settings], alone: bool = False) -> None:
    """Options for every field of `kind`; see `given` and `add`."""
    from edm.base.aliases import aliases
    from edm.base.fields import knobs, registries

    for part in (part for own in groups(kind).values() for part in _parts(own)):
        group = parser.add_argument_group((part.__doc__ or "").split(":")[0])
        entries = registries(part)
        for name, knob in knobs(part).items():
            if name not in vars(part)["__annotations__"]:
                continue
            called = [alias.name for _, alias in aliases(entries.get(name, ())) if alias.title]
            how: dict[str, Any] = {"metavar": "VALUE"}
            if alone and isinstance(knob["default"], bool):
                how |= {"nargs": "?", "const": "true"}
            group.add_argument(f"--{name}", help=described(knob, called).replace("%", "%%"), **how)
            if "_" in name:  # as other programs write it
                group.add_argument(f"--{name.replace('_', '-')}", dest=name, help=argparse.SUPPRESS, **how)
    parser.set_defaults(kind=kind)


def _parts(settings) -> list[type]:
    """The classes whose fields these settings have: what they add themselves comes first."""
    return [
        part for part in settings.__mro__ if set(vars(part).get("__annotations__", ())) & set(settings.model_fields)
    ]


def settings(options: argparse.Namespace) -> Any:
    """The settings that presets, file and options make together, of the kind that `fields` was given."""
    return options.kind.parse(document_of(options))


def document_of(options: argparse.Namespace) -> dict:
    """The same as a document, not yet checked."""
    document: dict = {}
    for name in options.preset:
        from edm.experiments import presets

        document = merged(document, presets.read(name).get(options.section) or _nothing(name, options.section))
    if options.config:
        document = merged(document, options.kind.owned(read(options.config, options.kind, options.section)))
    return merged(document, options.kind.owned(unflatten(given(options), options.kind)))


def described(knob: dict, called: Sequence[str] = ()) -> str:
    """What help says of a knob. called: other names of its choices."""
    default = knob["default"]
    shown = ",".join(map(str, default)) or "none" if isinstance(default, list) else default
    shown = "none" if shown is None else str(shown).lower() if isinstance(shown, bool) else shown
    parts = [knob["unit"], f"one of {', '.join(knob['choices'])}" if knob["choices"] else ""]
    parts += [f"or as people say: {', '.join(called)}" if called else "", f"default {shown}"]
    return f"{knob['help']} ({'; '.join(part for part in parts if part)})"


def given(options: argparse.Namespace) -> dict[str, str]:
    """The options of fields that were given, by name."""
    names = {name for kind in groups(options.kind).values() for name in kind.model_fields}
    return {name: value for name, value in vars(options).items() if name in names and value is not None}


def _nothing(name, section):
    raise SettingsError(f"the preset {name!r} says nothing about {section}", ("preset",))
