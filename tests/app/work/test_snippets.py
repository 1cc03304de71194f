"""What Share gives for models of runs and of files draws the same picture in a new process, in this folder."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import edm
from app.instruments import INSTRUMENTS
from app.instruments.choosing import exact_code
from app.instruments.job import Figure
from app.work import snippets
from app.work.pictures import Picture
from app.work.shared import Work
from edm import models, render, runner
from edm.__main__ import main
from edm.base.fields import SettingsError
from edm.files import names
from edm.training.loop import train
from edm.training.recording import record
from tests.app.work import final
from tests.edm.runs import points

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a run in runs/, one in elsewhere/, and a model's file."""
    place = tmp_path_factory.mktemp("project")
    for run in ("runs/moons", "elsewhere/moons_2"):
        for _ in record(train(points(images=128)), place / run):
            pass
    file = next((place / "runs" / "moons" / "checkpoints").iterdir())
    (place / "my model's.safetensors").write_bytes(file.read_bytes())
    return place


@pytest.fixture
def here(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.delenv("EDM_RUNS", raising=False)
    yield folder
    models.forget()


def pasted(text, where, shell=False):
    """The picture that somebody gets who pastes it into a terminal in a folder."""
    (where / "sample.png").unlink(missing_ok=True)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    environment.pop("EDM_RUNS", None)
    command = ["bash", "-c", text] if shell else [sys.executable, "-c", text]
    done = subprocess.run(command, cwd=where, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    with Image.open(where / "sample.png") as image:
        return np.asarray(image)


def shown(model, work=None):
    """(script, command line, picture) of what the page shows of a model."""
    experiment = edm.Experiment(model=model, count=20, sampling={"steps": 3})
    body = final(Picture(experiment=experiment), work)
    picture = render.picture(models.of(experiment), runner.states(experiment))
    return body["python"], body["command"], np.asarray(picture)


@pytest.mark.parametrize("where", ["runs", "elsewhere", "file"])
def test_script_and_command_draw_in_a_new_process_what_the_page_shows(here, monkeypatch, where):
    if where == "file":
        name = models.register("my model's.safetensors", "my model's")
    else:
        run = {"runs": "moons", "elsewhere": "moons_2"}[where]
        monkeypatch.setenv("EDM_RUNS", str(here / where))  # as the server of these runs has it
        models.follow_run(here / where / run)
        name = f"run-{run}_128"
    python, command, picture = shown(name)
    assert str(here) not in python + command  # nor any other absolute path
    assert np.array_equal(pasted(python, here), picture)
    if where == "elsewhere":  # with a setting before it, which only a shell can read
        assert np.array_equal(pasted(command, here, shell=True), picture)
        return
    models.forget()
    (here / "sample.png").unlink()
    assert main(shlex.split(command)[3:]) == 0
    with Image.open("sample.png") as image:
        assert np.array_equal(np.asarray(image), picture)


GUIDED = [
    {"guidance": "free", "guidance_weight": 2.0, "guidance_interval": (0.1, 5.0)},
    {"guidance": "auto", "guidance_weight": 1.5, "guide": "digits_edm_020k", "label": 3},
    {"guidance": "tilted", "guidance_weight": 2.0, "label": 4},
    {"label": "none"},
]


@pytest.mark.parametrize("given", GUIDED, ids=str)
def test_script_and_command_are_guided_as_the_page_is(tmp_path, monkeypatch, given):
    monkeypatch.chdir(tmp_path)
    experiment = edm.Experiment(model="digits_edm", count=3, sampling={"steps": 2}, **given)
    shown = np.asarray(render.picture(models.of(experiment), runner.states(experiment)))
    exec(snippets.python(experiment), {})
    with Image.open("sample.png") as image:
        assert np.array_equal(np.asarray(image), shown)
    assert main(shlex.split(snippets.command(experiment))[3:]) == 0
    with Image.open("sample.png") as image:
        assert np.array_equal(np.asarray(image), shown)
    assert edm.Experiment.parse(render.read_document("sample.png")) == experiment


def test_only_the_owner_of_the_machine_sees_paths_outside_of_the_folder(here, tmp_path, monkeypatch):
    models.register(here / "my model's.safetensors", "mine")
    models.follow_run(here / "elsewhere" / "moons_2")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDM_RUNS", str(here / "elsewhere"))
    for name in ("mine", "run-moons_2_128"):
        python, command, _ = shown(name)
        assert str(here) in python and str(here) in command
        python, command, _ = shown(name, Work("cpu", own=False))
        assert str(here) not in python + command
    assert str(here) in snippets.head(here / "elsewhere")
    assert snippets.head(here / "elsewhere", own=False) == "import edm\n\n"


def test_scripts_of_instruments_know_the_models_they_are_about(here):
    models.follow_run(here / "elsewhere" / "moons_2")
    models.register("my model's.safetensors", "my model's")
    for instrument, values in (("lanes", {"data": "two_moons", "denoiser": "shared", "lanes": "edm", "nfe": "3"}),
                               ("preconditioning", {})):  # fmt: skip
        settings = INSTRUMENTS[instrument].complete(values)
        compile(final(Figure(instrument=instrument, settings=settings))["python"], instrument, "exec")
    loop = "for name in ['run-moons_2_128', \"my model's\", 'digits']:\n    print(name)\n"
    code = snippets.complete(f"import edm\n\n{loop}")
    assert code.startswith("import os\nimport edm\n\nos.environ[\"EDM_RUNS\"] = 'elsewhere'\nedm.models.register(")
    assert code.count("register") == 1
    assert snippets.complete("import edm\n\nprint('digits')\n") == "import edm\n\nprint('digits')\n"


def test_the_ideal_denoiser_of_points_in_a_file_is_found_through_its_model(here):
    (here / "p.csv").write_text("0,0\n1,1\n0,1\n")
    for _ in record(train(points(data={"dataset": "points", "path": "p.csv"}, images=64)), here / "runs" / "own"):
        pass
    models.follow_run(here / "runs" / "own")
    model = models.load("run-own_64")
    ideal = eval(exact_code(model), {"edm": edm})
    assert ideal.name == model.dataset.name and ideal.denoiser.shape == (2,)
    assert exact_code(models.load("two_moons_mlp")) == "edm.models.load('two_moons')"


def test_a_run_s_model_is_found_by_its_name_alone_as_its_file_is_now(here):
    assert "run-moons_128" not in models.names()
    model = models.load("run-moons_128")
    assert (model.run, model.family, model.title) == ("moons", "run-moons", "Run moons")
    assert models.load("run-moons_128") is model  # so that its network is read once
    assert edm.Experiment(model="run-moons_128").model == "run-moons_128"
    file = here / "runs" / "moons" / "checkpoints" / "00000000128.safetensors"
    data = file.read_bytes()
    try:
        file.write_bytes(b"half")
        assert not models.known("run-moons_128")
    finally:
        file.write_bytes(data)
    assert models.known("run-moons_128") and models.load("run-moons_128") is not model


@pytest.mark.parametrize(
    "name",
    [
        "run-../moons_128",
        "run-moons/../moons_128",
        "run-/etc_128",
        "run-moons_00000000128",
        "run-moons_١٢٨",
        "run-moons_128\n",
        "run-moons_128 (1)",
        "run-moons_-128",
        "run-linked_128",
        "run-moons_" + "9" * 400,
        "run-" + "x" * 81 + "_128",
        "run-moons",
        "moons_128",
        "runs/moons/checkpoints/00000000128.safetensors",
        "run-moons_64",
        "run-\0_128",
    ],
)
def test_no_other_name_leads_to_a_file(here, name):
    if not (here / "runs" / "linked").exists():
        (here / "runs" / "linked").symlink_to(here / "runs" / "moons")
    assert names.checkpoint(name) is None and not models.known(name)
    with pytest.raises(ValueError, match="there is no model"):
        models.load(name)
    with pytest.raises(SettingsError, match="model = "):
        edm.Experiment(model=name)
