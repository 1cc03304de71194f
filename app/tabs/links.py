"""Addresses of the page, read with care: what can be read is kept, and what cannot is named.

<field>                         settings of the Sampler tab, and with "pin." before it those of the pinned result
view.<switch>                   what only concerns its picture: coordinates, arrows, …; the page's scripts know them
show=<instrument>               the instrument that is shown, with its settings as <instrument>.<knob>
figure=<preset>                 or a preset of the folder figures
only=<names>, hide=<names>      the controls of the panel that are shown, or put away; a button shows all again
lesson=<lesson>, step=<k>       a step of a lesson, by its name, the key of one that is shared on this server, or a word
                                that holds it: what it opens, and above that whatever else the address says
tab=<tab>                       or a tab; of the Train tab its form, its curves and its runs, as train.<…>

Links are pasted, cut, and sent around: what trackers add is passed over, and so are the traces of HTML and of the
sentence in which a link stood.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import parse_qsl

from app.instruments import INSTRUMENTS, of_tab
from app.instruments import TABS as BENCHES
from app.tabs import TABS
from app.training import form
from edm import lessons, presets
from edm.base import flat
from edm.base.documents import from_json
from edm.base.errors import Refused, one_line, shown
from edm.base.fields import SettingsError
from edm.base.sentences import is_number
from edm.experiments.experiment import Experiment

PIN, VIEW, SHOW, FIGURE, TAB, TRAIN = "pin", "view", "show", "figure", "tab", "train"
ONLY, HIDE, LESSON, STEP = "only", "hide", "lesson", "step"
OWN = ("design", "nfe", SHOW)  # controls that are no setting: the columns, evaluations, the list of instruments
FIRST = "sampler"  # the tab that is open where none is named
MOST_SAID, MOST_WORDS = 4, 40  # things that a notice names; names in a list
_FIELD = re.compile(r"[\w.\[\]]+ = .*?: ")  # with which the sentence about a field begins
_WORD = re.compile(r"[A-Za-z_][\w-]*")
_FOREIGN = re.compile(
    r"__.*|(utm|mtm|pk|gad|hsa|oly|wt|mc|vero|trk|fb|ref|_hs)_.*|_hs(enc|mi)|_g[al]|[a-z]{1,4}clk?id|[gw]braid|igsh(id)?|"
    r"ref|source|si|mkt_tok|_openstat|rb_clickid|s_cid|cmpid|spm|share|feature|view|deep_link",
    re.IGNORECASE,
)
_AFTER = ".,;:!?)]}>'\"»”’…*_ \t\r\n"  # of the sentence around a link


def opened_from(
    query: Mapping | Iterable[tuple[str, str]],
    train: Callable[[dict], object] = dict,
    find: Callable[[str], lessons.Lesson] = lessons.find,
) -> dict:
    """What an address says, for the page: {values, pinned, view, controls, notice, show: None or {tab, name,
    values}, lesson: None or {name, step}}.

    query: names and values, in their order. train: raises Refused for values that the Train tab's form cannot have.
    find: the lesson of a name, or raises Refused.
    notice: None, or a sentence that names what was left out.
    """
    pairs = [(str(name), str(value)) for name, value in (query.items() if isinstance(query, Mapping) else query)]
    lesson, before, missed = _lesson(dict(pairs), find)
    link = _Link([*before, *(pair for pair in pairs if pair[0] not in (LESSON, STEP))], train)
    for name, why in missed.items():
        link.leave(name, dict(pairs)[name], why)
    show = link.shown()
    link.unshown(show["name"] if show else None)
    values, pinned = link.experiment(), link.experiment(PIN) if PIN in link.parts else None
    controls = link.controls(show["name"] if show else None)
    return {
        "values": values.document(complete=True),
        "pinned": pinned and pinned.document(complete=True),
        "view": link.parts.get(VIEW, {}),
        "show": show,
        "controls": controls,
        "lesson": lesson,
        "notice": link.notice,
    }


def dropped(settings: str) -> dict[str, str]:
    """The address that opens what a picture of ours shows, from the settings that it carries: those of the Sampler tab,
    or an instrument's beside them, or the runs of the Train tab. Raises Refused for what holds none."""
    document = from_json(settings, "what the picture carries")
    if not isinstance(document, dict):
        raise Refused(f"The picture carries {shown(document)} instead of settings, which are names and values")
    if isinstance(document.get("runs"), list):
        return {TAB: TRAIN, f"{TRAIN}.runs": flat.written(document["runs"])}
    if SHOW not in document:
        return _texts(document)
    show, values, yours = str(document[SHOW]), document.get("values"), document.get("yours")
    return _texts(yours or {}) | {SHOW: show, **{f"{show}.{name}": text for name, text in _texts(values or {}).items()}}


