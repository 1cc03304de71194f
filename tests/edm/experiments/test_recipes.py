"""The paper's own configurations: they build, and they take a step."""

import numpy as np
import pytest
import torch
from PIL import Image

import edm
from edm import presets
from edm.training.loop import Step, train

PAPER = {
    "cifar10_conditional_vp": 55_735_299,
    "cifar10_unconditional_vp": 55_733_891,
    "cifar10_conditional_ve": 56_400_643,
    "cifar10_unconditional_ve": None,
    "ffhq64": 61_805_571,
    "afhqv2_64": 61_805_571,
    "imagenet64": 295_899_267,
}


def settings(name, folder, **changes):
    """The recipe at a batch of 2, on images that take the place of its own."""
    document = presets.read(f"training/{name}")["training"]
    document["data"] = {**document["data"], "dataset": "folder", "path": str(folder)}
    document |= {
        "images": 2,
        "batch": 2,
        "micro_batch": None,
        "ema": [1],
        "tick": 10**9,
        "checkpoint": 10**9,
        "samples": 1,
        "validation": 1,
    }
    for group, values in changes.items():
        document[group] = {**document[group], **values}
    return edm.Training.parse(document)


def images(folder, size, classes):
    for k in range(classes):
        place = folder / f"{k:04}"
        place.mkdir(parents=True)
        noise = np.random.default_rng(k).integers(0, 256, (size, size, 3), dtype=np.uint8)
        Image.fromarray(noise).save(place / "a.png")
    return folder


def resolution(name):
    return 32 if name.startswith("cifar10") else 64


def classes(name):
    return {"cifar10": 10, "imagene": 1000}.get(name[:7], 2)


@pytest.mark.parametrize("name", PAPER)
def test_a_recipe_of_the_paper_has_the_paper_s_network(name, tmp_path):
    from edm import networks
    from edm.data import sources
    from edm.training.state import header_of

    wanted = settings(name, images(tmp_path / "set", resolution(name), classes(name)))
    header = header_of(wanted, sources.open_source(wanted.data), 0.5)
    with torch.device("meta"):
        count = networks.parameters(networks.build(**header.network.document(complete=True)))
    assert PAPER[name] in (None, count)
    assert header.preconditioning.name == "edm"
    assert header.preconditioning.sigma_data == 0.5


@pytest.mark.parametrize("name", PAPER)
def test_a_recipe_takes_a_step_when_it_is_made_narrow(name, tmp_path):
    wanted = settings(name, images(tmp_path / "set", resolution(name), 3), architecture={"channels": 16, "blocks": 1})
    step = next(event for event in train(wanted) if isinstance(event, Step))
    assert 0.2 < step.loss < 3


@pytest.mark.slow
@pytest.mark.parametrize("name", PAPER)
def test_a_recipe_takes_a_step_in_its_full_size(name, tmp_path):
    wanted = settings(name, images(tmp_path / "set", resolution(name), classes(name)))
    events = train(wanted.changed(precision="fp32"))
    step = next(event for event in events if isinstance(event, Step))
    events.close()
    assert 0.2 < step.loss < 3
