"""Where what ships with the code lies: beside it in a checkout, in the package `edm` where it has been installed."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
_INSTALLED = _PACKAGE / "share"  # see pyproject.toml

CODE = _PACKAGE.parent  # the folder that holds edm and app: a checkout, or Python's site-packages
HOME = _INSTALLED if _INSTALLED.is_dir() else CODE
ASSETS = HOME / "assets"
PRESETS = HOME / "presets"