def _texts(values) -> dict[str, str]:
    """Settings as an address holds them, in no groups."""
    if not isinstance(values, dict):
        raise Refused(f"The picture carries {shown(values)} instead of settings, which are names and values")
    found = {}
    for name, value in values.items():
        found |= _texts(value) if isinstance(value, dict) else {name: flat.written(value)}
    return found


def _lesson(query, find) -> tuple[dict | None, list[tuple[str, str]], dict[str, str]]:
    """(the lesson that an address names and its step, from 1 on; what that step opens; what is said in vain, and
    why)."""
    name, step = query.get(LESSON, "").rstrip(_AFTER), query.get(STEP, "1").rstrip(_AFTER)
    if LESSON not in query:
        return None, [], {STEP: "is nothing that is known here"} if STEP in query else {}
    try:
        steps = find(name).steps
    except Refused as error:
        return None, [], {LESSON: str(error)}
    k = int(step) if step.isdecimal() and len(step) < 4 and 1 <= int(step) <= len(steps) else 1
    opened = steps[k - 1]
    only = [(ONLY, ",".join(opened.only))] if opened.only else []
    return {"name": name, "step": k}, [*parse_qsl(opened.open, keep_blank_values=True), *only], {}


class _Link:
    """parts: names and values by what stands before the dot, "" for those without one."""

    def __init__(self, query, train):
        self._train, self._left = train, []
        self.parts: dict[str, dict[str, str]] = {}
        known = {PIN, VIEW, TRAIN, *INSTRUMENTS}
        for name, value in query:
            name, value = str(name), str(value)
            while name.startswith("amp;"):  # of a link that was copied out of HTML
                name = name.removeprefix("amp;")
            first, dot, rest = name.partition(".")
            part, inner = (first, rest) if dot and first in known else ("", name)
            if (not inner.strip() and not value) or (part == "" and _FOREIGN.fullmatch(name)):
                continue
            self.parts.setdefault(part, {})[inner] = value

    @property
    def notice(self) -> str | None:
        if not self._left:
            return None
        more = len(self._left) - MOST_SAID
        said = "; ".join(self._left[:MOST_SAID]) + (f"; and {more} more" if more > 0 else "")
        return one_line(f"This link could not be read whole. Left out: {said}.", 600)

    def leave(self, name, value, why="is nothing that is known here"):
        told = value[:40] if is_number(value) else shown(value, 40)
        self._left.append(one_line(f"{one_line(name, 40)} = {told}: {why}", 260))

    def experiment(self, part: str = "") -> Experiment | None:
        values = dict(self.parts.get(part, {}))
        for name in (SHOW, FIGURE, TAB, ONLY, HIDE):
            if not part:
                values.pop(name, None)
        made, kept = self._kept(part, values, flat.names(Experiment), _experiment)
        return made if kept or not part else None

    def shown(self) -> dict | None:
        """The instrument that the address shows, or the preset that it names, with all values of its settings."""
        figures = [name.removeprefix("figures/") for name in presets.names("figures")]
        figure = self._chosen(FIGURE, figures)
        instrument = self._chosen(SHOW, INSTRUMENTS)
        tab = self._chosen(TAB, [tab.name for tab in TABS])
        if tab == TRAIN:
            return {"tab": TRAIN, "name": TRAIN, "values": self._training()}
        if figure is not None:
            name, values = presets.figure(figure)
        elif instrument is None and tab not in BENCHES:
            return None if tab in (None, FIRST) else {"tab": tab, "name": tab, "values": {}}
        else:
            name = instrument or of_tab(tab)[0].name
            values = self.parts.get(name, {})
        settings = INSTRUMENTS[name]
        complete = self._kept(name, values, flat.names(settings.settings), settings.complete)[0]
        return {"tab": INSTRUMENTS[name].tab, "name": name, "values": complete}

    def unshown(self, shown: str | None) -> None:
        """Name what is unknown of what the address sets and does not show."""
        for part in (TRAIN, *INSTRUMENTS):
            known = {*form.NAMES, *form.CURVES, "runs"} if part == TRAIN else flat.names(INSTRUMENTS[part].settings)
            for name, value in self.parts.get(part, {}).items():
                if part != shown and name not in known:
                    self.leave(f"{part}.{name}", value)

    def controls(self, shown: str | None) -> dict[str, list[str] | None]:
        """Which controls of the panel are shown, or put away: by their names, an instrument's also as it has them in
        addresses. Where both are asked for, those that are to be shown are."""
        known = [*OWN, *flat.names(Experiment)]
        if shown == TRAIN:
            known = form.NAMES
        elif shown in INSTRUMENTS:
            known = [SHOW, *flat.names(INSTRUMENTS[shown].settings)]
        found = {name: self._names(name, known, f"{shown}.") for name in (ONLY, HIDE)}
        return found if found[ONLY] is None else found | {HIDE: None}

    def _names(self, name, known, prefix) -> list[str] | None:
        value = self.parts.get("", {}).get(name)
        if value is None:
            return None
        asked = [word.strip().removeprefix(prefix) for word in value.rstrip(_AFTER).split(",")]
        unknown = [word for word in asked if word and word not in known]
        if unknown:
            self.leave(name, ",".join(unknown), f"there is no control of this name; there are {', '.join(known)}")
        return [word for word in dict.fromkeys(asked) if word in known] or None

    def _chosen(self, name, known) -> str | None:
        value = self.parts.get("", {}).get(name)
        if value is None or value in known:
            return value
        if (trimmed := value.rstrip(_AFTER)) in known:
            return trimmed
        self.leave(name, value, f"there is none of this name; there are {', '.join(known)}")
        return None

    def _training(self) -> dict[str, str]:
        values = dict(self.parts.get(TRAIN, {}))
        others = {name: values.pop(name).rstrip(_AFTER) for name in [*form.CURVES, "runs"] if name in values}
        for name, allowed in form.CURVES.items():
            if name in others and not form.is_curve(allowed, others[name]):
                self.leave(f"{TRAIN}.{name}", others.pop(name))
        return others | self._kept(TRAIN, values, form.NAMES, self._train)[1]

    def _kept(self, part, values, names, parse):
        """(what `parse` makes of as many of the values as it takes, these values)."""
        prefix = f"{part}." if part else ""
        kept = {name: value for name, value in values.items() if name in names}
        for name, value in values.items():
            if name not in kept:
                self.leave(prefix + name, value)
        while True:
            try:
                return parse(kept), kept
            except Refused as error:
                refused = error
            if not kept:
                raise refused
            for name in (faulty := _faulty(parse, kept, refused)):
                if (better := _mended(parse, name, kept[name])) is not None:
                    kept[name] = better
                else:
                    del kept[name]
                if better != values[name].rstrip(_AFTER):
                    reason = refused if len(faulty) == 1 else _refused(parse, {name: values[name]}) or refused
                    self.leave(prefix + name, values[name], _FIELD.sub("", str(reason), 1))


