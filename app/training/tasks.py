"""Work on a run's checkpoints in the background, as the Train tab asks for it and tells of it: see `edm.runs.tasks`."""

from __future__ import annotations

from app.sentences.visible import names
from edm import runs
from edm.base import flat
from edm.base.errors import Refused
from edm.base.fields import Settings, knobs
from edm.runs import places, tasks

ASKED = {  # of the fields of each kind those that a dialog has, and what it says
    "evaluate": (
        "How good samples of its newest checkpoint are, beside true samples",
        ("count", "steps", "protocol", "inception", "reference_stats", "path", "precision", "batch"),
    ),
    "sample": (
        "Many samples of its newest checkpoint, as PNGs in a folder or in one zip",
        ("count", "steps", "label", "zip", "precision", "batch"),
    ),
}
SENT_AS = {"path": "place"}  # what a request that names a `path` is refused for: see `app.transport.bodies`
FILES = ("path", "inception", "reference_stats")  # of the server, which only its owner names
CONTROLS = {"stop": tasks.stop, "resume": tasks.resume, "delete": tasks.delete}


def kinds(own: bool) -> list[dict]:
    """What can be asked for. own: whoever asks owns this machine, and may name files of it."""
    return [
        {"name": name, **_told(name), "about": about, "knobs": _knobs(name, fields, own)}
        for name, (about, fields) in ASKED.items()
    ]


def _told(name) -> dict:
    return {"title": tasks.KINDS[name].title, "points": tasks.KINDS[name].points}


def _knobs(kind, fields, own) -> dict:
    groups = flat.groups(tasks.KINDS[kind].settings).values()
    declared = {name: knob for group in groups for name, knob in knobs(group).items()}
    found = {SENT_AS.get(name, name): declared[name] for name in fields if own or name not in FILES}
    for knob in found.values():
        knob["list"] = True  # beside its name, as all in the dialog are
    return found


def settings_of(kind: str, values: dict) -> Settings:
    """The settings of such work, from values as text by the names of fields. Raises SettingsError."""
    settings = tasks.KINDS[kind].settings
    meant = {sent: name for name, sent in SENT_AS.items()}
    values = {meant.get(name, name): value for name, value in values.items()}
    return settings.parse(flat.unflatten(values, settings))


def control(run: runs.Run, name: str, action: str) -> None:
    """Stop, resume or delete the work of that name on a run. Raises Refused."""
    path = run.folder / places.TASKS / runs.check_name(name)
    if not path.is_dir():
        raise Refused(f"the run {run.name!r} has no task {name!r}; it may have been deleted")
    CONTROLS[action](path)


def listed(run: runs.Run) -> list[dict]:
    """What there is of a run, the newest first."""
    waits = "waits for a device: a run that is paused keeps its own" if run.state == "paused" else None
    return [_described(task, names(run.folder.parent).text, waits) for task in tasks.of(run.folder)]


def _described(task, told, waits) -> dict:
    sentence = task.sentence or (waits if task.state == "queued" else None)
    return {
        "name": task.name,
        "kind": task.kind,
        "state": task.state,
        "about": _asked(task),
        "done": task.done,
        "total": task.total,
        "left": task.left,
        "sentence": sentence and told(sentence),
        "found": _FOUND[task.kind](task, told) if task.result else [],
    }


def _asked(task) -> str:
    """ "5,000 samples after 640,000 images, 18 steps" """
    words = [f"{tasks.KINDS[task.kind].total(task.settings):,} samples after {task.images:,} images"]
    return ", ".join([*words, f"{task.settings.sampling.steps} steps"])


def _measured(task, told) -> list[tuple[str, str]]:
    """What an evaluation has found, (value, what it is) each."""
    report = task.result
    distance = report.get("frechet", report.get("sliced_wasserstein"))
    found = [(distance, report.get("measure", "distance")), (report.get("floor"), "for true samples")]
    found += [(report.get(name), name) for name in ("precision", "recall")]
    return [(f"{value:.3g}", what) for value, what in found if isinstance(value, int | float)]


def _drawn(task, told) -> list[tuple[str, str]]:
    place = told(str(task.folder / str(task.result.get("place", ""))))
    return [(f"{task.result.get('images', 0):,}", f"images in {place}")]


_FOUND = {"evaluate": _measured, "sample": _drawn}
