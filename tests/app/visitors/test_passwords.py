"""Passwords that are given at the start: who can read them afterwards."""

import os
import time
from argparse import Namespace
from contextlib import closing
from pathlib import Path

import pytest

from app.__main__ import main, options
from app.visitors import passwords
from edm import runs
from edm.runs import launchers
from tests.app.conftest import CLASS, TEACHER
from tests.asking import Visitor


def shown(folder):
    """{process id: what its command line and its environment say} of every process that has to do with the folder."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            text = (place / "cmdline").read_bytes() + b"\0" + (place / "environ").read_bytes()
        except OSError:  # over, or somebody else's
            continue
        if str(folder).encode() in text:
            found[int(place.name)] = text
    return found


def is_silent(processes):
    return not any(word.encode() in text for text in processes.values() for word in (CLASS, TEACHER, "another one"))


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
    return found


def test_neither_the_server_nor_a_worker_shows_a_password(classroom):
    (server,) = before = shown(classroom.folder)
    assert b"--classroom" in before[server] and is_silent(before)
    with closing(classroom.login("Kim", TEACHER)) as kim:
        values = {"data": "two_moons", "images": "100000000", "name": "shown"}
        assert Visitor(client=kim).ask("act", do="start", values=values)["runs"] == ["shown"]
        try:
            worker = until(lambda: runs.read(classroom.folder / "shown").pid)
            processes = shown(classroom.folder)
            assert {server, worker} <= set(processes) and is_silent(processes)
        finally:
            runs.stop(classroom.folder / "shown")
            until(lambda: runs.read(classroom.folder / "shown").over)


def test_no_worker_is_handed_a_password(monkeypatch):
    monkeypatch.setenv("EDM_PASSWORD", CLASS)
    monkeypatch.setenv("EDM_TEACHER_PASSWORD", TEACHER)
    assert not {CLASS, TEACHER} & set(launchers.environment(["cuda:0", "cuda:1"]).values())


@pytest.mark.parametrize(
    ("arguments", "variables", "words"),
    [
        (["--password", "p" * 1001], {}, "longer than 1,000 characters"),
        (["--password=--x y=" + 900 * "ä"], {"EDM_TEACHER_PASSWORD": "\u2603\n\"'\\"}, "port 99999"),
        (["--passw", "x"], {}, "unrecognized arguments"),
        ([], {"EDM_PASSWORDS_PIPE": "77"}, "EDM_PASSWORDS_PIPE = '77': is set by this program alone"),
        ([], {"EDM_PASSWORDS_PIPE": "x"}, "EDM_PASSWORDS_PIPE = 'x'"),
    ],
)
def test_what_cannot_be_a_start_is_refused_as_before(arguments, variables, words, monkeypatch, capsys):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    try:
        code = main(["--no-browser", "--port", "99999", *arguments])
    except SystemExit as ended:  # of the parser, which has said why
        code = ended.code
    error = capsys.readouterr().err
    assert code == 2 and words in error and "Traceback" not in error


def test_arguments_are_kept_but_for_passwords():
    given = ["--port", "1", "--password", "--x", "--model=a b", "--teacher-password=é=", "--classroom", "--password=p"]
    assert passwords.without(given) == ["--port", "1", "--model=a b", "--classroom"]


def test_words_come_through_the_pipe_once(monkeypatch):
    reading, writing = os.pipe()
    os.write(writing, b'{"password": "\\u2603", "other": 1}')
    os.close(writing)
    monkeypatch.setenv("EDM_PASSWORDS_PIPE", str(reading))
    chosen = Namespace(password=None, teacher_password=None)
    passwords.hide(chosen, anew=True)
    assert (chosen.password, chosen.teacher_password) == ("\u2603", None)
    assert "EDM_PASSWORDS_PIPE" not in os.environ
    with pytest.raises(OSError):
        os.fstat(reading)


def test_where_a_program_cannot_start_anew_its_variables_go_and_it_says_so(monkeypatch, capsys):
    monkeypatch.setenv("EDM_PASSWORD", "plum")
    monkeypatch.setattr(passwords.os, "name", "nt")
    chosen = options([])
    passwords.hide(chosen, anew=True)
    assert chosen.password == "plum" and "EDM_PASSWORD" not in os.environ
    assert "passwords stay in what this system shows" in capsys.readouterr().err


def test_a_call_from_python_never_replaces_the_process(monkeypatch, capsys):
    monkeypatch.setenv("EDM_PASSWORD", "plum")
    monkeypatch.setattr(passwords.os, "execve", lambda *_: pytest.fail("this process was replaced"))
    assert main(["--port", "99999", "--no-browser"]) == 2
    assert "port 99999" in capsys.readouterr().err
