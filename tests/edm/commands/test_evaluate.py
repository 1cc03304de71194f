"""The command that evaluates: FID by files, the paper's protocol, what is kept, and what is said of it."""

import argparse
import json
import sys

import numpy as np
import pytest

from edm import checkpoints
from edm.__main__ import main
from edm.commands import options
from edm.data.settings import Data
from edm.evaluation import Evaluation, features
from tests.edm.evaluation import inceptions

QUICK = ("--steps=2", "--count=12", "--reference=20", "--batch=6", "--device=cpu")


@pytest.fixture(autouse=True)
def inception(monkeypatch):
    monkeypatch.setattr(features, "inception", inceptions.stub)
    monkeypatch.setattr(sys.modules["edm.evaluation.evaluate"], "MEASURED", 4)


def evaluated(capsys, *arguments) -> str:
    assert main(["evaluate", *map(str, arguments)]) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def refused(capsys, *arguments) -> str:
    assert main(["evaluate", *map(str, arguments)]) == 2
    return capsys.readouterr().err


@pytest.fixture
def stranger(tmp_path):
    """The file of a model of 8×8 images of ten classes that does not say what it has learned, as converted ones."""
    network = checkpoints.NetworkConfig(
        name="ddpmpp", in_channels=1, out_channels=1, resolution=8, channels=32, channel_mult=[1], blocks=1,
        attention=[], classes=10,
    )  # fmt: skip
    header = checkpoints.Header(
        kind="model", network=network, preconditioning=checkpoints.PreconditioningConfig(name="edm"),
        shape=[1, 8, 8], sigma_data=0.5,
    )  # fmt: skip
    path = tmp_path / "converted.safetensors"
    weights = checkpoints.build(network).state_dict()
    checkpoints.save(path, header, {f"ema0/{name}": value for name, value in weights.items()})
    return path


def test_fid_by_files_in_every_form(capsys, tmp_path):
    stats, kept = tmp_path / "digits.npz", tmp_path / "kept"
    asked = ("digits", *QUICK, "--inception=weights.pkl")
    plain = evaluated(capsys, *asked, f"--save-stats={stats}", f"--keep={kept}")
    assert "  FID  " in plain
    assert "in Inception v3 (2048 features), to 20" in plain
    table = evaluated(capsys, *asked, f"--reference-stats={stats}", "--protocol=paper", "--markdown")
    assert "FID of 12 samples, the least of 3, to the statistics of digits.npz of digits; less is better." in table
    (found,) = json.loads(evaluated(capsys, *asked, f"--reference_stats={stats}", "--protocol=paper", "--json"))
    assert found["frechet"] == min(found["repeats"])
    assert found["measure"] == "FID"
    text = evaluated(capsys, *asked, f"--reference_stats={stats}", "--protocol=paper", f"--keep={kept}")
    assert f"of each set of samples       {', '.join(f'{one:.4g}' for one in found['repeats'])}" in text
    assert len(list(kept.glob("*/*.npy"))) == 6, "the first set of samples was there already"


def test_a_model_that_knows_nothing_of_its_data_is_compared_with_statistics_alone(capsys, tmp_path, stranger):
    asked = (stranger, *QUICK[:2], "--device=cpu", "--inception=weights.pkl")
    assert "converted.safetensors: the model does not say what it has learned; name it" in refused(capsys, *asked)
    np.savez(tmp_path / "cifar10-32x32.npz", mu=np.zeros(inceptions.WIDTH), sigma=np.eye(inceptions.WIDTH))
    text = evaluated(capsys, *asked, f"--reference_stats={tmp_path / 'cifar10-32x32.npz'}")
    assert "on cifar10-32x32.npz: 12 samples" in text
    assert "of true samples" not in text
    assert "σ" not in text
    none = refused(capsys, *asked, f"--reference_stats={tmp_path / 'cifar10-32x32.npz'}", f"--save-stats={tmp_path}/a")
    assert "--save-stats needs the data" in none


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["digits", "--protocol=mine"], "protocol = 'mine'"),
        (["digits", "--inception="], "inception = ''"),
        (["digits", "--reference-stats=/nowhere.npz"], "there is no file /nowhere.npz"),
        (["two_moons", "--inception=weights.pkl"], "these are points"),
        (["two_moons", "--save-stats=a.npz"], "two_moons has points"),
    ],
)
def test_what_does_not_fit_gets_a_sentence(arguments, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert words in refused(capsys, *arguments, *QUICK)


def test_what_to_compare_with_is_what_is_named_or_learned():
    digits, moved = Data(dataset="digits"), Data(dataset="folder", path="images")
    assert Evaluation().data(digits) == digits
    assert Evaluation(dataset="scenes").data(digits) == Data(dataset="scenes")
    assert Evaluation(path="/elsewhere").data(moved).path == "/elsewhere"
    files = {"inception": "a.pkl", "reference_stats": "b.npz"}
    assert Evaluation(**files).data(digits) == digits, "what is there is used"
    assert Evaluation(**files).data(None) is Evaluation(**files).data(moved) is None
    for learned, words in ((None, "name it with --dataset"), (moved, "'images', but does not know where it lies")):
        with pytest.raises(ValueError, match=words):
            Evaluation().data(learned)


def test_options_may_be_written_with_hyphens():
    parser = argparse.ArgumentParser()
    options.fields(parser, Evaluation)
    assert parser.parse_args(["--reference-stats", "a.npz"]).reference_stats == "a.npz"
    assert "--reference-stats" not in parser.format_help()
