"""Published checkpoints become models of ours, and what is unknown here is refused."""

import resource

import pytest
import torch

import edm
from edm import checkpoints
from edm.__main__ import main
from edm.files.convert import convert, convert_file
from edm.timesteps import iddpm_u
from tests.official import GOLDEN, SMALL, checkpoint, inputs, refuse, small, tensors, written

LEVELS = torch.tensor(iddpm_u()).float()
MODELS = [  # wrapper, kind of network, our preconditioning
    ("EDMPrecond", "ddpmpp", "edm"),
    ("VPPrecond", "ddpmpp", "vp"),
    ("VEPrecond", "ncsnpp", "ve"),
    ("EDMPrecond", "adm", "edm"),
    ("iDDPMPrecond", "adm", "iddpm"),
]
WEIGHT = "map_layer0.bias"  # one of the tensors


def official(wrapper, kind, network=SMALL, **changes):
    """A checkpoint's content; iDDPM's have levels, and a network of twice the channels."""
    if wrapper == "iDDPMPrecond":
        network = {**network, "out_channels": 6}
        changes = {"buffers": {"u": LEVELS}, **changes}
    return checkpoint(wrapper, kind, network=network, **changes)


@pytest.mark.parametrize(("wrapper", "kind", "preconditioning"), MODELS)
def test_a_converted_network_gives_the_golden_outputs(tmp_path, wrapper, kind, preconditioning):
    header = convert_file(
        written(tmp_path, lambda: official(wrapper, kind, network={})), tmp_path / "model.safetensors"
    )
    denoiser = edm.load(tmp_path / "model.safetensors")
    assert denoiser.header == header
    assert (header.kind, header.title, header.shape, header.training) == ("model", "official", (3, 16, 16), None)
    assert (header.network.name, header.preconditioning.name) == (kind, preconditioning)
    assert (header.sigma_data, header.half_lives, header.class_names) == (0.5, (), ())
    assert header.classes == GOLDEN[kind]["config"]["label_dim"]
    x, c_noise, labels, augment = inputs(kind)
    with torch.no_grad():
        given = {"output": augment, "output_without_augment": None}
        for (name, condition), step in zip(given.items(), (7, 37), strict=True):
            output = denoiser.network(x, c_noise, labels, condition)[:, :3].reshape(-1)[::step]
            torch.testing.assert_close(output, torch.tensor(GOLDEN[kind][name]), rtol=0, atol=1e-4)
        sigma, p = torch.tensor([0.7]), denoiser.preconditioning
        inner = denoiser.network((p.c_in(sigma) * x).float(), p.c_noise(sigma).float(), labels)[:, :3]
        if preconditioning != "iddpm":
            expected = (p.c_skip(sigma) * x + p.c_out(sigma) * inner).float()
            torch.testing.assert_close(denoiser(x, sigma, labels), expected, rtol=0, atol=1e-5)
        assert denoiser(x, 0.7, labels).shape == x.shape


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_pickles_of_every_age_are_read(tmp_path, protocol):
    header, found = convert(written(tmp_path, small, protocol=protocol))
    assert header.network.channels == 8
    assert torch.equal(found["ema0/embedding.layer0.bias"], tensors("ddpmpp", **SMALL)[WEIGHT])


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
def test_tensors_become_float32(tmp_path, dtype):
    values = {name: value.to(dtype) for name, value in tensors("ddpmpp", **SMALL).items()}
    _, found = convert(written(tmp_path, lambda: small(**values)))
    assert {value.dtype for value in found.values()} == {torch.float32}
    assert torch.equal(found["ema0/embedding.layer0.bias"], values[WEIGHT].float())


def test_views_of_a_shared_storage_are_taken_apart(tmp_path):
    both = torch.arange(64.0)
    _, found = convert(written(tmp_path, lambda: small(**{WEIGHT: both[1:33], "map_layer1.bias": both[::2]})))
    assert torch.equal(found["ema0/embedding.layer0.bias"], both[1:33])
    assert torch.equal(found["ema0/embedding.layer1.bias"], both[::2])


def test_the_parameters_that_are_known_here_are_kept(tmp_path):
    header, _ = convert(
        written(
            tmp_path,
            lambda: official("EDMPrecond", "adm", {**SMALL, "label_dropout": 0.25}, sigma_data=0.25, sigma_min=0),
        )
    )
    assert (header.sigma_data, header.preconditioning.sigma_data, header.label_dropout) == (0.25, 0.25, 0.25)


