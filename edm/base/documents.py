"""Documents that come from outside, as plain data: JSON of any making. (YAML is read by `edm.base.settings_files`.)

What is read is of bounded size and depth, and holds only names, text that can be written again, numbers, true, false
and null. Anything else is refused in a sentence that begins with `place`, which says where it was found.
"""

from __future__ import annotations

import codecs
import json
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from edm.base.errors import Refused, one_line, shown

DEEPEST = 32
MAX_JSON = 16 << 20  # bytes
LONGEST_NUMBER = 40  # digits of a whole number; more belong into a text
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),  # as PowerShell's > writes
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def text_of(data: bytes | str, place: str) -> str:
    """Text in UTF-8, or in what its byte order mark says. Raises Refused for bytes that are no text."""
    if isinstance(data, str):
        return data.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    try:
        return bytes(data).decode(encoding)
    except UnicodeDecodeError:
        raise Refused(f"{place} is not text: it is no {encoding.removesuffix('-sig').upper()}") from None


def from_json(data: bytes | str, place: str, most: int = MAX_JSON, constant: Callable[[str], object] = str) -> Any:
    """The value in JSON text of at most `most` bytes.

    NaN and infinities, for which JSON has no word, come as what `constant` makes of "NaN", "Infinity" and "-Infinity";
    settings read these texts.
    """
    if len(data) > most:
        raise Refused(f"{place} is too large: at most {most:,} bytes are read")
    text = text_of(data, place)
    hooks = {"object_pairs_hook": _object, "parse_int": _whole, "parse_constant": constant}
    try:
        value = json.loads(text, **hooks)
    except RecursionError:
        raise Refused(f"{place} is nested too deeply") from None
    except Strange as error:
        raise Refused(f"{place} is not valid: {error}") from None
    except ValueError as error:  # of json: our hooks raise none but the above
        raise Refused(f"{place} is not valid JSON ({one_line(error, 120)})") from None
    return plain(value, place)


def plain(value: Any, place: str) -> Any:
    """`value`, once all in it is plain data that can be written again. Raises Refused."""
    level, depth = [value], 0
    while level:
        if depth > DEEPEST:
            raise Refused(f"{place} is nested too deeply")
        inner: list = []
        for one in level:
            kind = type(one)
            if kind is dict:
                for name in one:
                    if type(name) is not str:
                        raise Refused(f"{place} has the name {shown(name)}, which is no text; write it in quotes")
                inner += one
                inner += one.values()
            elif kind is list:
                inner += one
            elif kind is str:
                if not (one.isascii() or _is_text(one)):
                    raise Refused(f"{place} holds {shown(one)}, in which there is half a letter")
            elif kind is int:
                if one.bit_length() > 4 * LONGEST_NUMBER:
                    raise Refused(f"{place} holds {shown(one)}; at most {LONGEST_NUMBER} are read")
            elif not (kind is float or kind is bool or one is None):
                raise Refused(f"{place} holds {shown(one)}, which is no text, number, list or mapping")
        level, depth = inner, depth + 1
    return value


class Strange(Exception):
    """Found while parsing; the message follows upon "is not valid"."""


def _object(pairs) -> dict:
    once([name for name, _ in pairs])
    return dict(pairs)


def once(names: Sequence[str]) -> None:
    if len(set(names)) < len(names):
        twice = Counter(names).most_common(1)[0][0]
        raise Strange(f"the name {shown(twice)} is there twice")


def _whole(digits: str):
    if len(digits) > LONGEST_NUMBER + 1:
        raise Strange(f"it holds a number of {len(digits)} digits; at most {LONGEST_NUMBER} are read")
    return int(digits)


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
