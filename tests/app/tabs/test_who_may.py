"""Who may do what in the Train tab, and what nobody learns there."""

import json

import pytest

from app.visitors.room import Room, Visitor
from edm.data import sources
from tests.app.tabs.asking import Lesson
from tests.app.training import answer, asked


def test_students_control_their_own_runs_and_the_teacher_all(tab):
    tab.room = room = Lesson(tab.board.folder)
    (name,) = answer(tab, "act", do="start", values={"data": "spiral", "images": "2000"})["runs"]
    room.who = Visitor("bob", False)
    assert answer(tab, "poll")["locked"] == [name]
    for action in ("stop", "delete", "resume", "pause"):
        with pytest.raises(ValueError, match="somebody else's"):
            answer(tab, "act", do=action, run=name)
    room.who = Visitor("eve (teacher)", True)
    answer(tab, "act", do="stop", run=name)
    assert tab.board.find(name).state == "stopped"


def test_a_student_cannot_name_a_path(tab):
    tab.room = Lesson(tab.board.folder)
    with pytest.raises(ValueError):
        answer(tab, "act", do="start", values={"data": "digits", "dataset": "folder", "path": "/etc"})
    assert tab.board.runs() == []


@pytest.fixture
def secrets(tmp_path):
    """A file and a folder of the server, and what is not there."""
    (tmp_path / "grades.csv").write_text("1,2\n3,4\n")
    (tmp_path / "pictures").mkdir()
    return [("points", "grades.csv"), ("folder", "pictures"), ("points", "nothing.csv"), ("folder", "nothing")]


def said(ask):
    """The sentence of a refusal, or what was answered."""
    try:
        return str(ask())
    except ValueError as error:
        return str(error)


@pytest.mark.parametrize("kind", ["classroom", "closed"])
def test_nobody_learns_from_a_plan_or_a_start_what_the_server_has(tab, tmp_path, secrets, kind, monkeypatch):
    tab.room = Lesson(tab.board.folder) if kind == "classroom" else Room(tab.board.folder, local=False, password="x")
    honest = sources.open_source
    monkeypatch.setattr(sources, "open_source", lambda data: pytest.fail("looked for") if data.path else honest(data))
    answers = set()
    for dataset, name in secrets:
        values = {"data": "spiral", "dataset": dataset, "path": str(tmp_path / name), "images": "2000"}
        answers.add(said(lambda values=values: asked(tab, "plan", values=values)))
        started = said(lambda values=values: asked(tab, "act", do="start", values=values))
        assert "paths" in started
    assert len(answers) == 1 and "no paths can be given" in answers.pop()
    assert "downloaded" in said(
        lambda: asked(tab, "plan", values={"data": "spiral", "dataset": "mnist", "download": "true"})
    )
    assert tab.board.runs() == []


def test_on_one_s_own_machine_a_plan_may_name_a_path(tab, tmp_path, secrets):
    values = {"data": "spiral", "dataset": "points", "path": str(tmp_path / "grades.csv"), "images": "2000"}
    *_, (text, ended) = asked(tab, "plan", values=values)
    assert ended and json.loads(text)["values"]["path"] == values["path"]


@pytest.mark.parametrize("changes", [{"path": "X"}, {"dataset": "points", "path": "X"}, {"data": {"path": "X"}}])
def test_resuming_names_no_path_either(tab, tmp_path, secrets, changes):
    tab.room = Lesson(tab.board.folder)
    (name,) = answer(tab, "act", do="start", values={"data": "spiral", "images": "2000"})["runs"]
    answer(tab, "act", do="stop", run=name)
    config = (tab.board.folder / name / "config.json").read_bytes()
    answers = set()
    for _, file in secrets:
        given = json.loads(json.dumps(changes).replace("X", str(tmp_path / file)))
        message = {"do": "resume", "run": name, "changes": given}
        answers.add(said(lambda message=message: asked(tab, "act", **message)).replace(str(tmp_path / file), "X"))
    assert len(answers) == 1, answers
    assert tab.board.find(name).state == "stopped"
    assert (tab.board.folder / name / "config.json").read_bytes() == config


@pytest.mark.parametrize(
    "message", [{"do": "explode", "run": "x"}, {"do": "stop", "run": "../x"}, {"do": "stop", "run": 3}]
)
def test_what_cannot_be_done_gets_a_sentence(tab, message):
    with pytest.raises(ValueError, match=" "):
        answer(tab, "act", **message)
