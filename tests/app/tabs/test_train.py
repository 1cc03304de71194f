"""What the Train tab makes of a form, and of a runs folder that changes under it."""

import json

import numpy as np
import pytest

from app.tabs import controls
from app.tabs.links import opened_from
from app.tabs.train import Train
from app.training import board, film, form
from edm import models, runs
from edm.base.fields import SettingsError
from tests.app.training import answer, finished
from tests.edm.runs import points


def test_a_look_tells_only_what_changed(tab):
    runs.start(points(), tab.board.folder, "cpu", "one")
    first = answer(tab, "poll")
    assert [row["name"] for row in first["rows"]] == ["one"]
    assert first["live"]
    again = answer(tab, "poll", clock=first["clock"], models=first["models"]["clock"])
    assert (again["rows"], again["order"], again["models"]) == ([], None, None)
    runs.start(points(), tab.board.folder, "cpu", "two")
    tab.board.wake()
    news = answer(tab, "poll", clock=first["clock"])
    assert [row["name"] for row in news["rows"]] == ["two"]
    assert sorted(news["order"]) == ["one", "two"]


def test_what_happens_during_a_look_is_found_by_the_next_one(tab, monkeypatch):
    honest, looks = runs.all_runs, []

    def all_runs(folder):
        looks.append(folder)
        found = honest(folder)
        if len(looks) == 1:  # as late in the look as can be
            runs.start(points(), folder, "cpu", "late")
            tab.board.wake()
        return found

    monkeypatch.setattr(runs, "all_runs", all_runs)
    monkeypatch.setattr(board, "AGE", 1e9)
    assert tab.board.runs() == []
    assert [run.name for run in tab.board.runs()] == ["late"]
    tab.board.runs()
    assert len(looks) == 2, "and one look serves everybody until somebody wakes it"


def test_the_models_of_a_run_come_and_go_everywhere(tab):
    path = finished(tab.board.folder, "learner")
    (path / "checkpoints" / "00000000999.safetensors").write_bytes(b"half of one")
    tab.board.wake()
    tab.board.follow()
    news = answer(tab, "poll")["models"]
    assert news["names"][-1] == "run-learner_640"
    assert {model["family"] for model in news["new"]} == {"run-learner"}
    assert news["thumbnails"]["learner"]
    assert not any("thumbnail" in model for model in news["new"]), "all of a run have one and the same"
    assert "run-learner_640" in news["choices"]["loss"]["models"]["choices"]
    assert models.load("run-learner_640").title == "Run learner"
    runs.delete(path)
    tab.board.wake()
    tab.board.follow()
    assert answer(tab, "poll", models=news["clock"])["models"]["names"] == []
    assert not models.known("run-learner_640")
    assert "run-learner_640" not in json.dumps(controls.choices())


def test_a_closer_look_has_losses_samples_and_the_field(tab):
    finished(tab.board.folder, "learner")
    look = answer(tab, "poll", runs={"learner": None, "gone": None, "../x": None})["runs"]
    assert look["gone"] is look["../x"] is None
    learner = look["learner"]
    assert learner["points"]["images"] == [320, 640]
    assert [frame["images"] for frame in learner["frames"]] == [320, 640]
    assert learner["sample"]["images"] == 640
    assert learner["sample"]["dimension"] == 2
    assert learner["sample"]["field"]["arrows"]
    seen = {"learner": {"cursor": learner["cursor"], "sample": 640}}
    assert "sample" not in answer(tab, "poll", runs=seen)["runs"]["learner"]


def test_samples_are_named_by_run_and_number(tab):
    finished(tab.board.folder, "learner")
    found = answer(tab, "film", run="learner", images=[320, 330, 331])
    assert [frame["images"] for frame in found["frames"]] == [320]
    for run in ("../learner", "", None, "nobody"):
        with pytest.raises(ValueError):
            answer(tab, "film", run=run, images=[320])
    with pytest.raises((TypeError, ValueError)):
        answer(tab, "film", run="learner", images=["../../etc/passwd"])


def test_the_first_picture_of_a_grid_is_a_thumbnail(tmp_path):
    from edm.files.render import grid

    images = np.linspace(-1, 1, 3 * 64, dtype=np.float32).reshape(3, 1, 8, 8)
    for folder in ("samples", "checkpoints"):
        (tmp_path / folder).mkdir()
    grid(images).save(tmp_path / "samples" / "00000000064.png")
    packed = film.thumbnail(tmp_path / "checkpoints" / "x.safetensors", (1, 8, 8))
    assert packed == film.pack.uint8([images[0]])


def test_the_address_brings_the_tab_back():
    opened = opened_from({"tab": "train", "train.runs": "a,b", "train.size": "large", "seed": "4"})
    assert opened["show"] == {"tab": "train", "name": "train", "values": {"runs": "a,b", "size": "large"}}
    assert opened["values"]["sampling"]["seed"] == 4
    assert opened["notice"] is None


def test_settings_error_names_fields():
    with pytest.raises(SettingsError) as refused:
        form.Former("nowhere").plan(["no", "mapping"])
    assert "names and values" in str(refused.value)


def test_a_run_that_learns_a_classifier_is_a_guide_for_pages_that_are_open_and_says_what_it_measures(tab, monkeypatch):
    monkeypatch.setenv("EDM_RUNS", str(tab.board.folder))
    before = answer(tab, "poll")["models"]["clock"]
    path = finished(tab.board.folder, "teller", learns="classifier", data={"dataset": "two_moons", "labels": "parts"})
    tab.board.wake()
    tab.board.follow()
    told = answer(tab, "poll", models=before)
    assert told["models"]["new"] == [], "it draws nothing"
    guides = {one["name"]: one for one in told["models"]["classifiers"]}
    assert guides["run-teller_640"]["run"] == "teller" and guides["digits_noisy"]["run"] is None
    assert guides["run-teller_640"]["title"] == "Run teller"
    (row,) = told["rows"]
    goal = Train().boot(tab.house)["goals"][row["learns"]]
    assert not goal["samples"] and "log p" in goal["error"]
    runs.delete(path)
    tab.board.wake()
    tab.board.follow()
    news = answer(tab, "poll", models=told["models"]["clock"])["models"]
    assert "run-teller_640" not in {one["name"] for one in news["classifiers"]}
