"""Killed at any moment (SIGKILL), again and again: every checkpoint is whole, and the run ends as if undisturbed."""

import json
import multiprocessing
import random
import time

import pytest
import torch

from edm import checkpoints
from edm.training import recording
from edm.training.loop import train
from tests.edm.runs import points

KILLS = 14
SETTINGS = {"images": 16_000, "batch": 64, "checkpoint": 640, "tick": 3200}


def work(folder):
    torch.set_num_threads(1)
    found = recording.checkpoints(folder)
    for _ in recording.record(train(points(**SETTINGS), resume=found[-1] if found else None), folder):
        pass


@pytest.fixture(scope="module")
def context():
    """Processes that start in milliseconds, from a server that has torch loaded but has never computed."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.edm.test_kills"])
    return context


def finish(context, folder):
    process = context.Process(target=work, args=(folder,))
    process.start()
    process.join(240)
    assert process.exitcode == 0


def test_killed_at_random_moments_nothing_is_lost_but_since_the_last_checkpoint(context, tmp_path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    started = time.monotonic()
    finish(context, whole)
    duration = time.monotonic() - started
    dice, known = random.Random(7), 0
    for kill in range(KILLS):
        process = context.Process(target=work, args=(broken,))
        process.start()
        process.join(duration * dice.uniform(0.1, 0.9) * (kill + 1) / KILLS)
        process.kill()
        process.join(20)
        found = recording.checkpoints(broken)
        for path in found:
            checkpoints.load(path)
        reached = checkpoints.read_header(found[-1]).images if found else 0
        assert reached >= known
        known = reached
        for line in _lines(broken / "metrics.jsonl")[:-1]:
            json.loads(line)
    assert known > 0, "every kill came too early to mean anything"
    finish(context, broken)
    left = [path.name for path in (broken / "checkpoints").iterdir() if path.suffix != ".safetensors"]
    assert left == [], "half-written files are swept up"
    last = [recording.checkpoints(folder)[-1] for folder in (whole, broken)]
    assert last[0].name == last[1].name
    assert _tensors(last[0]) == _tensors(last[1])
    ticks = [[json.loads(line)["validation"] for line in _lines(f / "metrics.jsonl")] for f in (whole, broken)]
    assert ticks[0] == ticks[1]


def _lines(path):
    return path.read_text().splitlines() if path.exists() else []


def _tensors(path):
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name).numpy().tobytes() for name in list(file.keys())}
