"""Who may do what: rules, and a class over real HTTP."""

import json
import time
from dataclasses import replace

import numpy as np
import pytest

from app.__main__ import main
from app.uploads import sets
from app.visitors import limits
from app.visitors.limits import Allowance
from app.visitors.room import Room
from app.visitors.time_keeper import overdue
from edm.training.settings import Training
from tests.app.conftest import TEACHER
from tests.app.visitors.rooms import enters, inside, opened, run_of, visitor
from tests.edm.runs import points, tiny

SMALL = Allowance(minutes=1, images=1000, parameters=100_000, batch=64, at_once=1, runs=2)


def test_on_this_machine_everybody_is_the_owner(tmp_path):
    room = Room(tmp_path)
    someone = visitor(room, None)
    room.check_start(someone, points(images=10**10), [run_of("anna")])
    room.check_control(someone, run_of("anna"))
    assert room.check_upload(someone) == pytest.approx(limits.room_on_disk(tmp_path), rel=0.01)
    with pytest.raises(ValueError, match=r"room for .* MB more, .* where it lies, .*python -m edm train --path FILE"):
        room.check_upload(someone, 1 << 60)
    assert not room.entrance.asks
    told = room.described(someone)
    assert (told["starting"], told["teacher"], told["name"], told["limits"]) == (True, True, None, {})


def test_where_others_can_come_nothing_can_be_started_and_a_sentence_says_how(tmp_path):
    room = Room(tmp_path, local=False, password="secret")
    assert enters(room, "edm", "secret")
    assert not enters(room, "edm", "Secret")
    assert not enters(room, "eve", "secret")
    someone = visitor(room, "edm")
    for check in (
        lambda: room.check_start(someone, points(), []),
        lambda: room.check_control(someone, run_of(None)),
        lambda: room.check_resume(someone, run_of(None), {}, []),
        lambda: room.check_upload(someone),
    ):
        with pytest.raises(ValueError, match="--classroom"):
            check()
    told = room.described(someone)
    assert not told["starting"] and "--classroom" in told["sentence"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"images": 1001}, "images = 1,001: a student's run has at most 1,000"),
        ({"batch": 128}, "batch = 128"),
        ({"samples": 65}, "samples = 65"),
        ({"tick": 1}, r"tick = 1: in a classroom at least 2"),
        ({"checkpoint": 1}, "checkpoint = 1"),
        ({"compile": True}, "compiling is off"),
        ({"architecture": {"channels": 256}}, r"parameters, and a student's at most 100,000; lower channels"),
        ({"data": {"dataset": "mnist", "download": True}}, "nothing can be downloaded"),
        ({"data": {"dataset": "mnist", "path": "/etc"}}, "no paths can be given"),
        ({"data": {"dataset": "folder", "path": "../../etc"}}, "no paths can be given"),
    ],
)
def test_a_student_s_run_has_limits(tmp_path, changes, words):
    room = opened(tmp_path, allowance=SMALL)
    anna = inside(room, "Anna")
    room.check_start(anna, points(), [])
    with pytest.raises(ValueError, match=words):
        room.check_start(anna, points(**changes), [])


def test_a_teacher_has_no_limits_but_for_paths(tmp_path):
    room = opened(tmp_path, allowance=SMALL)
    kim = inside(room, "Kim", TEACHER)
    room.check_start(kim, points(images=10**9, batch=4096), [run_of(kim.name), run_of(kim.name)])
    with pytest.raises(ValueError, match="no paths"):
        room.check_start(kim, points(data={"dataset": "points", "path": "/etc/passwd.csv"}), [])


def test_uploads_can_be_trained_on_and_nothing_beside_them(tmp_path):
    room = opened(tmp_path)
    anna = inside(room, "Anna")
    brought = sets.intake(np.eye(2).tolist(), tmp_path, owner=anna.name)
    room.check_start(anna, points(data=brought["fields"]), [])
    for path in (brought["path"] + "/../points.npy", brought["path"] + "/../../x.npy", "points.npy"):
        with pytest.raises(ValueError, match="no paths"):
            room.check_start(anna, points(data={"dataset": "points", "path": path}), [])


