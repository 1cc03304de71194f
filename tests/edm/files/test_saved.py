"""Which checkpoints stand for a run: its own, and whole ones. Foreign files and torn ones cost nothing and stay."""

import errno
import logging
import shutil

import pytest

from edm import checkpoints, models, runs
from edm.__main__ import main
from edm.files import saved
from edm.runs import keeping, places, seats
from edm.runs.launchers import LAUNCHERS, LOCAL
from edm.training.loop import train
from edm.training.recording import record
from tests.edm.runs import Memory, points

FOREIGN = ("best", "00000000192 (1)", "._00000000640", "١٢٣", "²", "-64", "+64", "6_4", " 64", "64 ", "1e9", "")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run of 640 images with checkpoints at 128, 256, …"""
    folder = tmp_path_factory.mktemp("made") / "run"
    for _ in record(train(points()), folder):
        pass
    return folder


@pytest.fixture(autouse=True)
def _own_models():
    yield
    models.forget()  # or those of these runs would be known to all tests after these


@pytest.fixture
def run(made, tmp_path):
    return shutil.copytree(made, tmp_path / "runs" / "run")


def names(run):
    return [path.name for path in saved.checkpoints(run)]


def images(run):
    return [saved.number(path) for path in saved.checkpoints(run)]


def file(run, number):
    return run / "checkpoints" / f"{number:011}.safetensors"


def cut(path, size=None):
    data = path.read_bytes()
    path.write_bytes(data[: len(data) - 1 if size is None else size])


def tear(run, *numbers):
    for number in numbers:
        cut(file(run, number))


def strew(run):
    """Foreign files, each a whole checkpoint of later images; returns their paths."""
    found = [run / "checkpoints" / f"{name}.safetensors" for name in FOREIGN]
    found += [run / "checkpoints" / name for name in ("640.SAFETENSORS", "99999999999.txt", "99999999999")]
    for path in found:
        shutil.copy(file(run, 640), path)
    folder = run / "checkpoints" / "99999999998.safetensors"
    folder.mkdir()
    return [*found, folder]


def test_foreign_files_never_count(run):
    own = names(run)
    strew(run)
    assert names(run) == own
    assert runs.read(run).checkpoint == file(run, 640)
    assert keeping.superfluous(run, 1) == [file(run, n) for n in (128, 256, 384, 512)]
    assert models.follow_run(run)
    assert [m.header.images for m in models.followed() if m.family == "run-run"] == [128, 256, 384, 512, 640]
    assert models.register_run(run) == [f"run_{n}" for n in (128, 256, 384, 512, 640)]


def test_numbers_are_compared_as_numbers(run):
    shutil.move(file(run, 128), run / "checkpoints" / "128.safetensors")
    assert images(run) == [128, 256, 384, 512, 640]
    assert saved.newest(run) == file(run, 640)


def test_with_keep_1_a_run_keeps_its_own_newest_and_whatever_is_foreign(run, capsys):
    foreign = strew(run)
    assert main(["train", "--resume", str(run), "--images=768", "--keep=1", "--device=cpu"]) == 0
    assert "from image 640 of 768" in capsys.readouterr().err
    assert images(run) == [768]
    assert all(path.exists() for path in foreign)
    runs.gc(run.parent)
    assert (images(run), all(path.exists() for path in foreign)) == ([768], True)


def test_a_link_in_a_circle_hides_no_checkpoint(run):
    own = names(run)
    link = run / "checkpoints" / "00000000999.safetensors"
    link.symlink_to(link.name)
    assert (names(run), saved.newest(run)) == (own, file(run, 640))


def test_a_checkpoint_that_may_not_be_read_hides_no_other_from_the_page(run, monkeypatch):
    honest = saved.flaw

    def flaw(path):
        if path == file(run, 640):
            raise PermissionError(13, "Permission denied", str(path))
        return honest(path)

    monkeypatch.setattr(saved, "flaw", flaw)
    assert models.follow_run(run)
    assert [m.header.images for m in models.followed() if m.family == "run-run"] == [128, 256, 384, 512]


def test_a_folder_where_a_checkpoint_belongs_is_put_aside_and_the_run_goes_on(run):
    foreign = strew(run)
    file(run, 768).mkdir()
    (file(run, 768) / "mine.txt").touch()
    assert main(["train", "--resume", str(run), "--images=768", "--device=cpu"]) == 0
    assert saved.newest(run) == file(run, 768)
    assert (run / "checkpoints" / f"{file(run, 768).name}.torn" / "mine.txt").exists()
    assert all(path.exists() for path in foreign)


def test_foreign_samples_are_left_alone(run):
    for name in ("٩٩٩.npz", "999 (1).npz", "999.txt", "00000000999.npz"):
        shutil.copy(run / "samples" / "00000000640.npz", run / "samples" / name)
    for _ in record(train(points(images=704), resume=file(run, 640)), run):
        pass
    left = {path.name for path in (run / "samples").iterdir()}
    assert left >= {"٩٩٩.npz", "999 (1).npz", "999.txt"}
    assert "00000000999.npz" not in left, "what will be drawn again goes"


def test_foreign_requests_and_holders_do_not_stop_the_queue(tmp_path, monkeypatch):
    path = runs.start(points(), tmp_path / "runs", "cpu", "a")
    (path / "requests" / "٩٩٩٩.start.json").write_text("{}")
    held = seats.folder_of(tmp_path / "runs") / "cpu.0"
    held.mkdir(parents=True)
    (held / "00000001 (1).json").write_text("{}")
    launcher = Memory()
    monkeypatch.setitem(LAUNCHERS, LOCAL, launcher)
    assert runs.advance(tmp_path / "runs") == [path]
    assert launcher.submitted == [("a", "cpu")]
    assert places.newest(path) == 1


@pytest.mark.parametrize("size", [0, 3, 8, 100, -1], ids=lambda size: f"cut at {size}")
def test_a_torn_file_is_known_wherever_it_was_cut(run, size):
    cut(file(run, 640), size)
    assert saved.flaw(file(run, 640))
    assert saved.newest(run) == file(run, 512)


def test_neither_zeros_nor_a_model_nor_another_moment_is_a_checkpoint(run, tmp_path):
    size = file(run, 640).stat().st_size
    file(run, 640).write_bytes(bytes(size))
    assert "header" in saved.flaw(file(run, 640))
    assert main(["export", str(file(run, 512)), "--out", str(tmp_path / "m.safetensors")]) == 0
    shutil.copy(tmp_path / "m.safetensors", file(run, 640))
    assert saved.flaw(file(run, 640)) == "it is a model"
    shutil.copy(file(run, 128), file(run, 640))
    assert saved.flaw(file(run, 640)) == "it was written at image 128"
    assert saved.newest(run) == file(run, 512)


def test_a_torn_newest_checkpoint_is_passed_over_told_and_kept(run, capsys):
    tear(run, 640)
    torn = file(run, 640).read_bytes()
    assert main(["train", "--resume", str(run), "--device=cpu"]) == 0
    said = capsys.readouterr()
    assert "00000000640.safetensors (it has" in said.err
    assert "goes on from 00000000512.safetensors" in said.err
    assert "from image 512 of 640" in said.err
    assert (run / "checkpoints" / "00000000640.safetensors.torn").read_bytes() == torn
    assert saved.flaw(file(run, 640)) is None, "it has come there again"
    found = runs.read(run)
    assert (found.state, found.checkpoint) == ("finished", file(run, 640))
    assert "goes on from 00000000512" in found.sentence, "the page tells it, too"
    tear(run, 640)
    assert main(["train", "--resume", str(run), "--device=cpu"]) == 0
    assert (run / "checkpoints" / "00000000640.safetensors.torn2").exists()


def test_an_older_one_can_be_named_where_those_after_it_are_torn(run, capsys):
    older = str(file(run, 384))
    assert main(["train", "--resume", older, "--device=cpu"]) == 2
    assert "already holds a run" in capsys.readouterr().err
    tear(run, 512, 640)
    assert main(["train", "--resume", str(file(run, 640)), "--device=cpu"]) == 2
    said = capsys.readouterr().err
    assert "is not whole" in said
    assert f"from 00000000384.safetensors with --resume {run}" in said
    assert main(["train", "--resume", older, "--device=cpu"]) == 0
    assert "from image 384 of 640" in capsys.readouterr().err
    assert images(run) == [128, 256, 384, 512, 640]
    assert len(list(run.glob("checkpoints/*.torn"))) == 2


def test_where_all_are_torn_that_is_said_and_nothing_is_lost(run, capsys, tmp_path):
    tear(run, 128, 256, 384, 512, 640)
    for act in (
        ["train", "--resume", str(run)],
        ["train", "--out", str(run), "--dataset=two_moons"],
        ["runs", "resume", "run", f"--runs={run.parent}"],
        ["export", str(run), "--out", str(tmp_path / "x.safetensors")],
        ["evaluate", str(run)],
    ):
        assert main(act) == 2
        said = capsys.readouterr().err
        assert "whole" in said and "Traceback" not in said
    with pytest.raises(ValueError, match="no whole checkpoint"):
        models.register_run(run)
    assert images(run) == [128, 256, 384, 512, 640]
    for path in saved.checkpoints(run):
        path.unlink()
    assert runs.resume(run) == run, "as the sentence said, it begins anew"


def test_a_run_whose_end_is_torn_has_not_finished_and_is_resumed_from_the_page(run):
    tear(run, 640)
    found = runs.read(run)
    assert (found.state, found.resumable, found.images) == ("interrupted", True, 512)
    assert "resuming goes on from 00000000512.safetensors" in found.sentence
    runs.resume(run)
    places.create(places.request(run, 1, "taken"), {})
    assert main(["train", f"--run={run}", "--beginning=1"]) == 0
    assert runs.read(run).state == "finished"
    assert (run / "checkpoints" / "00000000640.safetensors.torn").exists()


def test_whoever_takes_a_run_s_model_gets_the_newest_whole_one_and_is_told(run, tmp_path, caplog):
    tear(run, 640)
    out = tmp_path / "x.safetensors"
    with caplog.at_level(logging.WARNING):
        assert main(["export", str(run), "--out", str(out)]) == 0
    assert "00000000640.safetensors" in caplog.text
    assert "00000000512.safetensors is taken" in caplog.text
    assert checkpoints.read_header(out).images == 512
    assert models.register_run(run)[-1] == "run_512"
    models.follow_run(run)
    assert [m.header.images for m in models.followed() if m.family == "run-run"][-1] == 512
    tried = ["evaluate", str(run), "--count=8", "--reference=8", "--steps=2", "--device=cpu"]
    assert main(tried) == 0


def test_a_whole_checkpoint_is_kept_though_the_newest_is_torn(run):
    tear(run, 640)
    assert file(run, 512) not in keeping.superfluous(run, 1)
    runs.gc(run.parent, keep=1)
    assert saved.newest(run) == file(run, 512)


def test_weights_that_are_no_numbers_are_never_the_newest_checkpoint(tmp_path):
    def poisoned(events):
        for event in events:
            if getattr(event, "state", None) is not None and event.state.images >= 384:
                next(event.state.network.parameters()).data.fill_(float("nan"))
            yield event

    for _ in record(poisoned(train(points())), tmp_path):
        pass
    assert images(tmp_path) == [128, 256]


def test_a_file_that_lies_in_no_run_is_resumed_into_a_folder_that_is_named(run, tmp_path, capsys):
    shutil.copy(file(run, 512), tmp_path / "mine.safetensors")
    assert main(["train", "--resume", str(tmp_path / "mine.safetensors")]) == 2
    assert "--out" in capsys.readouterr().err
    out = tmp_path / "more"
    assert main(["train", "--resume", str(tmp_path / "mine.safetensors"), f"--out={out}", "--device=cpu"]) == 0
    assert images(out) == [640]


def test_checkpoints_that_cannot_be_listed_are_not_taken_for_none(run, monkeypatch, capsys):
    models.follow_run(run)
    known = models.names()

    def away(folder):
        raise OSError(errno.ESTALE, "Stale file handle", str(folder))

    monkeypatch.setattr(saved.os, "scandir", away)
    with pytest.raises(OSError, match="Stale"):
        saved.checkpoints(run)
    for arguments in (["--resume", str(run)], ["--out", str(run), "--images", "640"]):
        assert main(["train", *arguments]) == 2
        assert "Stale file handle" in capsys.readouterr().err
    assert runs.read(run, details=False).checkpoint is None
    assert not models.follow_run(run) and models.names() == known
