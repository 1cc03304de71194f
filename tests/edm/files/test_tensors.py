"""Tensors as safetensors: written by ourselves, read by the library."""

import io
import json
from weakref import WeakSet

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import load_file as load_numpy
from safetensors.torch import load_file

from edm.base.atomic import atomic
from edm.files import tensors

TENSORS = {
    "a scalar": torch.tensor(2.5),
    "empty": torch.zeros(0, 3, dtype=torch.float64),
    "a view": torch.arange(12.0).reshape(3, 4).t(),
    "every other": torch.arange(10, dtype=torch.int32)[::2],
    "bytes": torch.arange(7, dtype=torch.uint8),
    "truth": torch.tensor([True, False, True]),
    "brain": torch.randn(5, generator=torch.Generator().manual_seed(0)).bfloat16(),
    "halves": torch.tensor([[1.5, float("inf")]]).half(),
    "a parameter/é": torch.nn.Parameter(torch.ones(2, 2)),
    **{str(d): torch.ones(3, dtype=d) for d in tensors.NAMES},
}


def test_tensors_are_read_back_by_the_library(tmp_path):
    path, metadata = tmp_path / "x.safetensors", {"edm": json.dumps({"é": "\ud83d"}), "other": ""}
    with atomic(path) as file:
        tensors.write(file, TENSORS, metadata)
    read = load_file(path)
    assert read.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert read[name].dtype == tensor.dtype
        assert torch.equal(read[name], tensor), name
    with safe_open(path, framework="pt") as file:
        assert file.metadata() == metadata
        assert file.get_slice("a view").get_shape() == [4, 3]
    with atomic(path) as file:
        tensors.write(file, {n: t for n, t in TENSORS.items() if t.dtype != torch.bfloat16}, metadata)
    assert np.array_equal(load_numpy(path)["a view"], TENSORS["a view"].numpy())
    with pytest.raises(TypeError, match="complex64"):
        tensors.write(io.BytesIO(), {"x": torch.zeros(1, dtype=torch.complex64)}, {})


def test_a_state_is_written_tensor_by_tensor(monkeypatch):
    """Without a second copy of all of it, which would be the largest thing in memory."""
    state = {str(k): torch.zeros(64, 32).t() for k in range(16)}  # each has to be put in order first
    alive, most, contiguous = WeakSet(), [], torch.Tensor.contiguous

    def copied(tensor):
        alive.add(made := contiguous(tensor))
        most.append(len(alive))
        return made

    monkeypatch.setattr(torch.Tensor, "contiguous", copied)
    tensors.write(io.BytesIO(), state, {})
    assert len(most) == 16
    assert max(most) <= 2
