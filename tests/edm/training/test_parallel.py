"""Several processes, started by PyTorch's torchrun, train the model that one process trains."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

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
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    alone = [event.loss for event in train(settings) if isinstance(event, Step)]
    assert [line["images"] for line in lines] == [16, 32, 48, 64, 80, 96]
    assert [line["loss"] for line in lines] == pytest.approx(alone, rel=1e-4)
    assert len(checkpoints(tmp_path / "run")) == 1
    uneven = torchrun(
        2, "train", "--config", str(config), "--batch", "15", "--device", "cpu", "--out", str(tmp_path / "no")
    )
    assert uneven.returncode != 0
    assert "cannot be shared evenly by 2 processes" in uneven.stderr