def test_runs_are_counted_by_their_owner(tmp_path):
    room = opened(tmp_path, allowance=SMALL)
    anna = inside(room, "Anna")
    room.check_start(anna, points(), [run_of("anna", "finished"), run_of("ben"), run_of(None), run_of("ben")])
    with pytest.raises(ValueError, match="1 run at once; stop 'r' first"):
        room.check_start(anna, points(), [run_of("anna", "queued")])
    with pytest.raises(ValueError, match="2 runs in all; delete one"):
        room.check_start(anna, points(), [run_of("anna", "finished")] * 2)


def test_students_control_their_own_runs_and_the_teacher_all(tmp_path):
    room = opened(tmp_path)
    anna, kim, stranger = inside(room, "Anna"), inside(room, "Kim", TEACHER), visitor(room, None)
    room.check_control(anna, run_of("anna"))
    for owner in ("ben", None, "", "anna (teacher)", kim.name):
        room.check_control(kim, run_of(owner))
        with pytest.raises(ValueError, match="somebody else's"):
            room.check_control(anna, run_of(owner))
    for check in (lambda: room.check_control(stranger, run_of(None)), lambda: room.check_upload(stranger)):
        with pytest.raises(ValueError, match="log in"):
            check()


def test_going_on_is_limited_like_starting(tmp_path):
    room = opened(tmp_path, allowance=SMALL)
    anna, kim = inside(room, "Anna"), inside(room, "Kim", TEACHER)
    folder = tmp_path / "r"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(points().document(complete=True)))
    mine = replace(run_of("anna", "stopped"), folder=folder)
    room.check_resume(anna, mine, {"images": "900"}, [mine])
    for changes, words in [
        ({"images": "2000"}, "images = 2,000"),
        ({"path": "/etc"}, "path cannot be changed"),
        ({"no_such": "1"}, "no such field"),
    ]:
        with pytest.raises(ValueError, match=words):
            room.check_resume(anna, mine, changes, [mine])
    with pytest.raises(ValueError, match="at once"):
        room.check_resume(anna, mine, {}, [mine, run_of("anna", name="other")])
    room.check_resume(kim, mine, {"images": "2000"}, [mine])


def test_settings_are_brought_within_the_limits(tmp_path):
    room = opened(tmp_path, allowance=SMALL)
    anna, kim = inside(room, "Anna"), inside(room, "Kim", TEACHER)
    wild = Training.parse({"images": 10**6, "batch": 4096, "tick": 1, "samples": 1000, "micro_batch": 1024})
    tame = room.clamped(anna, wild.changed(architecture={"channels": 16}))
    room.check_start(anna, tame, [])
    assert (tame.images, tame.batch, tame.micro_batch) == (1000, 64, None)
    assert room.clamped(kim, wild) == wild


def test_a_student_s_run_ends_when_its_time_is_over(tmp_path):
    room = opened(tmp_path, allowance=SMALL)
    ago = time.time() - 61
    assert overdue(room, run_of("anna", started=ago))
    assert overdue(room, run_of("anna", "paused", started=ago))  # it keeps its device
    assert not overdue(room, run_of("anna", started=time.time() - 59))
    assert not overdue(room, run_of("anna", "finished", started=ago))
    assert not overdue(room, run_of("kim (teacher)", started=ago))
    assert not overdue(Room(tmp_path), run_of("anna", started=ago))


@pytest.mark.parametrize("settings", [points(), tiny()])
def test_the_size_of_a_network_is_known_without_making_it(settings):
    from edm.networks import parameters
    from edm.training.loop import train

    assert limits.parameters(settings) == parameters(next(train(settings)).state.network)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--host", "0.0.0.0"], "--classroom"),
        (["--classroom", "--password", "x", "--teacher-password", "x"], "another one for the teacher"),
        (["--classroom", "--password", "x", "--teacher-password", "x y"], "must not begin with"),
        (["--classroom", "--runs-at-once", "0"], "--runs-at-once 0: must be more than 0"),
        (["--classroom", "--run-minutes", "nan"], "--run-minutes nan"),
    ],
)
def test_a_classroom_that_cannot_be_gets_a_sentence(capsys, options, words):
    assert main(["--no-browser", *options]) == 2
    assert words in capsys.readouterr().err
