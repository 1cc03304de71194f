"""python -m edm data: what a path holds, as lines and as JSON; and train, which says the same before it starts."""

import json

import numpy as np
import pytest
from PIL import Image

from edm.__main__ import main
from edm.experiments import models

QUICK = ["--channels", "8", "--blocks", "1", "--images", "4", "--batch", "4", "--validation", "2", "--samples", "2"]


@pytest.fixture
def pets(tmp_path):
    for number, pet in enumerate(["Kätzchen", "C++"] * 3):
        (tmp_path / "pets" / pet).mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (8, 8), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "pets" / pet / f"{number}.png")
    (tmp_path / "pets" / "readme.txt").write_text("?")
    return tmp_path / "pets"


def test_all_that_is_known_of_data_is_there_as_json(pets, capsys):
    assert main(["data", str(pets), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "kind": "images",
        "count": 6,
        "shape": [1, 8, 8],
        "classes": 2,
        "class_names": ["C++", "Kätzchen"],
        "left_out": [{"name": "readme.txt", "reason": "is no image that is read"}],
        "notes": [],
        "choices": [],
        "held_out": 0,
    }


def test_people_are_told_it_in_lines(pets, capsys):
    assert main(["data", str(pets)]) == 0
    told = capsys.readouterr().out
    assert told == "6 images, 1×8×8, 2 classes: C++, Kätzchen\nleft out: 'readme.txt' (is no image that is read)\n"


def test_what_cannot_be_taken_is_a_sentence_and_broken_images_can_be_left_out(pets, capsys):
    (pets / "C++" / "broken.png").write_bytes(b"?")
    assert main(["data", str(pets), "--json"]) == 2
    told = capsys.readouterr()
    assert not told.out and "'C++/broken.png'" in told.err and "--leave-out" in told.err
    assert main(["data", str(pets), "--json", "--leave-out"]) == 0
    assert json.loads(capsys.readouterr().out)["count"] == 6


def test_train_takes_the_kind_of_a_path_and_says_what_was_read(pets, tmp_path, capsys):
    (pets / "C++" / "broken.png").write_bytes(b"?")
    out = tmp_path / "run"
    assert main(["train", "--path", str(pets), "--out", str(out), "--device", "cpu", "--leave-out", *QUICK]) == 0
    assert "6 images, 1×8×8, 2 classes: C++, Kätzchen" in capsys.readouterr().err
    data = json.loads((out / "config.json").read_text(encoding="utf-8"))["data"]
    assert (data["dataset"], data["greyscale"], data["leave_out"]) == ("folder", True, True)
    cloud = tmp_path / "cloud.csv"
    cloud.write_text("x,y\n0,1\n1,0\n0,0\n")
    assert main(["train", "--path", str(cloud), "--dry-run"]) == 0
    assert json.loads(capsys.readouterr().out)["data"]["dataset"] == "points"
    assert main(["train", "--dataset", "folder", "--path", str(cloud), "--out", str(tmp_path / "other")]) == 2
    assert "holds points, which the dataset 'points' reads" in capsys.readouterr().err


def test_a_network_is_told_from_data(capsys):
    assert main(["data", str(models.FOLDER / "digits_edm.safetensors")]) == 2
    assert "but a network: python -m edm sample --model" in capsys.readouterr().err
