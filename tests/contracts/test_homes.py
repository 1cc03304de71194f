"""~ is a home folder wherever a path comes in: options that take one, settings, the environment, and the library."""

from __future__ import annotations

import argparse
import ast
import shutil

import numpy as np
import pytest
from PIL import Image

import app.__main__
import edm
from edm import evaluation, render, runs
from edm.__main__ import main, parser
from edm.base import flat
from edm.data.emoji import __main__ as emoji
from edm.evaluation import Evaluation, train_classifier
from edm.files import saved
from edm.files.convert import convert_file
from edm.training.export import export
from tests.contracts.floors import modules

NAMES = {"--device", "--embed", "--family", "--host", "--name", "--note", "--password", "--preset", "--root-path"}
NAMES |= {
    "--seeds",
    "--teacher-password",
    "--title",
    "--card",
    "--columns",
    "--guidance-weights",
    "name",
}  # texts that are no paths
PLACES = {"config", "out", "resume", "folder", "keep", "save_stats", "models", "path", "place", "file", "runs", "model"}
OPENS = {"Path", "open", "safe_open", "os.path.abspath", "os.path.exists", "os.path.isdir", "os.path.isfile"}
MODEL = edm.models.FOLDER / "spiral_mlp.safetensors"


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    return tmp_path


def options(monkeypatch) -> list[argparse.Action]:
    """All options of all commands that take a text, but for fields of settings."""
    found = []
    for kind in {argparse.ArgumentParser, type(argparse.ArgumentParser().add_argument_group())}:

        def noted(self, *names, original=kind.add_argument, **named):
            found.append(original(self, *names, **named))
            return found[-1]

        monkeypatch.setattr(kind, "add_argument", noted)
    parser()
    for ask in (app.__main__.options, emoji.main, train_classifier.main):
        with pytest.raises(SystemExit):
            ask(["--help"])
    texts = [action for action in found if action.nargs != 0 and not action.choices and action.type not in (int, float)]
    return [action for action in texts if action.metavar != "VALUE" and action.help != argparse.SUPPRESS]


def test_every_option_that_takes_a_path_knows_home(home, monkeypatch, capsys):
    known = set()
    for action in options(monkeypatch):
        name = (action.option_strings or [action.dest])[-1]
        if action.type is None or name in NAMES:
            assert name in NAMES, (
                f"{name}: is it a path? Then its type is `edm.commands.options.place`; else name it here"
            )
            continue
        assert action.type("~/x") == str(home / "x"), name
        known.add(action.dest)
    assert known >= PLACES
    assert capsys.readouterr().out


@pytest.mark.parametrize("kind", [edm.Training, Evaluation])
def test_settings_know_home(home, kind):
    for group in flat.groups(kind).values():
        for name, field in group.model_fields.items():
            says = f"{field.description} ".lower()
            if field.annotation == str | None and any(word in says for word in ("file ", "folder ", " lie")):
                document = {"path": "~/y", "dataset": "folder"} if "dataset" in group.model_fields else {}
                document[name] = "~/x"
                assert getattr(group.parse(document), name) == str(home / "x"), name
    assert Evaluation(reference_stats="~/x").reference_stats == str(home / "x")
    assert edm.Training(data={"dataset": "folder", "path": "~/x"}).data.path == str(home / "x")


def test_the_library_knows_home(home):
    shutil.copy(MODEL, home / "spiral.safetensors")
    assert edm.load("~/spiral.safetensors").shape == (2,)
    assert edm.checkpoints.read_header("~/spiral.safetensors").title
    assert edm.models.load(edm.models.register("~/spiral.safetensors")).shape == (2,)
    export("~/spiral.safetensors", "~/again.safetensors")
    assert saved.chosen("~/again.safetensors") == home / "again.safetensors"
    edm.models.forget("~/spiral.safetensors")
    render.save_png(Image.new("RGB", (4, 4)), "~/picture.png", {"model": "spiral"})
    assert render.read_document("~/picture.png") == {"model": "spiral"}
    with pytest.raises(FileNotFoundError, match="no file"):
        convert_file("~/nothing.pkl", "~/out.safetensors")
    np.savez(home / "stats.npz", mu=np.zeros(2048), sigma=np.eye(2048))
    assert len(evaluation.statistics.read("~/stats.npz")[0].mean) == 2048
    np.save(home / "points.npy", np.arange(8.0).reshape(4, 2))
    assert edm.data.of_points("~/points.npy").shape == (2,)


def test_commands_know_home_behind_an_equals_sign_too(home, monkeypatch, capsys):
    monkeypatch.setenv("EDM_RUNS", "~/runs")
    shutil.copy(MODEL, home / "spiral.safetensors")
    (home / "more.yaml").write_text("steps: 4\n")
    how = ["--count=4", "--config=~/more.yaml"]
    assert main(["sample", "--model=~/spiral.safetensors", "--out=~/points.csv", *how]) == 0
    assert len((home / "points.csv").read_text().splitlines()) == 4
    assert main(["info", "~/spiral.safetensors"]) == 0
    assert runs.runs_folder() == home / "runs"
    assert main(["runs", "list"]) == 0
    assert not (home / "~").exists()
    assert "Traceback" not in capsys.readouterr().err


def test_whoever_opens_a_path_that_is_given_expands_it():
    """A function that says that it takes a path (StrPath) gives it to no opener as it is."""
    inner = {"edm.base.atomic.settle", "edm.base.paths.expanded"}  # what has been expanded before
    for module, path in modules("edm").items():
        for function in ast.walk(ast.parse(path.read_text())):
            if not isinstance(function, ast.FunctionDef) or f"{module}.{function.name}" in inner:
                continue
            asked = [*function.args.args, *function.args.kwonlyargs]
            given = {a.arg for a in asked if a.annotation and "StrPath" in ast.unparse(a.annotation)}
            made = [node for node in ast.walk(function) if isinstance(node, ast.Assign)]
            expanded = {
                ast.unparse(node.targets[0]) for node in made if ast.unparse(node.value).startswith("expanded(")
            }
            for call in ast.walk(function):
                if isinstance(call, ast.Call) and ast.unparse(call.func) in OPENS:
                    names = {ast.unparse(argument) for argument in call.args}
                    assert not names & (given - expanded), f"{path.name}:{call.lineno}: edm.base.paths.expanded"
