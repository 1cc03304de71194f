"""What a run will take is known before it begins, within a factor of two."""

import itertools
import math
import statistics
import subprocess
import sys
import time

import pytest

from edm.base import cards
from edm.base.errors import Refused
from edm.experiments import presets
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
        Training.parse({**MODERATE, "batch": 16, "images": 10**6}),
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
    settings = Training.parse({**MODERATE, "batch": 256, "images": 256})
    code = (
        "import sys; from edm.runs.usage import memory; from edm.training.loop import train\n"
        "from edm.training.settings import Training\n"
        "for _ in train(Training.parse(sys.argv[1])): pass\n"
        "print(memory())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, settings.model_dump_json()], capture_output=True, text=True, check=True
    )
    found = estimate(settings, "cpu")
    assert 0.5 < int(done.stdout) / found.bytes < 2
    more = settings.changed(batch=512, images=512)
    kept = (estimate(more, "cpu", trial=False).bytes - found.bytes) / 256
    assert kept > 200_000, "it is activations that fill it"
    half = estimate(more.changed(micro_batch=256), "cpu", trial=False)
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


PAPER = {  # days of the paper's runs, on the GPUs that it names
    "cifar10_conditional_vp": (2, "cuda*8", "V100"),
    "ffhq64": (4, "cuda*8", "V100"),
    "imagenet64": (13, "cuda*32", "A100 80GB"),
}


def recipe(name, **changes):
    document = presets.read(f"training/{name}")["training"]
    if document["data"]["dataset"] == "folder":
        document["data"]["path"] = "."
    return Training.parse(document).changed(**changes)


@pytest.mark.parametrize("name", PAPER)
def test_the_paper_s_recipes_take_the_paper_s_time_on_its_gpus_and_fit_them(name):
    days, device, card = PAPER[name]
    found = estimate(recipe(name), device, card)
    assert 0.5 < found.seconds / 86400 / days < 2
    assert found.fits(), found.parts
    assert sum(found.parts.values()) == found.bytes < found.total


@pytest.mark.parametrize(("precision", "milliseconds", "gigabytes"), [("fp32", 193, 17.1), ("bf16", 160, 13.7)])
def test_a_step_of_an_h100_is_as_it_was_measured(precision, milliseconds, gigabytes):
    found = estimate(recipe("cifar10_conditional_vp", batch=128, precision=precision), "cuda", "H100")
    assert 0.6 < 128 / found.rate * 1000 / milliseconds < 1.5
    norms = 0.7 if precision == "bf16" else 1  # which were in float32 then, and what they keep
    assert norms < (found.bytes - found.parts["context"]) / gigabytes / 1e9 < 1.3


@pytest.mark.parametrize("name", presets.names("training"))
def test_each_recipe_fits_what_its_text_names(name, monkeypatch):
    monkeypatch.setitem(module.LARGEST, "cpu", (0, 0))
    about = presets.read(name)["about"]
    device, card = ("cpu", None) if "CPU" in about else ("cuda*8", "A100 80GB" if "80 GB" in about else "V100")
    found = estimate(recipe(name.removeprefix("training/")), device, card)
    assert found.fits(4 * 2**30 if card is None else found.total), found.parts


def test_each_setting_that_costs_or_saves_is_counted():
    plain = recipe("cifar10_conditional_vp")
    found = estimate(plain, "cuda*8", "H100")

    def changed(**changes):
        return estimate(plain.changed(**changes), "cuda*8", "H100")

    assert changed(precision="bf16").seconds < found.seconds < changed(tf32=False).seconds
    assert changed(precision="bf16").bytes < found.bytes
    assert changed(deterministic=True).seconds > found.seconds
    compiled = changed(compile=True)
    assert compiled.rate > found.rate
    assert compiled.seconds > plain.images / compiled.rate + 30, "it takes its time before the first step"
    again = changed(checkpointing=True)
    assert again.bytes < found.bytes / 2 and again.seconds > 1.2 * found.seconds
    assert changed(micro_batch=16).bytes < found.bytes / 2
    assert changed(ema=(500_000, 50_000)).bytes - found.bytes == pytest.approx(4 * found.parameters, rel=0.01)
    alone = estimate(plain.changed(batch=64), "cuda", "H100")
    assert found.bytes - alone.bytes == pytest.approx(4 * found.parameters, rel=0.01), "what GPUs send each other"
    assert found.rate == pytest.approx(8 * alone.rate)


def test_a_card_that_is_not_known_is_refused_and_one_needs_a_gpu_s_device():
    for device, card, words in (("cuda", "Voodoo 3", "Voodoo 3"), ("cpu*2", "V100", "give it with a device such as")):
        with pytest.raises(Refused, match=words):
            estimate(points(), device, card)
    assert estimate(points(), "auto", "T4").total == 16 << 30


def test_steps_are_not_tried_on_a_gpu_that_is_busy(monkeypatch):
    gpus = [cards.Card(k, "NVIDIA H100 80GB HBM3", 80 << 30, (20 + k) << 30, 0.9) for k in range(2)]
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.setattr("edm.training.hardware.cards", lambda: gpus)
    monkeypatch.setattr(module, "train", None)
    found = estimate(points(), "auto")
    assert (found.total, found.free) == (80 << 30, 21 << 30)
    assert estimate(points(), "cuda:0").free == estimate(points(), "cuda*2").free == 20 << 30
    large = Training.parse({**MODERATE, "batch": 65_536})
    assert not estimate(large, "cuda*2").fits()
    assert estimate(large.changed(micro_batch=1024), "cuda*2").fits()
