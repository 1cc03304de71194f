"""python -m edm train, export, info: what a person types, and what they are told."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edm.__main__ import main

ROOT = Path(__file__).resolve().parents[3]
QUICK = ["--dataset", "two_moons", "--channels", "16", "--blocks", "1", "--images", "256", "--batch", "64"]
QUICK += ["--validation", "8", "--samples", "4", "--tick", "128", "--checkpoint", "128"]


def run(tmp_path, *arguments):
    return main(["train", *QUICK, "--out", str(tmp_path / "run"), "--device", "cpu", *arguments])


def test_a_run_from_start_to_a_picture(tmp_path, capsys):
    assert run(tmp_path) == 0
    said = capsys.readouterr()
    assert "256" in said.err
    assert "images/s" in said.err
    checkpoint = said.out.strip()
    assert checkpoint.endswith("run/checkpoints/00000000256.safetensors")
    assert main(["info", checkpoint]) == 0
    assert "python -m edm train --images=256" in capsys.readouterr().out
    model = tmp_path / "moons.safetensors"
    assert main(["export", str(tmp_path / "run"), "--out", str(model), "--title", "Moons"]) == 0
    assert model.with_suffix(".md").read_text().startswith("# Moons\n")
    picture = tmp_path / "moons.png"
    assert main(["sample", "--model", str(model), "--steps", "4", "--count", "8", "--out", str(picture)]) == 0
    assert picture.stat().st_size > 1000


def test_a_run_is_continued_by_its_folder_and_never_overwritten(tmp_path, capsys):
    assert run(tmp_path) == 0
    assert run(tmp_path) == 2
    assert "already holds a run" in capsys.readouterr().err
    assert main(["train", "--resume", str(tmp_path / "run"), "--images", "384", "--device", "cpu"]) == 0
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["images"] for line in lines] == [128, 256, 384]


def test_only_the_newest_checkpoints_are_kept_if_so_asked(tmp_path):
    assert run(tmp_path, "--keep", "1") == 0
    assert [p.name for p in (tmp_path / "run" / "checkpoints").iterdir()] == ["00000000256.safetensors"]


def test_presets_files_and_options_go_over_each_other(tmp_path, capsys):
    given = ["--preset", "training/digits", "--preset", "designs/vp", "--lr", "0.003", "--attention", "none"]
    assert main(["train", *given, "--dry-run"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["design"] == {"preconditioning": "vp", "noise": "vp", "weight": "simple", "label_dropout": 0.1}
    assert document["lr"] == 0.003
    assert document["architecture"]["attention"] == []
    assert document["architecture"]["channels"] == 24
    file = tmp_path / "mine.yaml"
    file.write_text("training: {design: {noise: ve}}")
    assert main(["train", *given, "--config", str(file), "--weight", "edm", "--dry-run"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["design"]["noise"], "weight" in document["design"]) == ("ve", False)  # edm is the default


def test_a_branch_of_a_run_needs_a_folder_of_its_own(tmp_path, capsys):
    assert run(tmp_path) == 0
    first = str(tmp_path / "run" / "checkpoints" / "00000000128.safetensors")
    assert main(["train", "--resume", first, "--lr", "0.01", "--device", "cpu"]) == 2
    assert "name another --out" in capsys.readouterr().err
    branch = tmp_path / "branch"
    assert main(["train", "--resume", first, "--lr", "0.01", "--device", "cpu", "--out", str(branch)]) == 0
    assert [p.name for p in (branch / "checkpoints").iterdir()] == ["00000000256.safetensors"]
    assert main(["train", "--resume", first, "--preset", "training/toy"]) == 2
    assert "not a --preset" in capsys.readouterr().err


def test_a_picture_of_a_file_s_model_can_be_made_again(tmp_path):
    assert run(tmp_path) == 0
    model = str(tmp_path / "run" / "checkpoints" / "00000000256.safetensors")
    pictures = [tmp_path / "a.png", tmp_path / "b.png"]
    assert main(["sample", "--model", model, "--steps", "3", "--count", "4", "--out", str(pictures[0])]) == 0
    assert main(["sample", "--config", str(pictures[0]), "--out", str(pictures[1])]) == 0
    assert pictures[0].read_bytes() == pictures[1].read_bytes()


def test_what_does_not_fit_into_memory_is_told(tmp_path, capsys, monkeypatch):
    from edm.training import loop

    def large(*arguments):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 38654705664 bytes.")

    monkeypatch.setattr(loop, "RunState", large)
    assert run(tmp_path) == 2
    assert "does not fit into memory" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--batch", "0"], "batch = 0: must be a whole number, at least 1"),
        (["--lr", "x"], "lr = 'x': must be a number"),
        (["--dataset", "cats"], "'two_moons'"),
        (["--preset", "designs/zz"], "no preset 'designs/zz'"),
        (["--keep", "0"], "--keep 0"),
        (["--dataset", "cifar10", "--path", "/nowhere"], "download"),
        (["--dataset", "folder", "--path", "/nowhere"], "/nowhere"),
        (["--device", "cuda:7"], "cuda:7"),
        (["--resume", "/nowhere"], "no checkpoint"),
        (["--channel_mult", "1,b"], "channel_mult"),
        (["--resolution", "16"], "only for the datasets folder"),
        (["--download", "true"], "only for the datasets mnist"),
    ],
)
def test_mistakes_are_told_in_a_sentence_and_leave_nothing_behind(tmp_path, capsys, arguments, words):
    assert run(tmp_path, *arguments) == 2
    said = capsys.readouterr().err
    assert words in said
    assert "Traceback" not in said
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("option", ["--resume", "--out", "--config"])
def test_a_place_that_is_empty_starts_nothing(tmp_path, monkeypatch, capsys, option):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="2"):
        main(["train", option, "", "--images=64"])
    assert f"{option}: it is empty" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_ctrl_c_while_the_program_is_being_read_is_a_sentence(monkeypatch, capsys):
    monkeypatch.setattr("edm.__main__.import_module", interrupted)
    assert main(["models"]) == 130
    assert "stopped" in capsys.readouterr().err


@pytest.mark.parametrize(("unbuffered", "code"), [("", 0), ("1", 141)])
def test_whoever_reads_only_the_first_line_is_told_of_no_error(unbuffered, code):
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "edm", "models"]
    given = {"cwd": ROOT, "env": {**os.environ, "PYTHONUNBUFFERED": unbuffered}}
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, **given)
    os.close(writer)
    assert (done.returncode, done.stderr) == (code, "")


def interrupted(*_):
    raise KeyboardInterrupt


def test_export_and_info_name_what_is_not_there(tmp_path, capsys):
    assert main(["export", str(tmp_path), "--out", "x.safetensors"]) == 2
    assert "no checkpoint" in capsys.readouterr().err
    assert main(["info", str(tmp_path / "no.safetensors")]) == 2
    assert "no file" in capsys.readouterr().err
