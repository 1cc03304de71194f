"""Rooms and who is in them, for tests."""

from types import SimpleNamespace

from app.visitors.room import Room
from edm.runs import Run
from tests import loop
from tests.app.conftest import CLASS, TEACHER


def opened(tmp_path, **options):
    return Room(tmp_path, local=False, password=CLASS, classroom=True, teacher_password=TEACHER, **options)


def enters(room, name, password=CLASS):
    return loop.run(room.entrance.login(name, password))


def visitor(room, name):
    return room.visitor(SimpleNamespace(username=name))


def inside(room, name, password=CLASS):
    assert enters(room, name, password)
    return visitor(room, name)


def run_of(owner, state="running", name="r", **more):
    return Run(name, None, state, owner=owner, **more)
