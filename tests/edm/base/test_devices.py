"""Devices by name: what is there, what several processes may have, and what is refused with a way out."""

import os
import sys

import pytest
import torch

from edm.__main__ import main
from edm.base import devices
from edm.base.errors import Refused
from tests.edm.base.nvml import Nvml, h100


@pytest.fixture
def gpus(monkeypatch):
    """Puts so many GPUs of these free memories (GiB) into this machine."""

    def put(*free):
        for name in ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: len(free))
        monkeypatch.setattr(torch.cuda, "is_available", lambda: bool(free))
        monkeypatch.setitem(sys.modules, "pynvml", Nvml(*(h100(k, free=size) for k, size in enumerate(free))))

    return put


def test_of_several_gpus_auto_is_the_one_with_the_most_free_memory(gpus, monkeypatch):
    gpus()
    assert devices.device("auto") == torch.device("cpu")
    gpus(7)
    assert devices.device("auto") == torch.device("cuda")
    gpus(7, 61, 12)
    assert devices.device() == torch.device("cuda", 1)
    assert devices.device("cuda:2") == torch.device("cuda", 2)
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert devices.device("auto") == torch.device("cuda"), "where nobody tells which is free it is the first"


def test_where_cards_of_several_kinds_may_be_counted_otherwise_auto_does_not_guess(gpus, monkeypatch):
    gpus(7, 61)
    mixed = Nvml(h100(0, free=7), {**h100(1, free=61), "name": "NVIDIA L4"})
    monkeypatch.setitem(sys.modules, "pynvml", mixed)
    assert devices.device("auto") == torch.device("cuda")
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    assert devices.device("auto") == torch.device("cuda", 1)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nonsense", "is unknown; use auto, cpu, cuda"),
        ("", "is unknown"),
        ("cuda:2", "has 2 CUDA GPUs"),
        ("cuda*2", "torchrun --nproc_per_node 2 -m edm …, with --device cuda"),
        ("cpu*3", "torchrun --nproc_per_node 3 -m edm …, with --device cpu"),
        ("mps", "the GPU of a Mac; use cpu"),
        ("meta", "cannot be used"),
    ],
)
def test_names_are_refused_alone_and_under_torchrun_alike(gpus, name, words):
    gpus(9, 9)
    for call in (lambda: devices.device(name), lambda: devices.local(name, 0, 2), lambda: devices.local(name, 1, 2)):
        with pytest.raises(Refused, match=words.replace("*", r"\*")):
            call()


def test_under_torchrun_each_process_takes_the_gpu_of_its_rank(gpus):
    gpus(3, 61)
    for name in ("auto", "cuda"):
        assert [devices.local(name, rank, 2) for rank in range(2)] == [torch.device("cuda", k) for k in range(2)]
        with pytest.raises(
            Refused, match="started 3 processes on this machine, which has 2 CUDA GPUs: use --nproc_per"
        ):
            devices.local(name, 0, 3)
    assert devices.local("cpu", 1, 8) == torch.device("cpu")
    for name in ("cuda:0", "cuda:1"):
        with pytest.raises(Refused, match=f"device '{name}' is one GPU, but torchrun .* use cuda, auto or cpu"):
            devices.local(name, 0, 2)
    with pytest.raises(Refused, match="device 'cpu:1' is one device, but torchrun"):
        devices.local("cpu:1", 0, 2)
    gpus()
    assert devices.local("auto", 1, 2) == torch.device("cpu")
    with pytest.raises(Refused, match="has 0 CUDA GPUs"):
        devices.local("cuda", 0, 2)


def test_the_gpu_of_a_mac_is_known_by_its_name_and_serves_one_process(gpus, monkeypatch):
    gpus()
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert devices.device("mps") == torch.device("mps")
    assert devices.device("auto") == torch.device("cpu")
    known = ["cpu", "mps"]
    assert [devices.named(name, known)[0] for name in ("mps", "mps:0", "cpu", "auto")] == ["mps", "mps", "cpu", "auto"]
    assert (devices.option("mps"), devices.count("mps"), devices.places("mps", 0)) == ("mps", 1, (["mps"], 1))
    with pytest.raises(Refused, match="is one GPU"):
        devices.local("mps", 0, 2)
    for name in ("mps:1", "mps*2"):
        with pytest.raises(Refused, match="mps"):
            devices.named(name, known)


def test_a_run_is_asked_for_by_the_full_name_of_its_device(gpus):
    gpus(9, 9)
    known = ["cpu", "cuda:0", "cuda:1"]
    asked = {
        "cuda": "cuda:0",
        "cuda:1": "cuda:1",
        "cuda*1": "cuda:0",
        "cuda*2": "cuda*2",
        "auto": "auto",
        "cpu:0": "cpu",
    }
    assert {name: devices.named(name, known)[0] for name in asked} == asked
    assert devices.places("auto", 2) == (["cuda:0", "cuda:1"], 1)
    assert devices.places("cuda*2", 2) == (["cuda:0", "cuda:1"], 2)
    assert devices.places("auto", 0) == devices.places("cpu", 2) == devices.places("cpu*2", 2) == (["cpu"], 1)


def test_programs_count_gpus_as_their_driver_does_unless_somebody_wants_it_otherwise(monkeypatch):
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "FASTEST_FIRST")
    assert main(["models"]) == 0 and os.environ["CUDA_DEVICE_ORDER"] == "FASTEST_FIRST"
    monkeypatch.delenv("CUDA_DEVICE_ORDER")
    assert main(["models"]) == 0 and os.environ["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
