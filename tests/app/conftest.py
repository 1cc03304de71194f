"""A classroom that is open: one real server for all tests that talk to one; and a Train tab without a server."""

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from app.tabs.base import House
from app.tabs.train import Train
from app.training.board import Board
from app.visitors.room import Room
from app.work.shared import Work
from app.work.threads import Threads
from edm import runs
from tests.edm.runs import points

ROOT = Path(__file__).resolve().parents[2]
CLASS, TEACHER = "chalk and slate", "red pencil"


class Classroom:
    """address, folder of the runs, and who is in."""

    def __init__(self, address, folder):
        self.address, self.folder = address, folder

    def client(self, **headers) -> httpx.Client:
        return httpx.Client(base_url=self.address, timeout=30, headers=headers)

    def login(self, name, password=CLASS) -> httpx.Client:
        """A browser that is in. Raises AssertionError if it is not let in."""
        client = self.client()
        answer = client.post("/login", data={"username": name, "password": password})
        assert answer.status_code == 200, answer.text
        return client

    def waiting_run(self, name, owner):
        """A run in the queue of another machine, which nobody here will start."""
        made = runs.start(points(), self.folder.with_name("elsewhere"), "cpu", name, owner=owner)
        asked = made / "requests" / "0001.start.json"
        asked.write_text(json.dumps(json.loads(asked.read_text()) | {"host": "another-machine"}))
        made.rename(self.folder / name)
        return self.folder / name


@pytest.fixture(scope="session")
def classroom(tmp_path_factory):
    folder = tmp_path_factory.mktemp("classroom") / "runs"
    folder.mkdir()
    command = [
        sys.executable,
        "-m",
        "tests.checked",
        "--no-browser",
        "--runs",
        str(folder),
        "--classroom",
        "--upload-mb",
        "0.5",
    ]
    command += ["--password", CLASS]
    environment = {**os.environ, "EDM_PASSWORD": "another one", "EDM_TEACHER_PASSWORD": TEACHER}
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, **output)
    address = next((found.group() for line in process.stdout if (found := re.search(r"http://\S+", line))), None)
    assert address, f"the server did not start (exit code {process.wait()})"
    yield Classroom(address.rstrip("/"), folder)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=20)
    assert "Traceback" not in said, said


class Served:
    """The Train tab of a server that has no page. room: who may do what; another one makes it another server."""

    def __init__(self, folder):
        self.work = Work("cpu")
        self._serve(House(Threads(self.work), Board(folder), Room(folder)))

    def _serve(self, house):
        self.house, self.answers = house, Train().serve(house)
        self.board, self.former = house.board, house.former

    @property
    def room(self):
        return self.house.room

    @room.setter
    def room(self, room):
        self._serve(replace(self.house, room=room))


@pytest.fixture
def tab(tmp_path):
    folder = tmp_path / "runs"
    folder.mkdir()
    made = Served(folder)
    yield made
    for name in list(folder.iterdir()):  # models are known to the whole process
        if name.is_dir() and not name.name.startswith("."):
            runs.delete(name)
    made.board.wake()  # what it knows of the folder may be older
    made.board.follow()
