"""Numbers that are none: files that hold them are named, and no picture is made of them."""

import math

import pytest
from safetensors import safe_open
from safetensors.torch import save_file

import edm
from app.__main__ import main as app_main
from app.tabs import controls
from app.work.thumbnails import Thumbnails
from edm import models
from edm.__main__ import main
from edm.training.export import export
from edm.training.loop import train
from edm.training.recording import record
from tests.app.work import bodies
from tests.edm.runs import tiny


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """(folder, last checkpoint) of a run of one step."""
    folder = tmp_path_factory.mktemp("run")
    for _ in record(train(tiny(images=16, tick=16)), folder):
        pass
    return folder, sorted((folder / "checkpoints").iterdir())[-1]


def changed_weights(path, out, change, prefix="ema0/"):
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in list(file.keys())}
        metadata = file.metadata()
    name = next(name for name in tensors if name.startswith(prefix) and tensors[name].ndim > 1)
    change(tensors[name])
    save_file(tensors, out, metadata=metadata)
    return out


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_weights_that_are_not_finite_draw_nothing_and_are_told_by_file(run, tmp_path, capsys, value):
    path = changed_weights(run[1], tmp_path / "diverged.safetensors", lambda t: t.view(-1)[3:4].fill_(value))
    with pytest.raises(ValueError, match=r"diverged\.safetensors cannot be used: its weights .* not all finite"):
        edm.load(path)
    out = tmp_path / "out"
    for command in (
        ["sample", f"--model={path}", f"--out={out}.png"],
        ["export", str(path), f"--out={out}.safetensors"],
        ["evaluate", str(path), "--count=20"],
    ):
        assert main(command) == 2
        error = capsys.readouterr().err
        assert "diverged.safetensors cannot be used: its weights" in error and "Traceback" not in error
    assert main(["info", str(path)]) == 0
    assert "**Not usable**" in capsys.readouterr().out
    assert app_main(["--no-browser", f"--model={path}"]) == 2
    assert "diverged.safetensors cannot be used" in capsys.readouterr().err
    assert sorted(place.name for place in tmp_path.iterdir()) == ["diverged.safetensors"]
    assert main(["info", str(run[1])]) == 0
    assert "Not usable" not in capsys.readouterr().out


def test_samples_that_are_not_finite_are_told_and_not_drawn(run, tmp_path, capsys):
    path = changed_weights(run[1], tmp_path / "large.safetensors", lambda t: t.fill_(3e38))
    for ending in ("png", "npz", "csv"):
        assert main(["sample", f"--model={path}", "--count=2", "--steps=2", f"--out={tmp_path}/x.{ending}"]) == 2
        assert "not " in (error := capsys.readouterr().err) and "finite" in error and "large.safetensors" in error
    assert [place.name for place in tmp_path.iterdir()] == ["large.safetensors"]


def test_what_has_no_room_in_half_precision_is_exported_whole(run, tmp_path):
    path = changed_weights(run[1], tmp_path / "large.safetensors", lambda t: t.view(-1)[:1].fill_(1e6))
    export(path, tmp_path / "model.safetensors")
    weights = list(edm.load(tmp_path / "model.safetensors").network.parameters())
    assert all(p.isfinite().all() for p in weights) and max(float(p.abs().max()) for p in weights) == 1e6


def test_a_model_that_cannot_be_sampled_keeps_no_other_from_the_page(run, tmp_path, monkeypatch, caplog):
    (tmp_path / "checkpoints").mkdir()
    changed_weights(run[1], tmp_path / "checkpoints" / run[1].name, lambda t: t.fill_(math.nan))
    (diverged,) = models.register_run(tmp_path)
    monkeypatch.setattr(models, "every", lambda: [models.load(diverged), models.load("digits_edm")])
    try:
        assert [model["name"] for model in controls.shown()] == [diverged, "digits_edm"]
        drawn = [body["thumbnail"] for body, _ in bodies(Thumbnails(models=[diverged, "spiral_mlp"]))]
    finally:
        models.forget(diverged)
    assert drawn[0] is None and drawn[1]
    assert f"the model {diverged} has no picture: " in caplog.text and "finite" in caplog.text
