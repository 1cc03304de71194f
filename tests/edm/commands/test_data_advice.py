"""python -m edm data … --advice: what data say before training, of files and of names."""

import json

import numpy as np
import pytest

import edm
from edm.__main__ import main


@pytest.fixture
def points(tmp_path):
    np.save(tmp_path / "p.npy", np.random.default_rng(0).normal(size=(60, 2)))
    return str(tmp_path / "p.npy")


def test_a_file_is_told_of_with_what_it_says_of_training(points, capsys):
    assert main(["data", points, "--advice", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["kind"] == "points" and document["count"] == 60
    assert document["advice"] == json.loads(json.dumps(edm.data.advice(points).document()))


def test_for_people_its_sentences_stand_under_what_was_read(points, capsys):
    assert main(["data", points, "--advice"]) == 0
    lines = capsys.readouterr().out.splitlines()
    sentences = edm.data.advice(points).sentences
    assert tuple(lines[-len(sentences) :]) == sentences and lines[0].startswith("60 points")


def test_a_data_set_has_a_name(capsys):
    assert main(["data", "two_diracs", "--advice", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["advice"]["sigma_data"] == pytest.approx(1)
    assert main(["data", "two_diracs"]) == 2  # without advice, a path is meant
    assert "two_diracs" in capsys.readouterr().err
