"""GET /explorer/[<version>/]<file>: the page's scripts and style sheets, from memory.

A page names them by a version of its own, under which they may be kept for ever; without one they are asked for each
time. Either way a file that is changed shows at once: it is looked at for each request, and the version for each page.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI

from app.sentences.denials import sentence
from edm.base.resources import ASSETS

FOLDER, FIRST, MAIN = ASSETS / "page", "start.js", "main.js"
ALL_SHEETS = "sheets.css"  # in one
# One for each room of the page's scripts; the later ones may take back what the shared ones say.
SHEETS = (
    "shared/tokens.css",
    "shared/frame.css",
    "shared/header.css",
    "shared/widgets.css",
    "shared/knobs.css",
    "shared/stages.css",
    "shared/dialogs.css",
    "sampler/sampler.css",
    "sampler/strip.css",
    "instruments/instruments.css",
    "instruments/lanes.css",
    "instruments/noticed.css",
    "lessons/lessons.css",
    "lessons/author.css",
    "lessons/class.css",
    "lessons/projector.css",
    "lessons/words.css",
    "train/form.css",
    "train/reading.css",
    "train/runs.css",
    "train/stage.css",
    "train/brought.css",
    "train/tasks.css",
)
_KINDS = {".js": b"text/javascript; charset=utf-8", ".css": b"text/css; charset=utf-8"}
_VERSIONED = re.compile(r"v-([0-9a-f]{16})/(.+)")
_IMPORTED = re.compile(r'^(?:import|export)\b[^"]*"(\.[^"]+)";$', re.MULTILINE)


@dataclass(frozen=True)
class _File:
    stamp: list[tuple[int, int]]
    content: bytes
    tag: bytes


class Scripts:
    """The files of the page, as an ASGI application; and what its head says of them."""

    def __init__(self, folder: Path = FOLDER):
        self._folder, self._files, self._told = folder, {}, ("", "")

    def version(self) -> str:
        """Another one whenever a file is another."""
        found = sorted((str(path), _stamp(path)) for path in self._folder.rglob("*") if path.suffix in _KINDS)
        return hashlib.sha256(repr(found).encode()).hexdigest()[:16]

    def head(self) -> str:
        """HTML: the sheets, the first script, and all that it will need, which browsers so fetch at once."""
        version = self.version()
        if self._told[0] != version:
            place = f"explorer/v-{version}/"
            sheets = [f'<link rel="stylesheet" href="{place}{ALL_SHEETS}">']
            script = f'<script type="module" src="{place}{FIRST}"></script>'
            needed = [f'<link rel="modulepreload" href="{place}{name}">' for name in self._needed()]
            self._told = version, "\n".join([*sheets, script, *needed])
        return self._told[1]

    def _needed(self) -> list[str]:
        """Names of all scripts that the page begins with, in the order in which it comes to them."""
        found: dict[str, None] = {}
        for first in (FIRST, MAIN):
            level = [first]
            while level:
                found |= dict.fromkeys(level)
                level = [other for name in level for other in self._imported(name) if other not in found]
        return list(found)

    def _imported(self, name) -> list[str]:
        others = _IMPORTED.findall((self._folder / name).read_text(encoding="utf-8"))
        return [posixpath.normpath(posixpath.join(posixpath.dirname(name), other)) for other in others]

    async def __call__(self, scope, receive, send):
        path = scope["path_params"]["path"]
        version, name = found.groups() if (found := _VERSIONED.fullmatch(path)) else (None, path)
        file = self._file(name)
        if file is None:
            await sentence(404, "there is nothing at this address")(scope, receive, send)
            return
        kept = version is not None and version == self._told[0]
        headers = [
            (b"content-type", _KINDS[Path(name).suffix]),
            (b"cache-control", b"private, max-age=31536000, immutable" if kept else b"no-cache"),
            (b"etag", file.tag),
        ]
        known = dict(scope["headers"]).get(b"if-none-match") == file.tag
        if not known:
            headers.append((b"content-length", str(len(file.content)).encode()))
        await send({"type": "http.response.start", "status": 304 if known else 200, "headers": headers})
        body = b"" if known or scope["method"] == "HEAD" else file.content
        await send({"type": "http.response.body", "body": body})

    def _file(self, name) -> _File | None:
        if Path(name).suffix not in _KINDS or any(part.startswith(".") for part in name.split("/")):
            return None
        paths = [self._folder / one for one in (SHEETS if name == ALL_SHEETS else [name])]
        held = self._files.get(name)
        try:
            stamp = [_stamp(path) for path in paths]
            if held is None or held.stamp != stamp:
                content = b"\n".join(path.read_bytes() for path in paths)
                tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'.encode()
                held = self._files[name] = _File(stamp, content, tag)
        except (OSError, ValueError):
            return None
        return held


def _stamp(path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size


def add(app: FastAPI, scripts: Scripts) -> None:
    """Add the address to `app`."""
    app.add_route("/explorer/{path:path}", scripts, ["GET"])
