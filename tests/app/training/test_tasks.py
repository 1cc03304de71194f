"""Evaluations and many samples of a run, asked for from the Train tab; nothing is computed here."""

import json
import shutil
import time
from dataclasses import replace

import pytest

from app.training import tasks
from app.visitors.room import Room, Visitor
from app.visitors.time_keeper import overdue
from edm import runs
from edm.runs import places
from edm.runs import tasks as work
from tests.app.tabs.asking import Lesson
from tests.app.training import answer, finished

SMALL = {"count": "24", "steps": "2"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return finished(tmp_path_factory.mktemp("trained"), "moons")


@pytest.fixture
def run(tab, trained):
    """The folder of a run that has finished."""
    path = shutil.copytree(trained, tab.board.folder / "moons")
    yield path
    for task in work.of(path):
        work.stop(task.folder)


def listed(tab, name="moons"):
    return answer(tab, "poll", runs={name: None})["runs"][name]["tasks"]


def told(path, **status):
    """Let the worker of a task say something of itself."""
    places.create(places.request(path, 1, "taken"), {"machine": "gone", "uptime": 0, "time": 0})
    places.write(path / "status.json", {"number": 1, **status})


def test_an_evaluation_is_asked_for_and_waits_with_the_runs(tab, run):
    assert answer(tab, "act", do="evaluate", run="moons", values=SMALL) == {"do": "evaluate", "runs": ["moons"]}
    (task,) = listed(tab)
    assert (task["name"], task["kind"], task["state"], task["total"]) == ("evaluate-1", "evaluate", "queued", 24)
    assert task["about"] == "24 samples after 640 images, 2 steps"
    assert answer(tab, "poll", runs={"moons": None})["live"], "so that the page looks again soon"
    assert not answer(tab, "poll")["live"]
    with pytest.raises(ValueError, match="has a task"):
        answer(tab, "act", do="delete", run="moons")


def test_what_came_of_an_evaluation_is_told_in_numbers(tab, run):
    answer(tab, "act", do="evaluate", run="moons", values=SMALL)
    path = run / "tasks" / "evaluate-1"
    found = {"frechet": 3.2114, "measure": "FID", "floor": 1.5, "precision": 0.8125, "recall": None}
    places.write(path / "report.json", found)
    told(path, state="finished", total=24, images=24)
    (task,) = listed(tab)
    assert (task["state"], task["found"]) == (
        "finished",
        [["3.21", "FID"], ["1.5", "for true samples"], ["0.812", "precision"]],
    )


def test_a_task_stops_goes_on_and_is_deleted_on_its_own(tab, run):
    for _ in range(2):
        answer(tab, "act", do="evaluate", run="moons", values=SMALL)
    answer(tab, "act", do="stop", run="moons", task="evaluate-1")
    assert {task["name"]: task["state"] for task in listed(tab)} == {"evaluate-1": "stopped", "evaluate-2": "queued"}
    assert tab.board.find("moons").state == "finished"
    answer(tab, "act", do="resume", run="moons", task="evaluate-1")
    assert {task["state"] for task in listed(tab)} == {"queued"}
    for name in ("evaluate-1", "evaluate-2"):
        answer(tab, "act", do="stop", run="moons", task=name)
        answer(tab, "act", do="delete", run="moons", task=name)
    assert listed(tab) == []
    assert (run / "checkpoints").exists()


@pytest.mark.parametrize("name", ["evaluate-7", "../moons", "", "a/b"])
def test_a_task_that_is_not_there_gets_a_sentence(tab, run, name):
    with pytest.raises(ValueError, match=" "):
        answer(tab, "act", do="delete", run="moons", task=name)
    assert run.exists()


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("evaluate", {"count": "many"}),
        ("evaluate", {"nonsense": "1"}),
        ("evaluate", {"inception": "/nowhere.pkl"}),
        ("sample", {}),
    ],
)
def test_what_cannot_be_done_with_a_checkpoint_is_told_at_once(tab, run, kind, values):
    with pytest.raises(ValueError, match=" "):
        answer(tab, "act", do=kind, run="moons", values=values)
    assert listed(tab) == []


def test_only_the_owner_of_the_machine_is_asked_for_files():
    mine, others = ({one["name"]: set(one["knobs"]) for one in tasks.kinds(own)} for own in (True, False))
    assert {"count", "steps", "protocol", "inception"} <= mine["evaluate"]
    assert mine["evaluate"] - others["evaluate"] == {"place", "inception", "reference_stats"}
    assert mine["sample"] == others["sample"]


@pytest.fixture
def lesson(tab, run):
    """A classroom in which ada has a run."""
    request = places.request(run, 1, "start")
    request.write_text(json.dumps(json.loads(request.read_text()) | {"owner": "ada"}))
    tab.room = Lesson(tab.board.folder)
    return tab


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"count": "6000"}, "at most 5,000"),
        ({"protocol": "paper", "count": "2000"}, "at most 5,000"),
        ({"inception": "/etc/passwd"}, "no paths"),
        ({"path": "/etc"}, "no paths"),
        ({"compile": "true"}, "compiling is off"),
    ],
)
def test_a_student_s_evaluation_has_limits(lesson, values, words):
    with pytest.raises(ValueError, match=words):
        answer(lesson, "act", do="evaluate", run="moons", values=SMALL | values)
    assert listed(lesson) == []


def test_a_student_has_one_at_a_time_and_of_their_own_runs_alone(lesson, run):
    answer(lesson, "act", do="evaluate", run="moons", values=SMALL)
    with pytest.raises(ValueError, match="moons/evaluate-1 is under way"):
        answer(lesson, "act", do="evaluate", run="moons", values=SMALL)
    lesson.room.who = Visitor("bob", False)
    for message in ({"do": "evaluate", "values": SMALL}, {"do": "stop", "task": "evaluate-1"}):
        with pytest.raises(ValueError, match="somebody else's"):
            answer(lesson, "act", run="moons", **message)
    task = work.read(run / "tasks" / "evaluate-1")
    assert task.owner == "ada"
    begun = replace(task, state="running", started=time.time() - 3600)
    assert overdue(lesson.room, begun) and not overdue(lesson.room, replace(begun, owner="kim (teacher)"))


def test_what_waits_because_a_paused_run_keeps_its_device_says_so(tab, run):
    answer(tab, "act", do="evaluate", run="moons", values=SMALL)
    assert listed(tab)[0]["sentence"] is None
    paused = replace(tab.board.find("moons"), state="paused")
    assert "keeps its own" in tasks.listed(paused)[0]["sentence"]


def test_where_nobody_starts_runs_nobody_evaluates_them(tab, run):
    tab.room = Room(tab.board.folder, local=False, password="x")
    with pytest.raises(ValueError):
        answer(tab, "act", do="evaluate", run="moons", values=SMALL)
    assert work.of(run) == [] and runs.read(run).state == "finished"