def _mended(parse, name, value) -> str | None:
    """What is left of a value without the end of a sentence around it, or without unknown names in a list of names."""
    if (trimmed := value.rstrip(_AFTER)) != value:
        return trimmed
    words = value.split(",")
    if not 1 < len(words) <= MOST_WORDS or not all(_WORD.fullmatch(word) for word in words):
        return None
    known = [word for word in words if _refused(parse, {name: word}) is None]
    return ",".join(known) if 0 < len(known) < len(words) else None


def _faulty(parse, values, refused) -> list[str]:
    """The values that a refusal blames; where it blames what is not there, one without which the others can be."""
    fields = refused.fields if isinstance(refused, SettingsError) else ()
    words = {word for field in fields for word in (field, *re.split(r"[.\[\]]", field))}
    blamed = [name for name in values if name in words]
    rest = ({other: value for other, value in values.items() if other != name} for name in values)
    lonely = (name for name, others in zip(values, rest, strict=True) if _refused(parse, others) is None)
    return blamed or [next(lonely, list(values)[-1])]


def _refused(parse, values) -> str | None:
    """What is wrong with values; None if nothing is."""
    try:
        parse(values)
    except Refused as error:
        return str(error)
    return None


def _experiment(values):
    return Experiment.parse(flat.unflatten(values, Experiment))
