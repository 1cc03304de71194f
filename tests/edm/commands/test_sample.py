"""python -m edm sample, beyond a picture: as many samples as one likes, as numbers or as images."""

import json
import re
import zipfile

import numpy as np
import pytest

import edm
from edm.__main__ import main
from edm.commands.progress import Line
from edm.experiments import many
from edm.experiments.experiment import MAX_SAMPLES
from edm.files.albums import name_of

DIGITS = ["sample", "--model=digits_edm", "--steps=1", "--device=cpu"]
POINTS = ["sample", "--model=two_diracs", "--steps=1", "--solver=euler"]


@pytest.fixture
def few(monkeypatch):
    """Few samples are many."""
    monkeypatch.setattr("edm.commands.sample.MAX_SAMPLES", 5)
    monkeypatch.setitem(many.ON_CPU, 1, 4)


def test_images_are_written_into_a_folder_and_the_same_command_goes_on(tmp_path, monkeypatch, capsys):
    command = [*DIGITS, "--count=40", f"--out={tmp_path / 'set'}/"]
    shown = Line.show

    def interrupted(self, done, total):
        shown(self, done, total)
        if done >= 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(Line, "show", interrupted)
    assert main(command) == 130
    assert re.search("stopped with (16|32) of 40 images; the same command goes on", capsys.readouterr().err)
    monkeypatch.undo()
    assert main(command) == 0
    assert f"40 images -> {tmp_path / 'set'}" in capsys.readouterr().out
    assert sorted(path.name for path in (tmp_path / "set" / "00000").iterdir())[-1] == "000039.png"
    settings = tmp_path / "set" / "settings.json"
    assert main(["sample", f"--config={settings}", "--dry-run"]) == 0
    assert json.loads(capsys.readouterr().out) == {"model": "digits_edm", "sampling": {"steps": 1}}


def test_which_samples_are_wanted_may_be_said_by_their_numbers(tmp_path, capsys):
    assert main([*DIGITS, "--seeds=998-1000", f"--out={tmp_path / 'set.zip'}"]) == 0
    with zipfile.ZipFile(tmp_path / "set.zip") as archive:
        assert archive.namelist()[2:] == [name_of(998), name_of(999), "00001/001000.png"]
    assert main([*DIGITS, "--seeds=1-2", "--count=2", f"--out={tmp_path / 'other.zip'}"]) == 2
    assert "--seeds and --count" in capsys.readouterr().err


@pytest.mark.usefixtures("few")
def test_many_points_are_written_as_they_are_drawn(tmp_path, capsys):
    for ending in ("csv", "npz"):
        assert main([*POINTS, "--count=11", f"--out={tmp_path / 'many'}.{ending}"]) == 0
    assert "no trajectories are kept" in capsys.readouterr().err
    with np.load(tmp_path / "many.npz") as found:
        samples, settings = found["samples"], json.loads(str(found["settings"]))
    assert (samples.shape, samples.dtype, settings["count"]) == ((11, 1), np.float32, 11)
    np.testing.assert_allclose(np.loadtxt(tmp_path / "many.csv", ndmin=2), samples, rtol=1e-6)
    experiment = edm.Experiment.parse({**settings, "count": 11})
    np.testing.assert_allclose(edm.last(edm.runner.states(experiment)).x, samples, rtol=1e-5, atol=1e-6)


def test_batches_of_a_picture_change_nothing(tmp_path):
    for name, batch in (("one", []), ("two", ["--batch=3"])):
        assert main([*POINTS, "--count=8", "--S_churn=3", f"--out={tmp_path / name}.npz", *batch]) == 0
    with np.load(tmp_path / "one.npz") as one, np.load(tmp_path / "two.npz") as two:
        for name in ("samples", "trajectory", "sigma"):
            np.testing.assert_allclose(one[name], two[name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([*DIGITS, f"--count={MAX_SAMPLES + 1}", "--out=a.png"], "name with --out a folder, a .zip, a .csv or a .npz"),
        ([*DIGITS, "--seeds=3-9", "--out=a.png"], "a picture has the first samples"),
        ([*DIGITS, "--count=0", "--out=a.zip"], "count = 0: must be a whole number, at least 1"),
        ([*POINTS, "--count=10", "--out=a.zip"], "makes points, not images; write them into a .csv or .npz file"),
        ([*DIGITS, "--count=10", "--out=/nowhere/a/"], "there is no folder /nowhere"),
        ([*DIGITS, "--out="], "it is empty"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(arguments, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    try:
        assert main(arguments) == 2
    except SystemExit as error:  # of the parser
        assert error.code == 2
    assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_several_processes_share_images_only(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert main([*POINTS, "--count=10", f"--out={tmp_path / 'a.csv'}"]) == 2
    assert "2 processes share images only" in capsys.readouterr().err
