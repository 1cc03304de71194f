"""guided-diffusion's files become models of ours: what they compute stays what it was, and what does not fit is told."""

import json

import pytest
import torch

import edm
from edm import respacing
from edm.files.convert import convert, convert_file
from tests.adm import NETWORKS, TIMES, flags, tensors, waves

UNETS = [name for name, golden in NETWORKS.items() if golden["kind"] != "EncoderUNetModel"]


def written(folder, name, content=None, **options):
    """A file of torch.save."""
    path = folder / f"{name}.pt"
    torch.save(tensors(name) if content is None else content, path, **options)
    return path


def loaded(folder, name, **changes):
    """A golden network from its file."""
    out = folder / f"{name}.safetensors"
    convert_file(written(folder, name), out, flags(name, **changes))
    return edm.load(out)


def inputs(name):
    """(x of the networks, the levels, labels) of the golden outputs."""
    config = NETWORKS[name]["config"]
    classes = config.get("num_classes")
    labels = None if not classes else [(2 * b + 1) % classes for b in range(2)]
    return waves(0.37, 2, 3, config["image_size"], config["image_size"]), respacing.table(False)[[*TIMES]], labels


@pytest.mark.parametrize("name", UNETS)
def test_a_converted_network_is_the_original_s_denoiser(tmp_path, name):
    denoiser = loaded(tmp_path, name)
    x, sigmas, labels = inputs(name)
    golden = torch.zeros(NETWORKS[name]["output_shape"]).reshape(-1)
    golden[::7] = torch.tensor(NETWORKS[name]["output"])
    known = torch.zeros_like(golden).index_fill(0, torch.arange(0, len(golden), 7), 1).bool()
    golden, known = (value.view(NETWORKS[name]["output_shape"]) for value in (golden, known))
    levels = torch.tensor(sigmas)
    unscaled = x * (1 + levels**2).sqrt().float().view(-1, 1, 1, 1)
    if denoiser.header.low is not None:
        side = denoiser.header.low.resolution
        denoiser = denoiser.given(waves(0.53, 2, 3, side, side), 0.0)
    found = denoiser(unscaled, levels, labels)
    told = (unscaled - found) / levels.float().view(-1, 1, 1, 1)
    torch.testing.assert_close(told[known[:, :3]], golden[:, :3][known[:, :3]], rtol=1e-4, atol=2e-4)
