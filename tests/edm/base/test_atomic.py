"""Files: what takes its place is what was synced before, and its folder after; so nothing that was reported is lost."""

import ast
import errno
import os
import stat
from pathlib import Path

import pytest
import torch

import edm
from edm.base import atomic
from edm.evaluation import classifiers, train_classifier
from edm.files import convert
from edm.runs import places, tensorboard
from edm.training.export import export
from edm.training.loop import train
from edm.training.recording import record
from tests import systems
from tests.disk import Disk, files_in, inode
from tests.edm.runs import points, tiny
from tests.official import small, written


@pytest.fixture
def disk(monkeypatch):
    return Disk(monkeypatch)


def test_all_that_a_run_has_reported_survives_a_power_cut(disk, tmp_path):
    run = tmp_path / "a" / "run"
    for _ in record(train(tiny()), run):
        pass
    kept = files_in(run)
    assert {path.suffix for path in kept} == {".safetensors", ".png", ".json", ".jsonl"}
    for path in kept:
        if path.name == "metrics.jsonl":  # grows in place
            assert disk.events.count(("synced", inode(os.stat(path)))) == 2, "of each line"
        else:
            assert disk.keeps(path), path
    for folder in (tmp_path, run.parent, run, run / "checkpoints", run / "samples"):
        assert ("synced", inode(os.stat(folder))) in disk.events, "names of new folders are synced"


def test_exported_converted_and_drawn_files_survive_a_power_cut(disk, tmp_path):
    for _ in record(train(points()), tmp_path / "run"):
        pass
    checkpoint = max((tmp_path / "run" / "checkpoints").iterdir())
    export(checkpoint, tmp_path / "model.safetensors")
    published = written(tmp_path, small)
    convert.convert_file(published, tmp_path / "official.safetensors")
    from edm.__main__ import main

    drawn = [tmp_path / name for name in ("x.png", "x.csv", "x.npz")]
    for path in drawn:
        assert main(["sample", "--model=two_moons", "--steps=2", "--count=4", "--device=cpu", f"--out={path}"]) == 0
    made = [tmp_path / name for name in ("model.safetensors", "model.md", "official.safetensors")]
    logs = files_in(tensorboard.write(tmp_path / "run"))
    for path in (*made, *drawn, *logs):
        assert disk.keeps(path), path


def test_requests_survive_a_power_cut(disk, tmp_path, monkeypatch):
    assert places.create(tmp_path / "0001.stop.json", {"grace": 1})
    assert disk.keeps(tmp_path / "0001.stop.json")
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError(errno.EPERM, "no links here")))
    assert places.create(tmp_path / "0002.stop.json", {"grace": 1})
    assert disk.events[-2:] == [("synced", inode(os.stat(p))) for p in (tmp_path / "0002.stop.json", tmp_path)]
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["0001.stop.json", "0002.stop.json"]


def test_a_library_that_puts_a_file_of_its_own_in_the_place_is_noticed(tmp_path):
    (tmp_path / "x.safetensors").write_bytes(b"before")

    def replaced(name):
        (tmp_path / "its own").write_bytes(b"not synced")
        os.replace(tmp_path / "its own", name)

    for theirs in (replaced, os.unlink):
        with atomic.atomic(tmp_path / "x.safetensors") as file:
            before = os.fstat(file.fileno()).st_ino
            file.write(b"whole")
        with pytest.raises(RuntimeError, match="somebody else's"), atomic.atomic(tmp_path / "x.safetensors") as file:
            theirs(file.name)
        assert (tmp_path / "x.safetensors").read_bytes() == b"whole", "the one that was there stays"
        assert os.stat(tmp_path / "x.safetensors").st_ino == before
        assert [path.name for path in tmp_path.iterdir()] == ["x.safetensors"]


def test_a_write_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    (tmp_path / "x.json").write_bytes(b"before")
    with pytest.raises(KeyboardInterrupt), atomic.atomic(tmp_path / "x.json") as file:
        file.write(b"half")
        raise KeyboardInterrupt
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(5, "Input/output error")))
    with pytest.raises(OSError, match="Input/output"), atomic.atomic(tmp_path / "x.json") as file:
        file.write(b"whole, but not on the disk")
    with pytest.raises(OSError, match="Input/output"):
        atomic.move(tmp_path / "x.json", tmp_path / "y.json")
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]
    assert (tmp_path / "x.json").read_bytes() == b"before"


def test_the_classifiers_file_goes_the_same_way(disk, tmp_path, monkeypatch):
    network = train_classifier.Classifier(train_classifier.DESIGNS["digits"]).eval()
    monkeypatch.setattr(train_classifier, "train", lambda *_: network)
    monkeypatch.setattr(torch, "set_num_threads", lambda _: None)
    train_classifier.main(["digits", f"--out={tmp_path / 'digits.safetensors'}"])
    assert disk.keeps(tmp_path / "digits.safetensors")
    monkeypatch.setattr(classifiers, "FOLDER", tmp_path)
    read = classifiers.read("digits")[0]
    assert torch.equal(read.head.weight, network.head.weight)


def test_nothing_writes_safetensors_but_ourselves():
    """The library's own writers open a file of theirs, or hold all of it in memory."""
    root, found = Path(edm.__file__).parents[1], set()
    for path in (*root.glob("edm/**/*.py"), *root.glob("app/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names if alias.name.startswith("safetensors")}
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("safetensors"):
                found |= {alias.name for alias in node.names}
    assert found == {"safe_open", "SafetensorError"}


def test_the_mode_of_a_file_lets_others_read_it(tmp_path):
    with atomic.atomic(tmp_path / "x") as file:
        file.write(b"x")
    assert stat.S_IMODE(os.stat(tmp_path / "x").st_mode) == 0o644


def test_files_are_written_moved_and_taken_back_on_windows_too(monkeypatch, tmp_path):
    systems.windows(monkeypatch)
    atomic.make(tmp_path / "a" / "b")
    with atomic.atomic(tmp_path / "a" / "x") as file:
        file.write(b"whole")
    atomic.move(tmp_path / "a" / "x", tmp_path / "a" / "b" / "y")
    atomic.append(tmp_path / "a" / "b" / "y", b" line\n")
    assert (tmp_path / "a" / "b" / "y").read_bytes() == b"whole line\n"
    with pytest.raises(ValueError, match="midway"), atomic.atomic(tmp_path / "z") as file:
        raise ValueError("midway")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
