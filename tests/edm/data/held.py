"""Runs on images in a folder, and how they go on, for tests."""

import numpy as np
import pytest
from PIL import Image

from edm import checkpoints
from edm.data import identity, sources
from edm.data.settings import Data
from edm.files import saved
from edm.training.loop import train
from edm.training.recording import record
from edm.training.settings import Training

CLASSES = ("cat", "dog")


def draw(folder, name, shade):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((8, 8, 3), shade, np.uint8)).save(folder / name)


def settings(path, **changes):
    document = {
        "data": {"dataset": "folder", "path": str(path), "holdout": 12, **changes.pop("data", {})},
        "architecture": {"channels": 8, "channel_mult": [1], "blocks": 1, "attention": []},
        "images": 32, "batch": 16, "tick": 32, "checkpoint": 32, "validation": 12, "samples": 2,
    }  # fmt: skip
    return Training.parse({**document, **changes})


def trained(given, run, **more):
    """The events of a run that is recorded."""
    return list(record(train(given, **more), run))


def resume(run, path, accept=False, images=64, **changes):
    return trained(settings(path, images=images, **changes), run, resume=saved.newest(run), accept_data=accept)


def refused(run, path, *words, **changes):
    before = saved.checkpoints(run)
    with pytest.raises(identity.OtherData) as error:
        resume(run, path, **changes)
    assert "--accept-data" in str(error.value)
    for word in words:
        assert word in str(error.value), str(error.value)
    assert saved.checkpoints(run) == before


def header(run):
    return checkpoints.read_header(saved.newest(run))


def held(run, path):
    """Names of the images that the newest checkpoint holds out."""
    source = sources.open_source(Data(dataset="folder", path=str(path)))
    return [source.names[k] for k in identity.still_held(source, header(run).data)]


def older(run):
    """The newest checkpoint as it was written before runs knew their data."""
    from safetensors import safe_open

    path = saved.newest(run)
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in list(file.keys())}
    checkpoints.save(path, checkpoints.read_header(path).changed(data=None), tensors)
    (run / "data.npz").unlink(missing_ok=True)
