"""Documents of settings, from any file that holds one, and one laid over another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edm.base import kinds_of_files
from edm.base.fields import Settings, SettingsError
from edm.base.flat import unflatten

if TYPE_CHECKING:
    from edm.base.types import StrPath


def merged(document: dict, changes: dict) -> dict:
    """One document over another, group by group."""
    both = {**document, **changes}
    for name, value in document.items():
        if isinstance(value, dict) and isinstance(changes.get(name), dict):
            both[name] = {**value, **changes[name]}
    return both


def read(path: StrPath, kind: type[Settings], section: str) -> dict:
    """The settings of a kind in a file, its fields by their names or in their groups. Raises SettingsError or OSError
    with a sentence."""
    if kinds_of_files.is_safetensors(path):
        from edm.files.checkpoints import read_header

        training = read_header(path).training
        if section != "training" or training is None:
            raise SettingsError(f"{path} holds no settings for this command")
        return training  # complete: its defaults are its choices, too
    if kinds_of_files.is_picture(path):
        from edm.files.render import read_document as found
    else:
        from edm.base.settings_files import read as found
    document = found(path)
    if "show" in document:
        raise SettingsError(f"{path} is a picture of {document['show']!s:.40}; drop it onto the page, which opens it")
    if isinstance(document.get(section), dict):
        document = document[section]
    return unflatten(document, kind)
