"""Ctrl-C, a closed terminal, `kill` and losses that are no numbers: what can be saved is, and the advice is true."""

import multiprocessing
import os
import pty
import signal
import subprocess
import sys
import termios
from fcntl import ioctl

import pytest
import torch

from edm import runs
from edm.__main__ import main
from edm.commands import train as command
from edm.files import saved
from edm.runs import failures, worker
from edm.runs.signals import HEARD, Signals
from edm.training.loop import Step

QUICK = ["train", "--dataset=two_moons", "--channels=16", "--blocks=1", "--images=6400", "--batch=64", "--device=cpu"]
QUICK += ["--validation=8", "--samples=4", "--tick=6400", "--checkpoint=6400"]


@pytest.fixture(autouse=True)
def quietly():
    """What a test has changed of signals is as before, also where it fails."""
    former = {number: signal.getsignal(number) for number in HEARD}
    yield
    for number, handler in former.items():
        signal.signal(number, handler)


@pytest.fixture
def at(monkeypatch):
    """at(image, act, …): what shall happen in the step that ends there."""

    plain = command.Bar.show

    def plan(**acts):
        def show(self, event):
            plain(self, event)
            if isinstance(event, Step) and f"i{event.images}" in acts:
                acts[f"i{event.images}"]()

        monkeypatch.setattr(command.Bar, "show", show)

    return plan


def send(number):
    return lambda: os.kill(os.getpid(), number)


def numbers(run):
    return [saved.number(path) for path in saved.checkpoints(run)]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGHUP, 129), (signal.SIGTERM, 0)])
def test_one_signal_before_the_first_checkpoint_saves_one_and_the_run_can_go_on(tmp_path, capsys, at, number, code):
    run = tmp_path / "run"
    at(i128=send(number))
    assert main([*QUICK, f"--out={run}"]) == code
    assert numbers(run) == [192], "the step that was under way is the last"
    said = capsys.readouterr()
    assert "00000000192.safetensors" in said.out
    assert "Traceback" not in said.err
    found = runs.read(run)
    assert (found.state, found.resumable) == ("stopped", True)
    if code:
        assert f"go on from 00000000192.safetensors with --resume {run}" in said.err
    at()
    assert main(["train", f"--resume={run}", "--images=320", "--device=cpu"]) == 0
    assert "from image 192 of 320" in capsys.readouterr().err


def test_a_second_ctrl_c_ends_at_once_and_advises_nothing_that_is_refused(tmp_path, capsys, at):
    run = tmp_path / "run"
    at(i128=lambda: (send(signal.SIGINT)(), send(signal.SIGINT)()))
    assert main([*QUICK, f"--out={run}"]) == 130
    assert numbers(run) == []
    said = capsys.readouterr().err
    assert "--resume" not in said
    assert "start it again" in said
    assert "start it again" in runs.read(run).sentence
    at()
    assert main([*QUICK, f"--out={run}", "--images=128"]) == 0, "as it was advised"


def test_a_second_ctrl_c_after_a_checkpoint_names_it(tmp_path, capsys, at):
    run = tmp_path / "run"
    at(i192=lambda: (send(signal.SIGINT)(), send(signal.SIGINT)()))
    assert main([*QUICK, f"--out={run}", "--checkpoint=128"]) == 130
    assert f"go on from 00000000128.safetensors with --resume {run}" in capsys.readouterr().err
    assert "its last checkpoint" in runs.read(run).sentence


def test_what_was_ignored_at_first_stays_ignored(tmp_path, at):
    run = tmp_path / "run"
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    at(i128=send(signal.SIGHUP))
    assert main([*QUICK, f"--out={run}", "--images=320"]) == 0
    assert numbers(run) == [320]
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_signals_are_as_before_when_a_run_is_over(tmp_path):
    before = [signal.getsignal(number) for number in HEARD]
    assert main([*QUICK, f"--out={tmp_path / 'run'}", "--images=64"]) == 0
    assert [signal.getsignal(number) for number in HEARD] == before


def test_a_signal_that_is_passed_on_by_torchrun_counts_once():
    with Signals(echo=60) as signals:
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGINT)
        assert signals.asked()
    with Signals() as signals, pytest.raises(KeyboardInterrupt):
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)


