"""Several processes, started by PyTorch's torchrun, train the model that one process trains."""

import json
import os
import subprocess
import sys
from inspect import Parameter, Signature
from pathlib import Path

import pytest
import torch

from edm.__main__ import SAID, failed
from edm.base.errors import Refused
from edm.training import parallel
from edm.training.loop import Step, train
from edm.training.recording import checkpoints
from tests.edm.runs import tiny

ROOT = Path(__file__).resolve().parents[3]


def torchrun(processes, *arguments):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes}"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [*command, "-m", "edm", *arguments], capture_output=True, text=True, cwd=ROOT, env=environment, timeout=240
    )


def test_two_processes_give_the_losses_of_one(tmp_path):
    settings = tiny(architecture={"dropout": 0.0}, tick=16, checkpoint=96)
    config = tmp_path / "config.json"
    config.write_text(json.dumps(settings.document()))
    done = torchrun(2, "train", "--config", str(config), "--device", "cpu", "--out", str(tmp_path / "run"))
    assert done.returncode == 0, done.stderr
    assert "FutureWarning" not in done.stderr
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    alone = [event.loss for event in train(settings) if isinstance(event, Step)]
    assert [line["images"] for line in lines] == [16, 32, 48, 64, 80, 96]
    assert [line["loss"] for line in lines] == pytest.approx(alone, rel=1e-4)
    assert len(checkpoints(tmp_path / "run")) == 1


def test_what_all_processes_would_say_is_said_by_the_first_of_them(monkeypatch, capsys):
    waited, uneven = [], Refused("batch = 15 cannot be shared evenly by 2 processes; make it a multiple")
    monkeypatch.setattr("time.sleep", waited.append)
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    for rank, waits in ((None, []), ("0", []), ("1", [SAID])):
        if rank is not None:
            monkeypatch.setenv("LOCAL_RANK", rank)
        assert failed("python -m edm train", uneven) == 2
        assert waited == waits, "torchrun ends the others as soon as the first one has said it"
    assert capsys.readouterr().err.count("cannot be shared evenly") == 3, "if it has not, they do"
    waited.clear()
    failed("python -m edm train", RuntimeError("CUDA out of memory."))
    assert waited == [], "what befalls one of them is told at once"


@pytest.mark.parametrize("name", ["nonsense", "cuda:0", "cuda", "cuda*2"])
def test_under_torchrun_a_device_is_refused_by_every_process_before_they_meet(monkeypatch, name):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    monkeypatch.setattr("torch.distributed.init_process_group", lambda *_, **__: pytest.fail("they met"))
    for rank in "01":
        for variable, value in {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}.items():
            monkeypatch.setenv(variable, value)
        with pytest.raises(Refused, match="device"), parallel.world(name):
            pytest.fail("it trained on something else")


@pytest.mark.parametrize(("name", "found"), [("auto", "cuda:1"), ("cuda", "cuda:1"), ("cpu", "cpu")])
def test_under_torchrun_a_device_means_what_it_says(monkeypatch, name, found):
    told = []
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.set_device", told.append)
    monkeypatch.setattr("torch.distributed.init_process_group", told.append)
    monkeypatch.setattr("torch.distributed.destroy_process_group", lambda: None)
    monkeypatch.setattr("torch.distributed.get_rank", lambda: 3)
    monkeypatch.setattr("threading.Thread.start", lambda thread: None)  # which would wait for the end of torchrun
    for variable, value in {"RANK": "3", "LOCAL_RANK": "1", "WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(variable, value)
    with parallel.world(name) as world:
        assert (world.rank, world.size, str(world.device)) == (3, 4, found)
    assert told == ([torch.device("cuda:1"), "nccl"] if found != "cpu" else ["gloo"])


@pytest.mark.parametrize(("name", "found"), [("auto", "cuda:0"), ("cuda", "cuda:0"), ("cuda:1", "cuda:1")])
def test_alone_a_gpu_is_chosen_by_number_as_torch_wants_it(monkeypatch, name, found):
    told = []
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1 if name == "auto" else 2)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.set_device", told.append)
    with parallel.world(name) as world:
        assert (world.rank, world.size, str(world.device)) == (0, 1, found)
    assert told == [torch.device(found)]


@pytest.mark.parametrize("known", ["broadcast_buffers", "forward_sync_buffers"])
def test_buffers_are_not_sent_around_in_each_step_by_whatever_name_that_has(monkeypatch, known):
    def wrapped(network, device_ids=None, **options):
        return options

    names = [Parameter(name, Parameter.KEYWORD_ONLY) for name in ("network", "device_ids", known)]
    wrapped.__signature__ = Signature(names)
    monkeypatch.setattr("torch.nn.parallel.DistributedDataParallel", wrapped)
    options = parallel.World(0, 2, torch.device("cpu")).wrap(torch.nn.Linear(1, 1))
    assert options == {known: False, "gradient_as_bucket_view": True}
