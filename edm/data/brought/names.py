"""What the names of files say: which are hidden."""

from __future__ import annotations

import re

from edm.base.errors import Refused

_DRIVE = re.compile(r"[A-Za-z]:")
_SYSTEM = {"thumbs.db", "desktop.ini", "ehthumbs.db"}  # what Windows leaves in folders of pictures


def checked(name: str, place: str) -> str:
    """A name within an archive, with "/" between its parts and none that says nothing. Raises Refused for one that
    points elsewhere."""
    name = name.replace("\\", "/")
    parts = name.split("/")
    if name.startswith("/") or _DRIVE.match(name) or ".." in parts or "\0" in name:
        raise Refused(f"{name!r:.200} in {place} points out of the set; pack it again from inside its folder")
    return "/".join(part for part in parts if part not in ("", "."))


def hidden(name: str) -> str:
    """Why a file is not looked at, or ""."""
    parts = name.split("/")
    if any(part == "__MACOSX" for part in parts):
        return "is macOS's own"
    if any(part.startswith(".") for part in parts):
        return "is hidden"
    return "is Windows's own" if parts[-1].casefold() in _SYSTEM else ""
