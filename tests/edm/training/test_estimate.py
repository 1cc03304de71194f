"""What a run will take is known before it begins, within a factor of two."""

import itertools
import math
import statistics
import subprocess
import sys
import time

import pytest

from edm.training import estimate as module
from edm.training.estimate import estimate
from edm.training.loop import Step, train
from edm.training.settings import Training
from tests.edm.runs import points

MODERATE = {
    "data": {"dataset": "digits"},
    "architecture": {"channels": 32, "channel_mult": [1, 2], "blocks": 2, "attention": [4]},
    "samples": 4,
    "validation": 8,
    "tick": 10**6,
}


def measured(settings, steps=8):
    """Images in a second of this thread's own time, of a run after its first steps."""
    taken = []
    for event in itertools.islice((e for e in train(settings) if isinstance(e, Step)), steps):
        taken.append((time.thread_time(), event.images))
    (began, first), (ended, last) = taken[2], taken[-1]
    return (last - first) / (ended - began)


@pytest.mark.parametrize(
    "settings",
    [
        points(images=10**6, tick=10**6, batch=512, architecture={"channels": 64, "blocks": 3}),
        Training.parse({**MODERATE, "batch": 64, "images": 10**6}),
    ],
    ids=["points", "images"],
)
def test_the_rate_is_that_of_a_run(settings):
    measure = {"run": lambda: measured(settings), "estimate": lambda: estimate(settings, "cpu").rate}
    rates = {name: [] for name in measure}
    for name in ("run", "estimate") * 3:  # in turns: the clock of the machine, and who else is on it, count for both
        rates[name].append(measure[name]())
    ratio = statistics.median(rates["run"]) / statistics.median(rates["estimate"])
    assert 0.5 < ratio < 2, rates


def test_the_memory_is_that_of_a_run():
    settings = Training.parse({**MODERATE, "batch": 1024, "images": 1024})
    code = (
        "import json, resource, sys; from edm.training.loop import train; from edm.training.settings import Training\n"
        "for _ in train(Training.parse(sys.argv[1])): pass\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, settings.model_dump_json()], capture_output=True, text=True, check=True
    )
    found = estimate(settings, "cpu")
    assert 0.5 < int(done.stdout) / found.bytes < 2
    more = settings.changed(batch=2048, images=2048)
    kept = (estimate(more, "cpu").bytes - found.bytes) / 1024
    assert kept > 200_000, "it is activations that fill it"
    half = estimate(more.changed(micro_batch=1024), "cpu")
    assert half.bytes == pytest.approx(found.bytes, rel=0.05)


def test_counting_agrees_with_trying(monkeypatch):
    settings = Training.parse({**MODERATE, "batch": 64, "images": 10**6})
    tried = estimate(settings, "cpu")
    monkeypatch.setitem(module.LARGEST, "cpu", (0, 0))
    counted = estimate(settings, "cpu")
    assert counted.parameters == tried.parameters == next(train(settings)).parameters
    assert counted.bytes == pytest.approx(tried.bytes, rel=0.05)
    assert counted.rate > tried.rate / 4, "small networks take longer than their operations"


def test_the_length_reports_and_devices_count(monkeypatch):
    cost = module.Cost(0.01, 1000)
    monkeypatch.setattr(module, "tried", lambda *_: cost)
    settings = points(images=64_000, tick=64_000, samples=30, validation=70)
    found = estimate(settings, "cpu")
    assert found.rate == pytest.approx(100)
    assert found.seconds == pytest.approx(640 + (15 * 70 + 35 * 30) / 3 * 0.01)
    assert estimate(settings.changed(tick=6400), "cpu").seconds - 640 == pytest.approx(10 * (found.seconds - 640))
    assert estimate(settings, "cpu*2").bytes == pytest.approx(2 * found.bytes, rel=1e-3)


@pytest.mark.parametrize(
    "document",
    [
        {
            "data": {"dataset": "scenes"},
            "architecture": {"channels": 1024, "blocks": 32, "channel_mult": [8, 8], "attention": [32, 16]},
        },
        {"data": {"dataset": "two_moons"}, "architecture": {"channels": 1024, "blocks": 32}},
    ],
    ids=["images", "points"],
)
def test_a_network_that_is_too_large_is_not_built(document, monkeypatch):
    settings = Training.parse({**document, "batch": 65536, "images": 10**9})
    monkeypatch.setattr(module, "train", None)
    found = estimate(settings, "cpu")
    assert found.parameters > 10**8
    assert found.bytes > 16 * found.parameters
    assert math.isfinite(found.seconds)
    assert found.seconds > 10**4


def test_what_cannot_be_trained_has_no_estimate(tmp_path):
    for settings, device, words in (
        (points(batch=63), "cpu*2", "batch = 63"),
        (points(), "cuda:99", "cuda:99"),
        (points(architecture={"network": "ddpmpp", "channels": 16}), "cpu", "does not take points"),
        (Training.parse({"data": {"dataset": "folder", "path": str(tmp_path / "no")}}), "cpu", "no"),
        (Training.parse({"data": {"dataset": "mnist", "path": str(tmp_path), "download": True}}), "cpu", "not there"),
    ):
        with pytest.raises(ValueError, match=words):
            estimate(settings, device)
    assert list(tmp_path.iterdir()) == [], "nothing is fetched"
