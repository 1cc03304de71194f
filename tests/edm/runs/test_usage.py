"""What a run takes of its machine is told of the GPUs that it has, and of no others."""

import json
import sys
from types import SimpleNamespace

import pytest
import torch

from edm import runs
from edm.runs import usage, worker
from edm.training import counting
from edm.training.loop import train
from edm.training.recording import record
from tests.edm.base.nvml import GIB, Nvml, h100
from tests.edm.runs import points


@pytest.fixture
def gpus(monkeypatch):
    """Three GPUs, of which PyTorch, once it is in use, has taken 5, 6 and 7 GiB."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    made = Nvml(h100(0, free=10, busy=90), h100(1, free=60, busy=50), h100(2, free=75, busy=0))
    monkeypatch.setitem(sys.modules, "pynvml", made)
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda k=0: (5 + k) * GIB)
    monkeypatch.setattr(counting, "counted", lambda header, precision: SimpleNamespace(operations=1e6))
    order = [0, 1, 2]
    known = [SimpleNamespace(uuid=made.cards[k]["uuid"].removeprefix("GPU-")) for k in range(3)]
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda k: known[order[k]])
    return SimpleNamespace(made=made, order=order)


def test_memory_is_that_of_the_runs_own_gpu(gpus, monkeypatch):
    assert [usage.memory(name) // GIB for name in ("cuda:1", "cuda:2", "cuda", "cuda*2")] == [6, 7, 5, 5]
    assert 0 < usage.memory("cpu") < 2**40, "main memory, though another GPU is in use"
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: False)
    assert usage.memory("cuda:1") is None


def test_how_busy_its_gpus_are_is_told_now_and_since_it_was_asked_last(gpus):
    one, two, none = usage.Usage("cuda:1"), usage.Usage("cuda*2"), usage.Usage("cpu")
    now = one.look()
    assert (now["gpu_memory"], now["gpu_utilization"]) == (20 * GIB, 0.5)
    assert [(card["index"], card["name"], card["free"]) for card in now["cards"]] == [(1, h100(1)["name"], 60 * GIB)]
    gpus.made.cards[1] |= {"busy": 100, "free": 30 * GIB}
    one.look()
    gpus.made.cards[1] |= {"busy": 0, "free": 70 * GIB}
    assert one.since() == {"gpu_memory": 50 * GIB, "gpu_utilization": 0.5}
    assert one.since() == {"gpu_memory": 10 * GIB, "gpu_utilization": 0.0}, "from then on it is counted anew"
    assert two.since() == {"gpu_memory": 70 * GIB, "gpu_utilization": 0.45}
    assert (none.look(), none.since()) == ({}, {})


def test_a_gpu_is_known_by_its_name_where_it_is_counted_otherwise(gpus):
    gpus.order[:] = [2, 0, 1]
    assert usage.Usage("cuda:0").look()["gpu_memory"] == 5 * GIB
    del gpus.made.cards[2]["busy"]
    assert usage.Usage("cuda:0").since() == {"gpu_memory": 5 * GIB, "gpu_utilization": None}


def test_a_run_writes_it_into_its_status_and_its_metrics(gpus, tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "BEAT", 0.01)
    path, settings = tmp_path / "runs" / "a", points()
    with worker.Worker(path, None, settings, device="cuda:1") as working:
        events = working.watch(train(settings))
        for _ in record(events, path, measured=working.measured):
            told = runs.read(path)
    assert told.most == 495e12 / 1e6, "by the peak of an H100 in TF32"
    assert (told.memory, told.gpu_memory, told.gpu_utilization) == (6 * GIB, 20 * GIB, 0.5)
    assert [card["index"] for card in told.cards] == [1]
    lines = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
    assert [(line["gpu_memory"], line["gpu_utilization"]) for line in lines] == 2 * [(20 * GIB, 0.5)]
    table = runs.history("a", path.parent)
    assert table["gpu_memory"].tolist() == 2 * [20.0 * GIB] and table["gpu_utilization"].tolist() == [0.5, 0.5]
    assert runs.read(path).cards == (), "which somebody else may have by now"


def test_what_gpus_could_do_at_most_is_the_sum_of_their_peaks(gpus):
    header = next(train(points())).state.header
    kinds = {"cuda*2": points(), "cuda:1": points(), "cuda:0": points(precision="bf16"), "cuda:2": points(tf32=False)}
    found = [usage.most(header, settings, device) for device, settings in kinds.items()]
    assert found == [990e6, 495e6, 989e6, 67e6]
    assert usage.most(header, points(), "cpu") is None
    gpus.made.cards[1]["name"] = "A card of tomorrow"
    assert usage.most(header, points(), "cuda*2") is None
