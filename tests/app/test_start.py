"""Starting the server: mistakes get a sentence and exit code 2."""

import signal
import socket
import subprocess
import sys

import pytest

from app.__main__ import is_local, listening_socket, main, options, show
from app.__main__ import room as of_options
from app.instruments import choosing, training_time
from edm import models
from edm.base.errors import Refused
from tests.app.instruments import bodies


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--device", "tpu"], "device 'tpu'"),
        (["--device", "cuda:99"], "device 'cuda:99' is not on this machine"),
        (["--host", "0.0.0.0"], "--password"),
        (["--host", "0.0.0.0", "--runs-each", "0"], "--runs-each 0"),
        (["--host", "no-such-host.invalid", "--password", "x"], "not an address of this machine"),
        (["--port", "99999"], "port 99999"),
        (["--model", "nothing-there.safetensors"], "nothing-there.safetensors"),
        (["--model", "tests"], "tests holds no checkpoints"),
        (["--model", "README.md"], "README.md"),
    ],
)
def test_a_start_that_cannot_be_gets_a_sentence(arguments, words, capsys):
    assert main(["--no-browser", "--workers", "0", *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert "Traceback" not in error


def test_a_port_in_use_gets_a_sentence(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["--no-browser", "--port", str(port)]) == 2
    error = capsys.readouterr().err
    assert f"port {port} cannot be used on 127.0.0.1" in error
    assert "--port" in error


def test_passwords_of_a_classroom_are_made_up_and_printed(capsys):
    room = of_options(options(["--classroom", "--host", "0.0.0.0", "--run-minutes", "5", "--upload-mb", "1.5"]))
    said = capsys.readouterr().out
    assert room.kind == "classroom" and room.entrance.password != room.entrance.teacher_password
    assert f"class: {room.entrance.password}" in said and f"teacher: {room.entrance.teacher_password}" in said
    assert (room.allowance.minutes, room.allowance.upload, room.allowance.runs) == (5, 1_500_000, 10)
    of_options(options(["--classroom", "--password", "one", "--teacher-password", "two"]))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("arguments", "kind", "asks"),
    [
        ([], "own", False),
        (["--password", "x"], "own", True),
        (["--host", "0.0.0.0", "--password", "x"], "closed", True),
    ],
)
def test_who_may_do_what_follows_from_the_options(arguments, kind, asks, monkeypatch):
    monkeypatch.delenv("EDM_PASSWORD", raising=False)
    room = of_options(options(arguments))
    assert (room.kind, room.entrance.asks) == (kind, asks)


@pytest.mark.parametrize("option", ["--password", "--teacher-password"])
def test_a_password_that_is_empty_is_refused_and_not_left_out(option):
    with pytest.raises(Refused, match=f"{option} is empty"):
        of_options(options(["--classroom", option, ""]))


def test_ctrl_c_before_there_is_a_server_is_a_sentence(monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("app.__main__.listening_socket", interrupted)
    assert main(["--no-browser"]) == 130
    assert "stopped" in capsys.readouterr().err


def test_ctrl_c_ends_it_quietly():
    command = [sys.executable, "-m", "app", "--no-browser"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert "http://127.0.0.1:" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Traceback" not in output


def test_without_a_port_a_free_one_is_found():
    first = listening_socket("127.0.0.1", None)
    second = listening_socket("127.0.0.1", None)
    assert first.getsockname()[1] != second.getsockname()[1]
    first.close()
    second.close()


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("192.168.1.5", False),
        ("example.org", False),
    ],
)
def test_only_loopback_is_local(host, local):
    assert is_local(host) == local


def test_a_run_s_checkpoints_become_models_of_the_page(tmp_path):
    run = tmp_path / "my run" / "checkpoints"
    run.mkdir(parents=True)
    for images, name in ((5056, "digits_edm_005k"), (200_000, "digits_edm")):
        (run / f"{images:011}.safetensors").write_bytes((models.FOLDER / f"{name}.safetensors").read_bytes())
    before = models.names()
    try:
        show([str(run.parent)])
        added = [name for name in models.names() if name not in before]
        assert added == ["my-run_5056", "my-run_200000"]
        assert {models.load(name).family for name in added} == {"my-run"}
        assert [choosing.title(models.load(name)) for name in added] == ["Run my-run (5 k images)", "Run my-run"]
        assert "my-run" in training_time.families()
        body, _ = next(bodies("training", family="my-run", steps=2))
        assert [one["images"] for one in body["checkpoints"]] == [5056, 200_000]
    finally:
        models.forget(*(set(models.names()) - set(before)))
