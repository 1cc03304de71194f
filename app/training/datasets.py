"""What a visitor can train on: the data of the project, and what visitors have uploaded or drawn, by its id."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from app.figures import pack
from app.uploads import sets
from edm import data
from edm.base.choices import knobs_of, title_of
from edm.base.errors import Refused
from edm.base.fields import SettingsError
from edm.data.settings import Data

OWN = "own:"  # prefix of the name of an uploaded dataset; its id follows
THUMBNAIL_POINTS = 220


@dataclass(frozen=True)
class Found:
    """fields: of `edm.data.settings.Data`; shape: of one sample."""

    name: str
    title: str
    fields: dict
    shape: tuple[int, ...]
    thumbnail: str | None = None


def names() -> dict[str, str]:
    """The project's own data: name -> title."""
    from edm.data import sources

    known = sources.offered()
    there = [name for name in known if "path" not in (knobs_of(known, name) or ())]
    points = [name for name in there if name in data.DATASETS and len(data.DATASETS[name].shape) == 1]
    return {name: title_of(known, name) for name in [*(name for name in there if name not in points), *points]}


def named(name: str, folder) -> Found:
    """The dataset of that name. Raises SettingsError if there is none."""
    from edm.data import sources

    if name in names():
        found = _shipped(name, sources.offered()[name])
        return replace(found, fields=dict(found.fields))
    if name.startswith(OWN):
        return _own(name, folder)
    allowed = ", ".join(names())
    raise SettingsError(f"data = {name!r:.60}: must be one of {allowed}, or an upload", ("data",))


@lru_cache(maxsize=64)
def _shipped(name, _reader) -> Found:  # opened anew where another reader has taken the name
    from edm.data import sources

    source = sources.open_source(Data(dataset=name))
    if len(source.shape) == 1:
        exact = data.DATASETS.get(name)
        samples = exact.sample(THUMBNAIL_POINTS, seed=1) if exact else _first(source, THUMBNAIL_POINTS)
        thumbnail = pack.float32(samples)
    else:
        thumbnail = pack.uint8(_first(source, 4)[-1:].numpy())
    return Found(name, names()[name], {"dataset": name}, tuple(source.shape), thumbnail)


def _first(source, count):
    from edm.data import sources

    return sources.read(source, range(min(count, source.size or count)))[0]


def _own(name, folder) -> Found:
    try:
        return own(sets.described(folder, name.removeprefix(OWN)))
    except (Refused, OSError) as error:
        raise SettingsError(f"data = {name!r:.60}: {error}", ("data",)) from None


def own(about: dict) -> Found:
    """What `app.uploads.sets` describes."""
    title = f"{about['title']}, {about['count']:,} {'points' if about['dataset'] == 'points' else 'images'}"
    return Found(OWN + about["id"], title, about["fields"], tuple(about["shape"]), about["thumbnail"])


def described(folder) -> list[dict]:
    """All datasets for the page, the project's first."""
    return [describe(named(name, folder)) for name in names()]


def describe(found: Found) -> dict:
    return {"name": found.name, "title": found.title, "shape": found.shape, "thumbnail": found.thumbnail}
