"""What the golden files know of guided-diffusion: its noise levels, its networks, and files as it publishes them."""

import json
import math
import zlib
from pathlib import Path

import numpy as np
import torch

_GOLDEN = Path(__file__).parent / "golden"
DIFFUSION = json.loads((_GOLDEN / "guidance_more.json").read_text())["adm_diffusion"]
NETWORKS = {name: value for name, value in json.loads((_GOLDEN / "adm.json").read_text()).items() if name[0] != "_"}
TIMES = (3, 977)


def tensor(name, shape) -> torch.Tensor:
    """The values that the rule of the golden files gives."""
    values = np.sin(0.7 * np.arange(math.prod(shape)) + zlib.crc32(name.encode()) % 1000)
    if len(shape) > 1:
        values *= math.sqrt(2 / math.prod(shape[1:]))
    else:
        values = 1 + 0.1 * values if name.endswith(".weight") else 0.1 * values
    return torch.from_numpy(values.reshape(shape)).float()


def tensors(name) -> dict[str, torch.Tensor]:
    """All of a golden network, by their published names."""
    return {key: tensor(key, shape) for key, shape in NETWORKS[name]["parameters"].items()}


def flags(name, **changes) -> dict:
    """What --architecture holds of it."""
    return {**NETWORKS[name]["config"], "noise_schedule": "linear", **changes}


def waves(step, *shape) -> torch.Tensor:
    """sin(step·i) of the golden inputs."""
    return torch.from_numpy(np.sin(step * np.arange(math.prod(shape))).reshape(shape)).float()
