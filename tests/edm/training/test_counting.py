"""What a network takes is counted without computing it, and is what it takes."""

import pytest
import torch

from edm.data.sets import Digits
from edm.training import counting, memory
from edm.training.hardware import Hardware
from edm.training.loop import train
from edm.training.settings import Training
from edm.training.state import header_of

HERE = Hardware(torch.device("cpu"), 1)
SMALL = {"channels": 8, "channel_mult": [1, 2], "blocks": 2, "attention": [4]}


def header(network="ddpmpp", **changes):
    document = {"data": {"dataset": "digits"}, "architecture": {**SMALL, "network": network, **changes}}
    return next(train(Training.parse({**document, "batch": 1, "samples": 1, "validation": 1}))).state.header


@pytest.mark.parametrize("network", ["ddpmpp", "ncsnpp", "adm"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_what_is_kept_is_what_a_step_keeps(network, precision):
    """A CPU's attention is in float32 in any case; what is counted is what a GPU keeps."""
    attention = [4] if precision == "fp32" else []
    architecture = {**SMALL, "network": network, "attention": attention}
    document = {"data": {"dataset": "digits"}, "architecture": architecture, "precision": precision}
    steps = train(Training.parse({**document, "batch": 4, "samples": 1, "validation": 1, "images": 99}))
    state = next(steps).state
    kept = counting.Kept(state.network)
    with kept.watched():
        next(steps)
    steps.close()
    count = counting.counted(state.header, precision)
    assert kept.bytes / 4 == pytest.approx(count.held, rel=0.05)
    assert kept.cast == pytest.approx(count.cast, rel=0.2)
    assert (count.cast > 0) == (precision == "bf16")


def test_a_network_s_operations_are_those_of_its_convolutions():
    count = counting.counted(header(channel_mult=[1], attention=[], blocks=1))
    wide = counting.counted(header(channel_mult=[1], attention=[], blocks=1, channels=32))
    assert 8 < wide.operations / count.operations < 16
    assert wide.held / count.held == pytest.approx(4, rel=0.2)
    assert wide.kernels == count.kernels
    deep = counting.counted(header(channel_mult=[1], attention=[], blocks=5))
    assert deep.block == count.block and deep.inputs > 2 * count.inputs


def test_checkpointing_keeps_what_lies_between_blocks():
    count = counting.counted(header(blocks=8))
    assert count.block + count.inputs == count.kept(True) < 0.5 * count.kept(False)


def test_a_network_of_any_size_is_counted():
    settings = Training.parse(
        {"data": {"dataset": "digits"}, "architecture": {**SMALL, "channels": 1024, "blocks": 32}}
    )
    found = memory.counted(settings, header_of(settings, Digits(), 0.5), HERE)
    assert found["weights"] > 1e10
    assert torch.zeros(1).device.type == "cpu", "what is made afterwards has numbers"
