"""A lesson as one word of a link, and as a file that people write.

A word is the document as JSON, deflated, in base64url, between two marks: a link that was cut shows, and what a
sentence around it has left at its end is no part of it.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from typing import Any

import yaml

from edm.base import documents, settings_files
from edm.base.errors import Refused, shown
from edm.lessons.documents import Lesson, load, names, parse

MOST_BYTES = 64 << 10  # of a lesson that somebody has made, as JSON or YAML
LONGEST_WORD = 7000  # letters that pass every proxy: nginx takes 8 kB for an address with what stands around it
BEGIN, END = "d-", "e"
_WORD = re.compile(rf"{BEGIN}([\w-]+){END}", re.ASCII)
_OPENED = "the lesson of this link"


def find(name: str) -> Lesson:
    """A lesson that ships, by its name, or the one that a word is. Raises Refused."""
    if name.startswith(BEGIN):
        return unpacked(name)
    if name not in names():
        raise Refused(f"there is no lesson {shown(name)}; there are {', '.join(names())}")
    return load(name)


def packed(lesson: Lesson) -> str:
    """The word that `unpacked` reads. Raises Refused for a lesson that is too large."""
    text = json.dumps(lesson.document(), ensure_ascii=False, separators=(",", ":")).encode()
    if len(text) > MOST_BYTES:
        raise Refused(f"the lesson takes {len(text):,} bytes, and may take {MOST_BYTES:,}: make two of it")
    return BEGIN + base64.urlsafe_b64encode(zlib.compress(text, 9)).decode().rstrip("=") + END


def unpacked(word: str) -> Lesson:
    """Raises Refused for what is no such word, cut, or holds what a lesson does not have."""
    found = _WORD.fullmatch(word) if len(word) <= 2 * MOST_BYTES else None
    if not found:
        raise Refused(f"{_OPENED} is not whole: it was cut, or something was added; copy it again")
    try:
        data = base64.urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4))
        reader = zlib.decompressobj()
        text = reader.decompress(data, MOST_BYTES + 1)
    except (binascii.Error, zlib.error):
        raise Refused(f"{_OPENED} cannot be read: some letters of it are missing or others; copy it again") from None
    if len(text) > MOST_BYTES:
        raise Refused(f"{_OPENED} is too large: at most {MOST_BYTES:,} bytes are read")
    if not reader.eof or reader.unused_data:
        raise Refused(f"{_OPENED} is not whole: it was cut, or something was added; copy it again")
    return parse(documents.from_json(text, _OPENED, MOST_BYTES))


def written(lesson: Lesson) -> str:
    """The lesson as a file of presets/lessons."""
    form = {"allow_unicode": True, "sort_keys": False, "default_flow_style": None, "width": 118}
    return yaml.dump(lesson.document(), Dumper=_Writer, **form)


class _Writer(yaml.SafeDumper):
    """Text of several lines is a block."""

    def text(self, value):
        return self.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Writer.add_representer(str, _Writer.text)


def read(text: str | bytes) -> Lesson:
    """The lesson in a file. Raises Refused."""
    return parse(_mapping(settings_files.from_yaml(text, "the file", MOST_BYTES)))


def _mapping(document: Any) -> dict:
    if not isinstance(document, dict):
        raise Refused(f"the file is no lesson: it holds {shown(document)} instead of title and steps")
    return document
