"""Tables in JSON: records, columns, rows, what pandas writes in each of its ways, GeoJSON, a record a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edm.base import documents
from edm.base.errors import Refused, shown
from edm.data.brought import numerals
from edm.data.brought.columns import Frame, named, of_cells

_ROWS = ("data", "values", "points", "rows", "records", "items", "results", "features", "samples")
_DEEPEST = 6


def read(text: str, place: str, most: int) -> Frame:
    """The table in JSON. Raises Refused where there is none."""
    notes: list[str] = []
    value = _value(text, place, most)
    names, rows = _table(value, place, notes)
    if not rows:
        raise Refused(f"{place} holds no points: its list is empty")
    width = max(map(len, rows))
    columns = [[row[k] if k < len(row) else None for row in rows] for k in range(width)]
    decimal, note = numerals.decimal_of(columns, ";")
    notes += [note] if note else []
    told = named(names or [], width)
    made = [of_cells(name, cells, decimal, notes) for name, cells in zip(told, columns, strict=True)]
    return Frame(made, names is not None, notes=notes)


def _value(text, place, most):
    try:
        return documents.from_json(text, place, most, constant=float)
    except Refused:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2 or not all(line.lstrip()[0] in "[{" for line in lines):
            raise
        return [
            documents.from_json(line, f"line {k} of {place}", most, constant=float) for k, line in enumerate(lines, 1)
        ]


def _table(value: Any, place: str, notes: list[str], depth: int = 0) -> tuple[list[str] | None, list[list]]:
    """(names or None, rows) of a value."""
    if isinstance(value, dict) and depth < _DEEPEST:
        return _of_names(value, place, notes, depth)
    if not isinstance(value, list):
        raise Refused(f'{place} holds {shown(value)} and no points; write [[0.5, -1], …] or [{{"x": 0.5, "y": -1}}, …]')
    if value and all(isinstance(one, dict) for one in value):
        return _of_records(value, place)
    if any(isinstance(one, list) for one in value):
        bad = next((one for one in value if not isinstance(one, list)), None)
        if bad is not None or any(isinstance(cell, list | dict) for row in value for cell in row):
            raise Refused(f"{place} holds {shown(value)}; each point must be a list of numbers like [0.5, -1]")
        if value and isinstance(value[0], list) and all(isinstance(cell, str) for cell in value[0]):
            rest = value[1:]
            if rest and not any(map(numerals.is_number, value[0])) and all(len(row) == len(value[0]) for row in rest):
                return value[0], rest
        return None, value
    return None, [[one] for one in value]


def _of_names(value, place, notes, depth):
    if value.get("type") in ("FeatureCollection", "Feature", "GeometryCollection") or "coordinates" in value:
        return _of_geojson(value, place, notes)
    known = value.get("columns")
    if isinstance(known, list) and isinstance(value.get("data"), list):  # pandas' "split"
        return [str(name) for name in known], _table(value["data"], place, notes, depth + 1)[1]
    if value and all(isinstance(one, dict) for one in value.values()):
        inner = list(value.values())
        if all(not isinstance(cell, dict | list) for one in inner for cell in one.values()):
            names = list(value)
            if all(name.isdecimal() for name in names) and not all(key.isdecimal() for one in inner for key in one):
                return _of_records(inner, place)  # pandas' "index"
            keys = list(dict.fromkeys(key for one in inner for key in one))
            return names, [[one.get(key) for one in inner] for key in keys]
    lists = {name: one for name, one in value.items() if isinstance(one, list)}
    flat = {name: one for name, one in lists.items() if one and not any(isinstance(c, list | dict) for c in one)}
    if flat:
        length = max(map(len, flat.values()))
        alike = {name: one for name, one in flat.items() if len(one) == length}
        if len(alike) < len(flat):
            short = next(name for name in flat if name not in alike)
            raise Refused(
                f"{place} has {len(flat[short])} values of {short!r:.60}, and {length} of others; give as many of each"
            )
        return list(alike), [list(row) for row in zip(*alike.values(), strict=True)]
    inner = next((value[name] for name in _ROWS if isinstance(value.get(name), list | dict) and value[name]), None)
    inner = (
        inner
        if inner is not None
        else next((one for one in value.values() if isinstance(one, list | dict) and one), None)
    )
    if inner is None:
        if value and all(numerals.is_number(one) or isinstance(one, str) for one in value.values()):
            return _of_records([value], place)
        raise Refused(f'{place} holds {shown(value)} and no points; write [[0.5, -1], …] or {{"x": […], "y": […]}}')
    return _table(inner, place, notes, depth + 1)


def _of_records(records, place):
    flat = [_flat(record) for record in records]
    names = list(dict.fromkeys(name for record in flat for name in record))
    if len(names) > 10_000:
        raise Refused(f"{place} has {len(names):,} different names in its records; points have one or two coordinates")
    return names, [[record.get(name) for name in names] for record in flat]


def _flat(record, prefix="", depth=0) -> dict:
    """A record without records in it: {"p": {"x": 1}} is {"p.x": 1}, and {"p": [1, 2]} is {"p.1": 1, "p.2": 2}."""
    found = {}
    for name, value in record.items():
        if isinstance(value, list) and 0 < len(value) <= 16 and all(map(numerals.is_number, value)):
            value = {str(k): one for k, one in enumerate(value, 1)}
        if isinstance(value, dict) and depth < _DEEPEST:
            found |= _flat(value, f"{prefix}{name}.", depth + 1)
        elif not isinstance(value, list | dict):
            found[prefix + name] = value
    return found


def _of_geojson(value, place, notes):
    """Longitude, latitude and the properties of points; of lines and areas, their corners."""
    found = value["features"] if isinstance(value.get("features"), list) else [value]
    rows: list[dict] = []
    kinds = set()
    for feature in found:
        if not isinstance(feature, dict):
            continue
        shape = feature.get("geometry", feature)
        told = feature.get("properties")
        told = _flat(told) if isinstance(told, dict) else {}
        if isinstance(shape, dict):
            kinds.add(shape.get("type"))
            for longitude, latitude, *_ in _positions(shape.get("coordinates")):
                rows.append({"longitude": longitude, "latitude": latitude, **told})
    if not rows:
        raise Refused(f"{place} is GeoJSON without points; it needs features of the kind Point")
    if more := sorted(str(kind) for kind in kinds - {"Point", "MultiPoint"}):
        notes.append(f"of each {' and '.join(more)}, the corners are the points")
    return _of_records(rows, place)


def _positions(value: Any, depth: int = 0) -> list[Sequence]:
    if not isinstance(value, list) or not value or depth > _DEEPEST:
        return []
    if all(isinstance(one, int | float) for one in value):
        return [value] if len(value) > 1 else []
    return [position for one in value for position in _positions(one, depth + 1)]