def test_a_run_that_diverges_before_its_first_checkpoint_is_started_again(tmp_path, capsys, monkeypatch):
    run = tmp_path / "run"
    monkeypatch.setattr(worker, "PATIENCE", 3)
    assert main([*QUICK, f"--out={run}", "--lr=1", "--lr_ramp=0", "--precision=fp32", *diverging(monkeypatch)]) == 2
    said = capsys.readouterr().err
    assert "has diverged" in said
    assert "start it again with a lower lr" in said
    assert "resume" not in said
    assert numbers(run) == []
    monkeypatch.undo()
    assert main([*QUICK, f"--out={run}", "--lr=1e-4", "--images=64"]) == 0, "as it was advised"


def test_a_run_that_diverges_after_a_checkpoint_is_resumed_from_it(tmp_path, capsys, monkeypatch):
    run = tmp_path / "run"
    monkeypatch.setattr(worker, "PATIENCE", 3)
    given = ["--checkpoint=64", "--images=640", *diverging(monkeypatch, after=256)]
    assert main([*QUICK, f"--out={run}", *given]) == 2
    assert "resume from the last checkpoint with a lower lr" in capsys.readouterr().err
    assert max(numbers(run)) == 256, "weights that are no numbers were not saved"
    monkeypatch.undo()
    assert main(["train", f"--resume={run}", "--lr=1e-4", "--images=640", "--device=cpu"]) == 0


def diverging(monkeypatch, after=0):
    """Losses, and with them weights, that are no numbers after some images; returns no options."""
    from edm.training import loss

    plain = loss.Loss.__call__

    def poisoned(self, denoiser, y, labels, numbers):
        losses = plain(self, denoiser, y, labels, numbers)
        return losses * float("nan") if numbers[0] >= after else losses

    monkeypatch.setattr(loss.Loss, "__call__", poisoned)
    return []


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), RuntimeError("Connection closed by peer")])
def test_no_sentence_speaks_of_a_checkpoint_that_is_not_there(error):
    without, having = failures.explain(error), failures.explain(error, checkpoint="x")
    assert "last checkpoint is whole" in having.sentence
    assert "resume it" in having.sentence
    assert "no checkpoint yet" in without.sentence
    assert "resume" not in without.sentence
    assert "no checkpoint yet" in failures.silent(None)
    assert "no checkpoint yet" in failures.forced(None)


def at_a_terminal(master, run, go):
    """Train at a terminal of one's own, until it closes."""
    torch.set_num_threads(1)
    slave = os.open(os.ttyname(os.open(master, os.O_RDWR | os.O_NOCTTY)), os.O_RDWR)
    os.setsid()
    ioctl(slave, termios.TIOCSCTTY, 0)
    for number in (0, 1, 2):
        os.dup2(slave, number)
    sys.stdout, sys.stderr = os.fdopen(os.dup(slave), "w", 1), os.fdopen(os.dup(slave), "w", 1)
    plain = command.Bar.show

    def show(self, event):
        plain(self, event)
        if isinstance(event, Step) and event.images == 64:
            go.set()

    command.Bar.show = show
    os._exit(main([*QUICK, f"--out={run}", "--images=100000000"]))


def test_a_terminal_that_closes_leaves_a_checkpoint(tmp_path):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    master, slave = pty.openpty()
    go = context.Event()
    process = context.Process(target=at_a_terminal, args=(os.ttyname(slave), tmp_path / "run", go))
    process.start()
    assert go.wait(60)
    os.close(slave)
    os.close(master)
    process.join(30)
    if process.exitcode is None:
        process.kill()
    assert process.exitcode == 129
    assert len(numbers(tmp_path / "run")) == 1
    assert runs.read(tmp_path / "run").state == "stopped"


@pytest.mark.slow
def test_all_processes_of_torchrun_end_in_the_same_step(tmp_path):
    run, line = tmp_path / "run", [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    line += ["-m", "edm", *QUICK, f"--out={run}", "--images=100000000", "--tick=1000000", "--checkpoint=100000000"]
    process = subprocess.Popen(
        line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        for text in process.stderr:
            if "parameters" in text:
                break
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        said = process.stderr.read()
        process.wait(60)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert len(numbers(run)) == 1
    assert runs.read(run).state == "stopped"
    assert "gloo" not in said.lower()
