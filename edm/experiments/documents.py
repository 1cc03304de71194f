"""Documents of settings, from any file that holds one, and one laid over another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

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
    suffix = Path(path).suffix.lower()
    if suffix == ".safetensors":
        from edm.files.checkpoints import read_header

        training = read_header(path).training
        if section != "training" or training is None:
            raise SettingsError(f"{path} holds no settings for this command")
        return training  # complete: its defaults are its choices, too
    if suffix == ".png":
        from edm.files.render import read_document as found
    else:
        from edm.base.settings_files import read as found
    document = found(path)
    if isinstance(document.get(section), dict):
        document = document[section]
    return unflatten(document, kind)
