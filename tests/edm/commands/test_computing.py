"""How a network computes: the same options wherever a command samples."""

import copy
from contextlib import nullcontext

import pytest
import torch

from edm import models
from edm.__main__ import main
from edm.base import precisions
from edm.base.fields import SettingsError
from edm.sampling.computing import Cast, Computing, notes, prepared
from edm.sampling.denoisers import denoiser_of


@pytest.fixture
def network():
    return copy.deepcopy(models.load("two_moons_mlp").denoiser)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_in_half_precision_the_network_alone_is_rounded(network, precision):
    x, sigma = torch.randn(64, 2, generator=torch.Generator().manual_seed(0)), 0.5
    seen = []
    network.network.out.register_forward_hook(lambda *call: seen.append(call[2].dtype))
    plain = network(x, sigma)
    half = prepared(network, Computing(precision=precision), "cpu")(x, sigma)
    assert seen == [torch.float32, {"bf16": torch.bfloat16, "fp16": torch.float16}[precision]]
    assert half.dtype == torch.float32
    assert 0 < (half - plain).abs().max() < 0.05


def test_what_computes_in_half_precision_says_the_same_of_itself(network):
    cast = prepared(network, Computing(precision="bf16"), "cpu")
    for name in ("shape", "classes", "sigma_min", "sigma_max", "header"):
        assert getattr(denoiser_of(cast), name) == getattr(network, name)
    assert prepared(network, Computing(), "cpu") is network, "in full precision it is itself"


def test_a_model_without_a_network_is_computed_as_it_is_and_that_is_said(capsys, tmp_path):
    exact, how = models.load("two_moons").denoiser, Computing(precision="bf16", compile=True)
    assert not isinstance(prepared(exact, how, "cpu"), Cast)
    assert notes(exact, how, "cpu") == ["this model has no network; left aside: precision, compile"]
    out = f"--out={tmp_path / 'a.csv'}"
    assert main(["sample", "--model=two_moons", "--steps=1", "--count=3", "--precision=fp16", out]) == 0
    assert "left aside: precision.\n" in capsys.readouterr().err


def test_bf16_is_fp16_on_a_gpu_without_it_and_that_is_said(monkeypatch, network):
    old = torch.device("cuda", 0)
    monkeypatch.setattr(torch.cuda, "device", nullcontext)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Tesla V100")
    assert precisions.taken("bf16", old) == "fp16"
    assert notes(network, Computing(precision="bf16"), old) == ["Tesla V100 has no bf16: computes in fp16 instead"]
    assert precisions.note("fp16", old) == precisions.note("bf16", torch.device("cpu")) == ""


@pytest.mark.parametrize(
    ("document", "words"),
    [({"precision": "int8"}, "precision = 'int8'"), ({"batch": 0}, "batch = 0"), ({"compile": "maybe"}, "compile")],
)
def test_what_cannot_be_is_refused_by_name(document, words):
    with pytest.raises(SettingsError, match=words):
        Computing.parse(document)


@pytest.mark.parametrize("command", ["sample", "evaluate", "export"])
def test_every_command_that_samples_takes_the_same_options(command, capsys):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    told = capsys.readouterr().out
    assert all(f"--{name}" in told for name in ("device", *Computing.model_fields))


def test_an_evaluation_takes_batch_and_precision(capsys):
    asked = ["evaluate", "two_moons_mlp", "--count=20", "--reference=20", "--steps=1", "--device=cpu"]
    assert main([*asked, "--batch=7", "--precision=bf16"]) == 0
    assert main([*asked, "--precision=half"]) == 2
    assert "precision = 'half'" in capsys.readouterr().err


def test_how_to_evaluate_is_refused_where_nothing_is_evaluated(tmp_path, capsys):
    place = str(models.load("two_moons_mlp").path)
    assert main(["export", place, f"--out={tmp_path / 'a.safetensors'}", "--precision=bf16"]) == 2
    assert "--evaluate, which is not asked for" in capsys.readouterr().err
