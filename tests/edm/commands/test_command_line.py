"""The command line: the same settings, the same samples, and sentences for mistakes."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import edm
from edm import render
from edm.__main__ import main
from edm.base.atomic import atomic


def test_a_picture_can_be_made_again_from_its_file(tmp_path, capsys):
    first, second = tmp_path / "a.png", tmp_path / "b.png"
    assert main(["sample", "--model=spiral", "--steps=6", "--S_churn=3", "--count=30", f"--out={first}"]) == 0
    assert render.read_document(first) == {"model": "spiral", "count": 30, "sampling": {"steps": 6, "S_churn": 3}}
    assert main(["sample", f"--config={first}", f"--out={second}"]) == 0
    assert first.read_bytes() == second.read_bytes()
    assert "30 samples, 11 evaluations" in capsys.readouterr().out


@pytest.mark.parametrize("model", ["two_diracs", "eight_gaussians", "digits"])
def test_every_kind_of_model_has_a_picture_and_numbers(tmp_path, model):
    for ending in ("png", "csv", "npz"):
        assert main(["sample", f"--model={model}", "--count=5", "--steps=3", f"--out={tmp_path / 'out'}.{ending}"]) == 0
    with Image.open(tmp_path / "out.png") as image:
        assert len(image.convert("RGB").getcolors(1 << 20)) > 5
    shape = edm.data.load(model).shape
    with np.load(tmp_path / "out.npz") as numbers:
        assert numbers["samples"].shape == (5, *shape)
        assert numbers["trajectory"].shape == (4, 5, *shape)
        assert json.loads(str(numbers["settings"]))["model" if model != "eight_gaussians" else "count"]
        rows = np.loadtxt(tmp_path / "out.csv", delimiter=",", ndmin=2)
        np.testing.assert_allclose(rows, numbers["samples"].reshape(5, -1), rtol=1e-6, atol=1e-9)


def test_a_preset_can_be_changed_by_options(capsys):
    assert main(["sample", "--preset=designs/vp", "--steps=5", "--sigma_max=90", "--dry-run"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["sampling"]["discretization"] == "vp"
    assert document["sampling"]["steps"] == 5
    assert document["sampling"]["sigma_max"] == 90


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--rho=0"], "rho = 0: must be a number, at least 0.1"),
        (["--model=cats"], "model = 'cats'"),
        (["--sigmas=5,9"], "below the level before it"),
        (["--preset=designs/ddpm"], "no preset"),
        (["--config=/nowhere.yaml"], "nowhere.yaml"),
        (["--out=/nowhere/x.png"], "no folder"),
        (["--out=x.exe"], ".svg, .npz or .csv"),
        (["--device=tpu9"], "device 'tpu9'"),
        (["--device=mps"], "device 'mps'"),
        (["--device=cuda:77"], "device 'cuda:77'"),
    ],
)
def test_mistakes_get_a_sentence_and_exit_code_2(arguments, words, capsys):
    assert main(["sample", *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert "Traceback" not in error


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\nbroken", b"[1, 2", b"- 1", b"model: {"])
@pytest.mark.parametrize("ending", ["png", "yaml"])
def test_a_broken_settings_file_gets_a_sentence(tmp_path, content, ending, capsys):
    path = tmp_path / f"settings.{ending}"
    path.write_bytes(content)
    assert main(["sample", f"--config={path}", "--dry-run"]) == 2
    assert "settings." in capsys.readouterr().err


def test_a_settings_file_cannot_run_code(tmp_path, capsys):
    path = tmp_path / "evil.yaml"
    path.write_text(f"!!python/object/apply:os.mkdir ['{tmp_path / 'pwned'}']")
    assert main(["sample", f"--config={path}"]) == 2
    assert not (tmp_path / "pwned").exists()


def test_it_runs_as_a_module_from_anywhere():
    done = subprocess.run([sys.executable, "-m", "edm", "models"], capture_output=True, text=True, check=True)
    assert "eight_gaussians" in done.stdout
    assert "digits" in done.stdout


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    target = tmp_path / "file"
    target.write_bytes(b"old")
    with pytest.raises(RuntimeError), atomic(target) as file:
        file.write(b"half")
        raise RuntimeError
    assert target.read_bytes() == b"old"
    with atomic(target) as file:
        file.write(b"new")
        assert target.read_bytes() == b"old"
    assert target.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["file"]
