"""What leaves for a visitor says nothing of where things lie on the server.

/srv/class/runs/.data/set.zip → runs/.data/set.zip     the runs folder by its own name
/srv/explorer/edm/models.py   → edm/models.py          the project's files as seen from its folder
/home/anna/photos/cat.png     → ~/photos/cat.png       in answers of any kind, which `Veil` looks through
                              → cat.png                in sentences, commands and logs: any path by its last name
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path

from edm.base.resources import CODE

_TEXTS = ["application/json", "application/x-ndjson", "text/event-stream", "text/html", "text/markdown", "text/plain"]
_QUOTED = re.compile(r"""(['"])((?:--\w+=)?)(/[^'"\n]*)\1""")
_PLAIN = re.compile(r"""(?<![\w/.~+\-])/(?:[^\s/'"<>|,;()\[\]{}=]+/)+[^\s/'"<>|,;()\[\]{}=]*""")
_BEFORE = (
    r"(?:(?<![\w.~+-])|(?<=\\n)|(?<=\\r)|(?<=\\t)|(?<=\\u[0-9a-f]{4}))"  # a path begins here; the latter within JSON
)
_AFTER = r"(?![\w-]|\.\w)"
_SETTING = re.compile(r"(EDM_RUNS[^/\s]*(] = [^/\s]*)?|models\.register\([^/\s]*)$")  # of `app.work.snippets`


class Names:
    """What to call the folders that every server has. folder: of all runs.

    own: for the owner of this machine, scripts and commands go on naming where models lie, or they would not run.
    """

    def __init__(self, folder, own: bool = False):
        self._own = own
        folder, home = Path(folder), _home()
        known = {CODE: "", **({home: "~"} if home else {})}
        known |= {folder.absolute(): folder.absolute().name, folder.resolve(): folder.absolute().name}
        self._called = {}
        for path, name in known.items():
            for text in _forms(str(path)) if len(path.parts) > 1 else ():
                self._called[text] = name
        found = sorted(map(re.escape, self._called), key=len, reverse=True)
        self._pattern = re.compile(f"{_BEFORE}({'|'.join(found)}){_AFTER}(/?)")
        self._signs = [text.encode() for text in self._called]

    def known(self, text: str) -> str:
        """Text with these folders by their names."""
        return self._pattern.sub(self._name, text)

    def text(self, text: str) -> str:
        """The same, and whatever other files a sentence, a command or a log names without their folders."""
        return without_folders(self.known(text))

    def body(self, data: bytes) -> bytes:
        """As `known`, of an answer's text; what names none of these folders takes no time."""
        if not any(sign in data for sign in self._signs):
            return data
        return self.known(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")

    def _name(self, found):
        if self._own and _SETTING.search(found.string, max(0, found.start() - 60), found.start()):
            return found[0]
        name, slash = self._called[found[1]], found[2]
        return name + slash if name else "" if slash else "."


@lru_cache(maxsize=8)
def names(folder) -> Names:
    """The names for a server whose runs are in that folder."""
    return Names(folder)


def without_folders(text: str) -> str:
    """A sentence in which files are named without the folders that lead to them from the root."""
    text = _QUOTED.sub(lambda found: found[1] + found[2] + _last(found[3]) + found[1], text)
    return _PLAIN.sub(lambda found: _last(found[0]), text)


def _last(path):
    """The last name of a path from the root; the path itself where it is one name, as an address of the page may be."""
    whole = path.rstrip("/")
    return whole.rpartition("/")[2] if "/" in whole[1:] else path


def _forms(path):
    """A path as it is, and as JSON writes it, once and within another text."""
    once = json.dumps(path)[1:-1]
    return {path, once, json.dumps(once)[1:-1]}


def _home():
    try:
        return Path.home()
    except RuntimeError:  # of a user whom the system does not know
        return None


class Veil:
    """Looks through all texts that the app sends, whoever has made them. own: as of `Names`."""

    def __init__(self, app, folder, own: bool = False):
        self._app, self._names = app, Names(folder, own)

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            send = _Veiled(send, self._names.body)
        await self._app(scope, receive, send)


class _Veiled:
    """One answer. Of one whose length was announced, all is looked at together; a stream, message by message."""

    def __init__(self, send, seen):
        self._send, self._seen, self._start, self._held, self._looks = send, seen, None, [], False

    async def __call__(self, message):
        if message["type"] == "http.response.start":
            headers = dict(message["headers"])
            kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower().decode("latin-1")
            self._looks = kind in _TEXTS and b"content-encoding" not in headers and message["status"] != 206
            if self._looks and b"content-length" in headers:
                self._start = message
                return
        elif message["type"] == "http.response.body" and self._looks:
            if self._start is None:
                message = {**message, "body": self._seen(message.get("body", b""))}
            else:
                self._held.append(message.get("body", b""))
                if message.get("more_body"):
                    return
                message = {**message, "body": self._seen(b"".join(self._held))}
                await self._send(self._measured(len(message["body"])))
        await self._send(message)

    def _measured(self, length):
        headers = self._start["headers"]
        if length:  # an answer to HEAD has none, and announces what GET would bring
            headers = [(n, str(length).encode() if n == b"content-length" else v) for n, v in headers]
        return {**self._start, "headers": headers}