@pytest.mark.parametrize(
    ("wrapper", "kind", "changes", "words"),
    [
        ("VPPrecond", "ddpmpp", {"beta_d": 20.0}, "VPPrecond has beta_d = 20.0; there is only 19.9 here"),
        ("VPPrecond", "ddpmpp", {"M": 500}, "M = 500"),
        ("VEPrecond", "ncsnpp", {"sigma_max": 50}, "sigma_max = 50; there is only 100.0"),
        ("iDDPMPrecond", "adm", {"C_2": 0.01}, "C_2 = 0.01"),
        ("EDMPrecond", "adm", {"sigma_min": 0.1}, "sigma_min = 0.1"),
        ("EDMPrecond", "adm", {"sigma_data": 0.0}, "sigma_data = 0.0: must be"),
        ("EDMPrecond", "adm", {"sigma_data": [0.5]}, "sigma_data"),
        ("EDMPrecond", "adm", {"label_dim": 7}, "label_dim is 7 outside of the network and 4 inside"),
        ("EDMPrecond", "adm", {"network": {**SMALL, "out_channels": 6}}, "maps 3 channels to 6"),
        ("EDMPrecond", "adm", {"network": {**SMALL, "num_heads": 2}}, "unknown here: num_heads"),
        ("EDMPrecond", "adm", {"options": [[1]]}, "argument options"),
        ("EDMPrecond", "adm", {"options": "long" * 1000}, "argument options"),
        ("EDMPrecond", "ddpmpp", {"network": {**SMALL, "encoder_type": "skip"}}, "neither DDPM++ nor NCSN++"),
        ("iDDPMPrecond", "adm", {"buffers": {"u": 1.01 * LEVELS}}, "noise levels u"),
        ("iDDPMPrecond", "adm", {"buffers": {"u": LEVELS[1:]}}, "noise levels u"),
        ("iDDPMPrecond", "adm", {"buffers": {}}, "noise levels u"),
        ("VPPrecond", "adm", {"buffers": {"u": LEVELS}}, "no place for the tensor 'u'"),
        ("CTPrecond", "adm", {}, "wrapped in 'CTPrecond'; known are VPPrecond, VEPrecond"),
    ],
)
def test_models_that_are_unknown_here_are_refused(tmp_path, wrapper, kind, changes, words):
    values = tensors(kind, **SMALL)
    changes = {"network": SMALL, "values": values, **changes}
    if wrapper == "iDDPMPrecond":
        changes["network"] = {**SMALL, "out_channels": 6}
        changes = {"buffers": {"u": LEVELS}, **changes, "values": None}
    refuse(written(tmp_path, lambda: checkpoint(wrapper, kind, **changes)), words)


def test_attributes_count_where_they_differ_from_arguments(tmp_path):
    def altered():
        content = official("VPPrecond", "ddpmpp", beta_d=19.9)
        content["ema"].meta["state"]["beta_d"] = 10
        return content

    refuse(written(tmp_path, altered), "beta_d = 10")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        (WEIGHT, None, "no values for embedding.layer0.bias"),
        (WEIGHT, torch.zeros(31), "has shape [31]; this network needs [32]"),
        (WEIGHT, torch.zeros(32, dtype=torch.int32), "real numbers"),
        (WEIGHT, "a word", "not a tensor"),
        ("map_layer9.bias", torch.zeros(32), "no place for the tensor 'map_layer9.bias'"),
        ("enc.8x8_down.conv0.resample_filter", torch.eye(2)[None, None], "is not the filter"),
    ],
)
def test_every_tensor_must_have_its_place(tmp_path, name, value, words):
    refuse(written(tmp_path, lambda: small(**{name: value})), words)


def test_a_network_larger_than_its_file_is_refused_without_memory(tmp_path):
    giant = {"model_channels": 1024, "channel_mult": [32] * 5, "num_blocks": 1}
    values = tensors("ddpmpp", **SMALL)
    path = written(tmp_path, lambda: checkpoint("EDMPrecond", "ddpmpp", values, network=giant, img_resolution=16))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refuse(path, "shape")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB


def test_the_command_writes_beside_the_checkpoint_and_overwrites_only_if_told(tmp_path, capsys):
    path, out = written(tmp_path, lambda: official("EDMPrecond", "adm")), tmp_path / "official.safetensors"
    assert main(["convert", str(path)]) == 0
    assert f"adm with preconditioning edm, 3×16×16, 4 classes -> {out}" in capsys.readouterr().out
    assert edm.load(out)(torch.zeros(1, 3, 16, 16), 1.0).shape == (1, 3, 16, 16)
    mistakes = {
        (): f"{out} is there already; name another --out, or overwrite it with --force",
        ("--out=model.pt",): "must end in .safetensors",
        ("--out=/nowhere/model.safetensors",): "no folder /nowhere",
    }
    for options, words in mistakes.items():
        assert main(["convert", str(path), *options]) == 2
        assert words in capsys.readouterr().err
    path.write_bytes(b"damaged")  # which is said first
    for options in ((), ("--force",)):
        assert main(["convert", str(path), *options]) == 2
        assert f"{path} cannot be converted: it is not a pickle" in capsys.readouterr().err
    assert checkpoints.read_header(out).title == "official"
    for place, words in {
        "/nowhere/a.pkl": "no folder",
        "https://host/a.pkl": "download the file",
        "a.pkl": "no file",
    }.items():
        assert main(["convert", place]) == 2
        assert words in capsys.readouterr().err


def test_a_file_of_a_size_that_none_has_is_not_read(tmp_path):
    path = tmp_path / "official.pkl"
    with open(path, "wb") as file:
        file.write(b"\x80\x04")
        file.truncate(9 << 30)  # takes no space
    refuse(path, "it has 9.7 GB")
