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


def test_a_run_that_goes_on_to_rounding_says_so(tmp_path):
    with closing(train(points())) as events:
        state = next(events).state
        next(events)
        state.save(tmp_path / "a.safetensors")
    told = {}
    for deterministic in (False, True):
        settings = points(deterministic=deterministic)
        with pretended.gpu() as gpu, closing(train(settings, World(0, 1, gpu.device), tmp_path / "a.safetensors")) as e:
            told[deterministic] = next(e).note
    assert told[False].startswith("goes on to rounding, as pretend:0 computes")
    assert told[True] == ""
    with closing(train(points(), resume=tmp_path / "a.safetensors")) as events:
        assert next(events).note == ""


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


CPU = torch.device("cpu")


@pytest.fixture(params=[True, False], ids=["bf16", "without"])
def processor(request, monkeypatch):
    """Whether the CPU, whichever it is, says that it multiplies in bf16."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": request.param, "avx2": True})
    return request.param


def test_what_settings_leave_open_is_bf16_on_a_cpu_that_has_it_where_it_pays(processor):
    def chosen(settings, shape=(1, 8, 8), device=CPU, micro=256):
        return arithmetic.chosen(settings, shape, device, micro)[0].precision

    wide = tiny(architecture={"channels": 32})
    assert chosen(wide) == ("bf16" if processor else "fp32")
    assert chosen(wide, micro=64) == chosen(points(), (2,)) == chosen(wide, device=GPU) == chosen(tiny()) == "fp32"
    assert chosen(tiny(precision="bf16"), micro=1) == "bf16" and chosen(tiny(precision="fp32")) == "fp32"


def test_a_run_says_what_was_taken_and_goes_on_with_it_bit_for_bit_on_whatever_processor(
    processor, monkeypatch, tmp_path
):
    monkeypatch.setattr(arithmetic, "LEAST", 1)
    monkeypatch.setattr(arithmetic, "WIDE", 1)
    taken = "bf16" if processor else "fp32"
    settings = tiny(batch=8, images=24, tick=10**6, checkpoint=10**6, samples=1, validation=1)
    with closing(train(settings)) as events:
        started = next(events)
        losses = [next(events).loss]
        started.state.save(tmp_path / "a.safetensors")
        losses += [next(event for event in events if isinstance(event, Step)).loss for _ in range(2)]
        whole = [parameter.clone() for parameter in started.state.network.parameters()]
    assert started.note == ("computes in bf16, in which this processor multiplies" if processor else "")
    assert started.state.settings.precision == taken
    header = checkpoints.read_header(tmp_path / "a.safetensors")
    assert header.training["precision"] == taken
    assert header.arithmetic == ("bf16, on a CPU" if processor else "")
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": not processor})
    with closing(train(settings, resume=tmp_path / "a.safetensors")) as events:
        again = next(events).state
        assert again.settings.precision == taken
        assert [next(e for e in events if isinstance(e, Step)).loss for _ in range(2)] == losses[1:]
    assert all(torch.equal(a, b) for a, b in zip(again.network.parameters(), whole, strict=True))


def test_the_state_of_a_run_in_bf16_stays_float32():
    with closing(train(tiny(batch=8, precision="bf16"))) as events:
        state = next(events).state
        next(events)
    kept = [*state.network.parameters(), *state.ema.networks[0].parameters()]
    kept += [tensor for known in state.optimizer.state.values() for tensor in known.values()]
    assert {tensor.dtype for tensor in kept} == {torch.float32}
