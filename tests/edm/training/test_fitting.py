"""Settings that cannot be with these data are refused, and those that change nothing there are said."""

import numpy as np
import pytest
import torch
from PIL import Image

import edm
from edm import noises, presets, runs
from edm.__main__ import main
from edm.base.fields import SettingsError
from edm.data import sources
from edm.data.settings import Data
from edm.networks import levels
from edm.training import fitting
from edm.training.loop import train
from edm.training.recording import record
from tests.edm.runs import points, tiny

ODD = {"attention": [5], "channel_mult": [1, 1]}


def shape_of(**data):
    return sources.shape_of(Data(**data))


def test_attention_at_a_resolution_that_no_level_has_is_refused_with_those_that_are_there(tmp_path, capsys):
    words = r"attention = \[5\]: no level of this network has 5×5 pixels; its levels have 8, 4: name some of them"
    with pytest.raises(SettingsError, match=words) as error:
        next(train(tiny(architecture=ODD)))
    assert error.value.fields == ("attention",)
    with pytest.raises(SettingsError, match=words):
        runs.start(tiny(architecture=ODD), tmp_path / "runs", "cpu")
    assert not (tmp_path / "runs").exists()
    command = ["--dataset=digits", "--attention=5", "--channel_mult=1,1"]
    for more in (["train", "--dry-run"], ["train", f"--out={tmp_path / 'x'}"], ["runs", "start", f"--runs={tmp_path}"]):
        assert main([*more, *command]) == 2
        assert "its levels have 8, 4" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_default_is_a_wish_until_somebody_gives_it(capsys):
    events = train(tiny(architecture={"attention": [8, 16], "channel_mult": [1, 1]}))
    assert next(events).state.header.network.attention == (8, 16)
    events.close()
    assert main(["train", "--dataset=digits", "--dry-run"]) == 0
    assert main(["train", "--dataset=digits", "--dry-run", "--attention=8,16"]) == 2
    assert "16×16" in capsys.readouterr().err
    assert main(["train", "--dataset=digits", "--dry-run", "--attention=none"]) == 0


@pytest.mark.parametrize("name", presets.names("training"))
def test_every_recipe_fits_its_own_data(name):
    document = presets.read(name)["training"]
    if document["data"]["dataset"] == "folder":
        document["data"]["path"] = "somewhere"
    settings = edm.Training.parse(document)
    shape, net = sources.shape_of(settings.data), settings.architecture
    fitting.check(settings, shape, given=document["architecture"])
    wanted = net.attention if "attention" in document["architecture"] else ()
    assert shape is None or set(wanted) <= set(levels(shape[-1], net.channel_mult))


def test_the_shape_of_data_is_known_without_opening_them_where_that_can_be(tmp_path):
    assert shape_of(dataset="folder", path="nowhere", resolution=24, greyscale=True) == (1, 24, 24)
    assert shape_of(dataset="folder", path="nowhere") is None
    assert shape_of(dataset="cifar10") == (3, 32, 32) and shape_of(dataset="mnist") == (1, 32, 32)
    assert shape_of(dataset="points", path="nowhere.csv") is None
    assert shape_of(dataset="spiral") == (2,) and shape_of(dataset="digits") == (1, 8, 8)
    noise = np.random.default_rng(0).integers(0, 256, (2, 24, 24, 3), dtype=np.uint8)
    for name, pixels in zip("ab", noise, strict=True):
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    data = {"dataset": "folder", "path": str(tmp_path), "holdout": 0}
    with pytest.raises(SettingsError, match=r"attention = \[16\].*levels have 24, 12"):
        next(train(tiny(data=data, architecture={"attention": [16]})))


def test_levels_halve_until_they_cannot():
    assert levels(32, (1, 2, 2)) == (32, 16, 8)
    assert levels(8, (1, 1, 1, 1, 1)) == () and levels(12, (1, 1, 1, 1)) == ()


def test_a_run_that_began_with_such_a_list_goes_on_and_is_sampled(tmp_path, monkeypatch):
    with monkeypatch.context() as before:
        before.setattr(fitting, "check", lambda *_: None)
        for _ in record(train(tiny(architecture=ODD, images=16, tick=16)), tmp_path):
            pass
    (path,) = (tmp_path / "checkpoints").iterdir()
    assert edm.load(path).header.network.attention == (5,)
    *_, last = train(tiny(architecture=ODD, images=32, tick=16), resume=path)
    assert last.images == 32


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        (points(), {"channel_mult", "attention", "label_dropout"}),
        (points(design={"noise": "vp", "weight": "simple", "preconditioning": "ve"}),
         {"channel_mult", "attention", "label_dropout", "P_mean", "P_std", "sigma_data"}),
        (tiny(), set()),
        (tiny(design={"noise": "ve"}), {"P_mean", "P_std"}),
        (tiny(data={"conditional": False}), {"label_dropout"}),
    ],
)  # fmt: skip
def test_what_changes_nothing_is_known(settings, names):
    source = sources.open_source(settings.data)
    assert set(fitting.idle(settings, source.shape, source.classes)) == names


def test_what_somebody_has_given_and_changes_nothing_is_said(tmp_path, capsys):
    small = ["--images=64", "--batch=64", "--tick=64", "--checkpoint=64", "--samples=4", "--validation=4"]
    command = ["train", "--preset=designs/vp", "--dataset=spiral", *small, f"--out={tmp_path / 'run'}"]
    assert main([*command, "--P_mean=-2", "--attention=5"]) == 0
    said = capsys.readouterr().err
    assert "P_mean has no effect: the noise distribution 'vp' has none" in said
    assert "attention has no effect: a network for points has no levels" in said
    assert "P_std" not in said and "label_dropout" not in said


def test_a_noise_distribution_says_which_knobs_it_has(monkeypatch):
    for name, noise in noises.NOISES.items():
        wide, narrow = (tiny(design={"noise": name, "P_std": std}).design for std in (2.0, 0.5))
        u = torch.linspace(0.1, 0.9, 5, dtype=torch.float64)
        assert (noise.sigma(u, wide) != noise.sigma(u, narrow)).any() == ("P_std" in noise.knobs)
    monkeypatch.setitem(noises.NOISES, "new", noises.NoiseDistribution("new", "New", noises.NOISES["edm"].sigma))
    assert not fitting.idle(tiny(design={"noise": "new"}), (1, 8, 8), 10)
