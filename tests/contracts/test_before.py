"""What was made before the house was rebuilt still opens, and gives the same numbers. Made by `tests.fixtures.make`.

Only public names, the command line, and what the page sends are used here.
"""

import json
import os
import shutil

import pytest
import torch

import edm
from tests.asking import visiting
from tests.fixtures import numbers
from tests.fixtures.numbers import BEFORE, differences, terminal

NUMBERS = json.loads((BEFORE / "numbers.json").read_text(encoding="utf-8"))
LINKS = (BEFORE / "links.txt").read_text(encoding="utf-8").split("\n")[:-1]
PICTURES = {
    "digits.png": edm.Experiment.parse(
        {
            "model": "digits_edm",
            "count": 6,
            "label": 3,
            "sampling": {"steps": 7, "rho": 5, "sigma_max": 50, "S_churn": 4, "S_tmin": 0.05, "S_tmax": 30}
            | {"S_noise": 1.01, "seed": 9},
        }
    ),
    "diracs.png": edm.Experiment(model="two_diracs", count=3, sampling=edm.Sampling(steps=5, S_churn=2, seed=1)),
    "page.png": edm.Experiment(model="digits", count=4, label=5, sampling=edm.Sampling(steps=6, rho=6)),
}


def same(before, now, **how):
    assert not differences(before, now, **how)


def copied(name, place):
    """A copy of runs that nobody has touched for long: a worker of another machine counts as gone after two minutes."""
    copy = shutil.copytree(BEFORE / name, place / "copy")
    for file in copy.rglob("*"):
        os.utime(file, (1_700_000_000, 1_700_000_000))
    return copy


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return copied("runs", tmp_path_factory.mktemp("before"))


@pytest.fixture(scope="module")
def visitor(folder):
    with visiting(folder) as visitor:
        yield visitor


@pytest.mark.parametrize("case", NUMBERS["drawn"], ids=lambda case: str(case["sampling"]))
def test_each_sampler_draws_the_same_samples_in_float64(case):
    now = torch.tensor(numbers.drawn("eight_gaussians", case["sampling"]), dtype=torch.float64)
    torch.testing.assert_close(now, torch.tensor(case["x"], dtype=torch.float64), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("case", NUMBERS["sampled"], ids=lambda case: str(case["experiment"]))
def test_the_command_line_samples_the_same(case, tmp_path):
    same(case["found"], numbers.sampled(case["experiment"], tmp_path))


def test_a_published_network_that_is_converted_draws_the_same(tmp_path):
    same(NUMBERS["converted"], numbers.converted(tmp_path))


@pytest.mark.parametrize("name", NUMBERS["evaluated"])
def test_an_evaluation_finds_the_same(name):
    same(NUMBERS["evaluated"][name], numbers.evaluated(name))


@pytest.mark.parametrize("name", NUMBERS["losses"])
def test_a_network_s_losses_are_the_same(name):
    same(NUMBERS["losses"][name], numbers.lost(name))


@pytest.mark.parametrize("case", NUMBERS["answers"], ids=lambda case: case.get("shown") or case["event"])
def test_the_page_s_server_answers_the_same(visitor, case):
    same(case["answer"], numbers.answered(visitor, case))


@pytest.mark.parametrize("link", LINKS)
def test_a_link_opens_what_it_opened(visitor, link):
    same(NUMBERS["opened"][link], visitor.open(link) | {"models": None})


def test_an_upload_becomes_the_same_dataset(visitor):
    images = (BEFORE / "set.zip").read_bytes()
    told = visitor.bring("set.zip", images, resolution=16, title="Cats and dogs")
    same(NUMBERS["uploaded"], numbers.essence(told))


def test_runs_are_listed_in_the_states_they_were_left_in(folder):
    rows = {row.split()[0]: row for row in terminal("runs", "list", f"--runs={folder}").splitlines()}
    assert "finished" in rows["moons"] and "640 / 640" in rows["moons"]
    assert "interrupted" in rows["digits"] and "48 / 144" in rows["digits"]
    shown = terminal("runs", "show", f"--runs={folder}", "moons", "digits")
    assert "640 / 640 images" in shown and "48 / 144 images" in shown and "--resume" not in shown


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("moons.safetensors", "Moons before"),
        ("whole.safetensors", "digits"),
        ("runs/moons/checkpoints/00000000640.safetensors", "two_moons"),
        ("runs/digits/checkpoints/00000000048.safetensors", "digits"),
    ],
)
def test_info_tells_of_models_and_checkpoints(file, words):
    assert words in terminal("info", BEFORE / file)
    assert json.loads(terminal("info", "--json", BEFORE / file))["network"]


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_s_settings_are_read_and_sampled_again(name, tmp_path):
    assert edm.Experiment.parse(json.loads(terminal("info", BEFORE / name))) == PICTURES[name]
    planned = terminal("sample", f"--config={BEFORE / name}", "--dry-run")
    assert edm.Experiment.parse(json.loads(planned)) == PICTURES[name]


@pytest.mark.parametrize(("file", "picture"), [("settings.yaml", "digits.png"), ("settings.json", "diracs.png")])
def test_settings_in_a_file_are_those_of_the_picture_that_was_made_of_them(file, picture):
    planned = terminal("sample", f"--config={BEFORE / file}", "--dry-run")
    assert edm.Experiment.parse(json.loads(planned)) == PICTURES[picture]


def test_an_exported_model_draws_what_its_run_draws(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("EDM_RUNS", str(folder))
    common = {"count": 5, "sampling": {"steps": 4}}
    run, file = ({"model": name, **common} for name in ("run-moons_640", str(BEFORE / "moons.safetensors")))
    same(numbers.sampled(run, tmp_path), numbers.sampled(file, tmp_path))


def test_an_interrupted_run_is_resumed_to_the_weights_of_one_that_was_not(tmp_path):
    run = copied("runs/digits", tmp_path)
    terminal("train", f"--resume={run}", "--device=cpu")
    terminal("export", run, f"--out={tmp_path / 'resumed.safetensors'}")
    whole, resumed = (numbers.weights(place / name) for place, name in
                      ((BEFORE, "whole.safetensors"), (tmp_path, "resumed.safetensors")))  # fmt: skip
    assert set(whole) == set(resumed)
    for name, tensor in whole.items():
        torch.testing.assert_close(resumed[name], tensor, rtol=1e-4, atol=1e-5)
