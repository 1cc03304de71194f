"""A run that is likely not to fit is told so before it begins, with what would fit."""

from dataclasses import replace

import pytest
import torch

from edm.__main__ import main
from edm.data.sets import Digits
from edm.training import counting, memory
from edm.training.estimate import Estimate, estimate
from edm.training.hardware import Hardware
from edm.training.settings import Training
from edm.training.state import header_of
from tests.edm.runs import points, tiny

WIDE = {"channels": 64, "channel_mult": [1, 2], "blocks": 2, "attention": [4]}
LARGE = Training.parse({"data": {"dataset": "digits"}, "architecture": WIDE, "batch": 65_536, "images": 65_536})
HERE = Hardware(torch.device("cpu"), 1, None, 4 << 30, 3 << 30)


def test_every_remedy_that_is_named_fits_and_the_next_larger_one_does_not():
    found = estimate(LARGE, "cuda", "V100")
    assert not found.fits() and found.fits(found.bytes)
    assert dict(found.remedies).keys() >= {"micro_batch = 8192", "device = cuda*8"}
    assert all(title in found.warning for title, _ in found.remedies)
    for _, changes in found.remedies:
        changes = dict(changes)
        device = changes.pop("device", "cuda")
        assert estimate(LARGE.changed(**changes), device, "V100").fits()
        if "micro_batch" in changes:
            twice = LARGE.changed(micro_batch=2 * int(changes["micro_batch"]))
            assert not estimate(twice, device, "V100").fits()


def test_where_one_change_is_not_enough_several_are_named():
    least = estimate(LARGE.changed(micro_batch=1), "cuda", "V100")
    room = least.bytes - least.parts["activations"] // 2
    there, header = Hardware(torch.device("cuda"), 1, named=True), header_of(LARGE, Digits(), 0.5)
    ((title, changes), *_) = memory.remedies(LARGE, header, there, room)
    assert changes.keys() >= {"micro_batch", "checkpointing"} and " and " in title
    assert memory.remedies(LARGE, header, there, 1000) == ()
    assert "a smaller network" in memory.unfit(2000, 1000, 1000)


def test_what_is_free_counts_and_what_there_is_at_all_is_told_apart():
    assert memory.unfit(10, 20, 15) == memory.unfit(10, None, None) == ""
    assert "12.0 are free now" in memory.unfit(15 * 10**9, 20 * 10**9, 12 * 10**9)
    assert "each GPU has 20.0" in memory.unfit(25 * 10**9, 20 * 10**9, 12 * 10**9)
    assert Estimate(1.0, 5, 1, 1.0).fits() and not Estimate(1.0, 5, 1, 1.0).fits(4)


def test_a_command_says_it_before_it_begins(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("edm.training.memory.hardware", lambda *_: replace(HERE, free=200 << 20))
    quick = ["--dataset=two_moons", "--channels=16", "--blocks=1", "--images=64", "--batch=64", "--tick=64"]
    assert main(["train", *quick, "--samples=4", "--device=cpu", f"--out={tmp_path / 'run'}"]) == 0
    said = capsys.readouterr().err
    assert said.startswith("it is likely not to fit: it needs about 0.5 GB of memory, and 0.2 are free now")


def test_where_there_is_room_nothing_is_said_and_nothing_counted(monkeypatch):
    monkeypatch.setattr("edm.training.memory.hardware", lambda *_: HERE)
    monkeypatch.setattr(counting, "counted", None)
    for settings in (points(), tiny()):
        assert memory.warning(settings) == ""
    assert memory.warning(points(architecture={"network": "ddpmpp"})) == "", "whoever trains it says what is wrong"


@pytest.mark.parametrize("card", [[], ["--card=V100"]], ids=["here", "V100"])
def test_an_estimate_is_printed_and_nothing_trained(card, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    wanted = ["--dataset=cifar10", "--device=cuda*8"] if card else ["--dataset=spiral", "--device=cpu"]
    assert main(["train", "--estimate", "--batch=64", *wanted, *card]) == 0
    told = capsys.readouterr().out
    assert ("images/s on 8 × V100" if card else "images/s on the CPU") in told
    assert ("each GPU's 17.2: activations" if card else "this machine's") in told
    why = "M parameters, in fp32" + ("\n" if card else ", as a network for points is no quicker in bf16\n")
    assert why in told and list(tmp_path.iterdir()) == []
    assert main(["train", "--card=A100 80GB", "--preset=training/imagenet64", "--device=cuda*8"]) == 0, "without data"
    assert "of each GPU's 85.9" in capsys.readouterr().out
    assert main(["train", "--card=Voodoo 3"]) == 2
    assert "Voodoo 3" in capsys.readouterr().err
