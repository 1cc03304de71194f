"""The page on systems that are not POSIX: its port is its own, its passwords are told of, its cores are counted."""

import os
import runpy
import socket
from argparse import Namespace

from app.__main__ import listening_socket
from app.visitors import passwords
from app.work import cores
from tests import systems


def test_no_two_servers_listen_at_one_port_of_windows(monkeypatch):
    asked = []
    monkeypatch.setattr(socket.socket, "setsockopt", lambda _, *option: asked.append(option))
    systems.windows(monkeypatch)
    monkeypatch.setattr(socket, "SO_EXCLUSIVEADDRUSE", -5, raising=False)
    listening_socket("127.0.0.1", 0).close()
    assert asked == [(socket.SOL_SOCKET, -5, 1)]


def test_where_a_process_cannot_begin_anew_it_says_that_its_passwords_can_be_seen(monkeypatch, capsys):
    started = []
    monkeypatch.setattr(os, "execve", lambda *words: started.append(words))
    monkeypatch.setattr(os, "name", "nt")
    chosen = Namespace(password="chalk", teacher_password=None)
    passwords.hide(chosen, anew=True)
    assert chosen.password == "chalk" and not started
    assert "the passwords stay in what this system shows" in capsys.readouterr().err


def test_cores_are_counted_where_a_process_cannot_be_asked_for_its_own(monkeypatch):
    systems.windows(monkeypatch)
    assert runpy.run_path(cores.__file__)["CORES"] == os.cpu_count()
