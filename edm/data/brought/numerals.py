"""Numbers as people and their programs write them: "0,5", "1.234,5", "1,234.5", "1'000", "−2e-3", "12 %".

A cell that can be read in one way only is read in that way. One that can be read in two, "1.234" or "1,234", is read as
the others of its file show, and of that something is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np

POINT, COMMA, EITHER = ".", ",", "?"
MISSING = frozenset(
    ["", "na", "n/a", "n.a.", "n.a", "nan", "-nan", "null", "none", "nil", "-", "--", "---", "–", "—", "?", ".", "..",
     "…", "\\n", "*", "missing", "#n/a", "#na", "<na>", "nat", "#value!", "#div/0!", "#ref!", "#num!", "#null!",
     "#name?", "k.a.", "(null)"]
)  # fmt: skip
# Of measurements and of money; what stands behind every number of a column, or in a line under the names
MEASURES = frozenset(
    (
        "m", "cm", "mm", "km", "µm", "μm", "um", "nm", "pm", "s", "ms", "µs", "μs", "us", "ns", "min", "h", "d",
        "a", "kg", "g", "mg", "t", "°c", "c", "k", "°f", "°f", "f", "°", "deg", "degree", "degrees", "rad", "hz",
        "khz", "mhz", "ghz", "v", "mv", "kv", "a", "ma", "w", "kw", "mw", "j", "kj", "mj", "wh", "kwh", "pa",
        "hpa", "kpa", "mpa", "bar", "mbar", "%", "‰", "a.u.", "au", "arb", "arb.", "counts", "count", "cts", "cps",
        "px", "pixel", "pixels", "n", "kn", "mol", "l", "ml", "dl", "ppm", "ppb", "db", "dbm", "m/s", "km/h",
        "m/s²", "m/s^2", "m/s2", "mph", "ft", "in", "inch", "lb", "lbs", "mi", "1/cm", "cm-1", "cm^-1", "cm⁻¹",
        "1/s", "ev", "kev", "mev", "usd", "eur", "chf", "gbp", "$", "€", "£", "¥", "years", "year", "yr", "months",
        "days", "hours",
    )
)  # fmt: skip
_SIGNS = str.maketrans(
    {"−": "-", "\N{FULLWIDTH PLUS SIGN}": "+", " ": " ", "\N{NARROW NO-BREAK SPACE}": " ", "\N{THIN SPACE}": " "}
    | dict.fromkeys("’ʼ‘", "'")
)
_EXPONENT = r"(?:\s?[eEdD][+-]?\d{1,4})?"
_WAYS = (  # whether it shows the decimal sign -> how a number can be written
    ("", rf"[+-]?\d+{_EXPONENT}"),
    (f"{EITHER}.", r"[+-]?[1-9]\d{0,2}\.\d{3}"),
    (f"{EITHER},", r"[+-]?[1-9]\d{0,2},\d{3}"),
    (POINT, rf"[+-]?(?:\d+\.\d*|\.\d+){_EXPONENT}"),
    (COMMA, rf"[+-]?(?:\d+,\d*|,\d+){_EXPONENT}"),
    (POINT, rf"[+-]?[1-9]\d{{0,2}}(?:,\d{{2,3}})*,\d{{3}}(?:\.\d*)?{_EXPONENT}"),
    (COMMA, rf"[+-]?[1-9]\d{{0,2}}(?:\.\d{{3}})+(?:,\d*)?{_EXPONENT}"),
    (POINT, rf"[+-]?[1-9]\d{{0,2}}(?:[' ]\d{{3}})+(?:\.\d*)?{_EXPONENT}"),
    (COMMA, rf"[+-]?[1-9]\d{{0,2}}(?:[' ]\d{{3}})+(?:,\d*)?{_EXPONENT}"),
)
_WAY = re.compile("|".join(f"({pattern})" for _, pattern in _WAYS))
_LOOKED_AT = 2000  # cells of a column that show how numbers are written


def is_missing(cell: object) -> bool:
    """Whether a cell stands for a number that is not there."""
    return cell is None or (isinstance(cell, str) and cell.strip().casefold() in MISSING)


def way(text: str) -> str | None:
    """How a text is written as a number: "" a whole one, ".", ",", "?." or "?," where it can be read in two ways; None:
    it is none."""
    found = _WAY.fullmatch(text)
    return _WAYS[found.lastindex - 1][0] if found and found.lastindex else None


def tidy(text: str) -> str:
    """A text without what may stand around a number: blanks, quotes, and a plus or minus of another script."""
    text = text.translate(_SIGNS).strip()
    return text[1:-1].strip() if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def number(text: str, decimal: str = POINT) -> float | None:
    """The number that a text is, or None. decimal: where it can be read in two ways."""
    text = tidy(text)
    kind = way(text)
    if kind is None:
        return _unusual(text)
    sign = decimal if kind.startswith(EITHER) else kind or POINT
    other = "," if sign == POINT else "."
    plain = re.sub(rf"[{other}' ]", "", text).replace(",", ".").replace("D", "e").replace("d", "e")
    return float(plain)


def _unusual(text) -> float | None:
    found = re.fullmatch(r"[+-]?(inf|infinity|∞)", text.casefold())
    return (-np.inf if text.startswith("-") else np.inf) if found else None


def is_number(cell: object) -> bool:
    """Whether a cell is a number, however it is written."""
    return isinstance(cell, int | float | np.number) or (isinstance(cell, str) and number(cell) is not None)


def decimal_of(columns: Iterable[Sequence], separator: str) -> tuple[str, str]:
    """(the decimal sign of all these cells, a sentence where they leave it open, or ""). separator: of the cells."""
    seen, either = {POINT: 0, COMMA: 0}, {}
    for cells in columns:
        texts = [tidy(cell) for cell in cells[:: max(1, len(cells) // _LOOKED_AT)] if isinstance(cell, str)]
        ways = [way(text) for text in texts]
        for kind, text in zip(ways, texts, strict=True):
            if kind in seen:
                seen[kind] += 1
            elif kind:
                either.setdefault(kind[1], text)
        open_ways = {kind for kind in ways if kind}
        wholes = [len(text.lstrip("+-")) for kind, text in zip(ways, texts, strict=True) if kind == ""]
        if len(open_ways) == 1 and (kind := open_ways.pop()).startswith(EITHER) and wholes and max(wholes) <= 3:
            # 12, 567 and 1.234: whole numbers with their thousands apart
            seen[COMMA if kind[1] == POINT else POINT] += 1
    if seen[POINT] != seen[COMMA]:
        sign = max(seen, key=lambda one: seen[one])
    elif COMMA in either and POINT not in either and separator != ",":
        sign = COMMA
    else:
        sign = POINT
    text = either.get(COMMA if sign == POINT else POINT) or (either.get(COMMA) if not any(seen.values()) else None)
    if text is None:
        return sign, ""
    return sign, f"{text!r} was read as {number(text, sign):.10g}"


def unit_of(cells: Sequence) -> str:
    """The unit or the currency that stands at every number of a column's cells, or ""."""
    found = ""
    for cell in cells:
        if is_missing(cell):
            continue
        parts = _parts(cell) if isinstance(cell, str) else None
        if parts is None or (found and parts[1] != found):
            return ""
        found = parts[1]
    return found


def without_unit(cell: object) -> object:
    """A cell without the unit at its number."""
    parts = _parts(cell) if isinstance(cell, str) else None
    return parts[0] if parts else cell


def _parts(text) -> tuple[str, str] | None:
    """(number, unit) of a text like "12.5 °C" or "$3"."""
    text = tidy(text)
    found = re.fullmatch(r"([+-]?[\d.,' ]*\d[\d.,]*(?:[eE][+-]?\d+)?)\s*([^\d\s.,;][^\s]{0,9})", text)
    if found and found[2].casefold() in MEASURES and way(found[1].strip()) is not None:
        return found[1].strip(), found[2]
    found = re.fullmatch(r"([+-]?)([$€£¥])\s*(\d[\d.,' ]*)", text)
    return (found[1] + found[3].strip(), found[2]) if found and way(found[3].strip()) is not None else None
