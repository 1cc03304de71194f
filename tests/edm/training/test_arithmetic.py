"""How a run computes on its device: its switches hold for a step, and what differs from the settings is said."""

import os
from contextlib import closing

import pytest
import torch

from edm.base import precisions
from edm.files import checkpoints
from edm.training import arithmetic
from edm.training.export import card
from edm.training.loop import Step, train
from edm.training.loss import Loss
from edm.training.parallel import World
from tests import pretended
from tests.edm.runs import points, tiny

GPU = torch.device("cuda", 0)


def switches():
    cudnn = torch.backends.cudnn
    return cudnn.conv.fp32_precision, cudnn.benchmark, torch.are_deterministic_algorithms_enabled()


@pytest.fixture
def seen(monkeypatch):
    """The switches as each loss finds them."""
    honest, found = Loss.__call__, []

    def watched(self, *arguments):
        found.append(switches())
        return honest(self, *arguments)

    monkeypatch.setattr(Loss, "__call__", watched)
    return found


@pytest.mark.parametrize(
    ("settings", "within"),
    [
        ({}, ("tf32", True, False)),
        ({"tf32": False}, ("ieee", True, False)),
        ({"deterministic": True}, ("tf32", False, True)),
    ],
    ids=str,
)
def test_a_step_has_its_own_switches_and_leaves_those_that_it_found(settings, within, seen, monkeypatch):
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG")
    before = switches()
    with closing(train(points(**settings))) as events:
        assert switches() == before
        assert isinstance([next(events), next(events)][1], Step)
        assert switches() == before
    assert seen == [within]
    assert ("CUBLAS_WORKSPACE_CONFIG" in os.environ) == ("deterministic" in settings)


def test_a_step_that_fails_leaves_the_switches_that_it_found(monkeypatch):
    monkeypatch.setattr(Loss, "__call__", lambda *_: 1 / 0)
    before = switches()
    with pytest.raises(ZeroDivisionError):
        list(train(points(tf32=False)))
    assert switches() == before


def made(monkeypatch, capability, bf16):
    """A GPU of a kind, which only says what it is."""
    monkeypatch.setattr(precisions, "has_bf16", lambda device: device.type == "cpu" or bf16)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device=None: capability)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device=None: "Tesla V100" if not bf16 else "H100")


def test_a_card_says_how_it_was_computed(monkeypatch):
    made(monkeypatch, (9, 0), bf16=True)
    assert arithmetic.described(points(), torch.device("cpu")) == ""
    assert arithmetic.described(points(), GPU) == "fp32, convolutions in TF32, on H100"
    assert arithmetic.described(points(tf32=False), GPU) == "fp32, on H100"
    assert arithmetic.described(points(precision="bf16", deterministic=True), GPU) == "bf16, deterministic, on H100"
    made(monkeypatch, (7, 0), bf16=False)
    assert arithmetic.described(points(), GPU) == "fp32, on Tesla V100"
    assert arithmetic.described(points(precision="bf16"), GPU) == "fp16 in the place of bf16, on Tesla V100"


def test_bf16_where_there_is_none_is_fp16_and_the_run_its_files_and_its_card_say_so(monkeypatch, tmp_path):
    made(monkeypatch, (7, 0), bf16=False)
    with pretended.gpu() as gpu, closing(train(points(precision="bf16"), World(0, 1, gpu.device))) as events:
        started = next(events)
        assert started.note == "pretend:0 has no bf16: computes in fp16 instead"
        assert started.state.scaler.is_enabled()
        next(events)
        started.state.save(tmp_path / "a.safetensors")
    header = checkpoints.read_header(tmp_path / "a.safetensors")
    assert header.arithmetic == "fp16 in the place of bf16, on pretend:0"
    assert f"- **Arithmetic** {header.arithmetic}" in card(header, "a", 1).splitlines()


def test_a_run_that_goes_on_says_how_closely():
    assert arithmetic.repeats(points(), torch.device("cpu")) == "bit for bit"
    assert arithmetic.repeats(points(), GPU) == "to rounding"
    assert arithmetic.repeats(points(deterministic=True), GPU) == "bit for bit"


@pytest.mark.parametrize("settings", [tiny(), tiny(architecture={"network": "adm"}), points()], ids=["u", "adm", "mlp"])
def test_blocks_that_are_computed_again_give_the_same_gradients_and_keep_less(settings):
    losses, kept = [], []
    for again in (False, True):
        sizes = {}

        def keep(tensor, sizes=sizes):
            sizes[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        with closing(train(settings.changed(checkpointing=again))) as events:
            next(events)
            with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
                first = next(events).loss
            losses.append((first, next(events).loss))
        kept.append(sum(sizes.values()))
    assert losses[0] == losses[1], "dropout has the same masks, too"
    assert kept[1] < 0.8 * kept[0]
