"""On a pretended GPU: the host waits for it once a step at most, and it learns what the CPU learns."""

import math
from contextlib import closing

import pytest
import torch
from safetensors import safe_open

from edm.training.loop import Tick, train
from edm.training.loss import Loss
from edm.training.parallel import World
from tests import pretended
from tests.edm.runs import points, tiny

RARE = {"images": 10**6, "tick": 10**9, "checkpoint": 10**9, "samples": 1, "validation": 1, "batch": 8}
RUNS = {
    "points": points(images=192, samples=1),
    "everything": tiny(**RARE),
    "micro-batches": tiny(**RARE, micro_batch=4, checkpointing=True),
    "iddpm": tiny(**RARE, design={"preconditioning": "iddpm", "noise": "iddpm", "weight": "simple"}),
    "ncsnpp": tiny(**RARE, architecture={"network": "ncsnpp"}),
    "fp16": tiny(**RARE, precision="fp16"),
    "bf16": tiny(**RARE, precision="bf16"),
}
ROUNDING = {"fp16": 1e-3, "bf16": 1e-2}  # of what is computed in another order


class Bytes:
    """Endless images of 8 bits."""

    shape, classes, class_names, size = (1, 8, 8), 0, (), None

    def read(self, indices):
        return torch.full((len(indices), *self.shape), 7, dtype=torch.uint8), None


def begun(settings, device, **given):
    """(the events of a run after its first step, its state)."""
    events = train(settings, World(0, 1, device), **given)
    state = next(events).state
    next(events)
    return events, state


@pytest.mark.parametrize("name", RUNS)
def test_a_step_waits_once_at_most_and_learns_what_the_cpu_learns(name):
    with closing(begun(RUNS[name], torch.device("cpu"))[0]) as events:
        here = next(events).loss
    with pretended.gpu() as gpu, closing(begun(RUNS[name], gpu.device)[0]) as events:
        gpu.clear()
        step = next(events)
        assert sum(gpu.waits.values()) <= 1, gpu.waits
        assert step.loss == pytest.approx(here, rel=ROUNDING.get(name, 1e-6))


def test_a_loss_is_read_when_it_is_asked_for_and_then_known():
    with pretended.gpu() as gpu, closing(begun(RUNS["points"], gpu.device)[0]) as events:
        step = next(events)
        next(events)
        gpu.clear()
        assert math.isfinite(step.loss)
        assert step.loss == step.loss
        assert gpu.copies == {"D2H": 1}


def test_gradients_that_are_not_finite_are_counted_without_a_wait(monkeypatch):
    honest = Loss.__call__

    def broken(self, denoiser, y, labels, indices):
        losses = honest(self, denoiser, y, labels, indices)
        return losses * math.nan if indices[0] == 64 else losses

    monkeypatch.setattr(Loss, "__call__", broken)
    with pretended.gpu() as gpu:
        events, state = begun(RUNS["points"], gpu.device)
        gpu.clear()
        next(events)
        assert sum(gpu.waits.values()) <= 1, gpu.waits
        assert state.nonfinite == 1
        assert state.finite()
        events.close()


def test_a_step_sends_images_as_they_are_stored_in_one_copy():
    settings = tiny(**RARE, data={"conditional": False, "holdout": None}, design={"augment": 0, "label_dropout": 0})
    with pretended.gpu() as gpu, closing(begun(settings, gpu.device, source=Bytes())[0]) as events:
        gpu.clear()
        next(events)
        assert gpu.copies == {"H2D": 1}
        image, numbers = 8 * 8, 8 + 4  # σ and λ(σ)
        assert gpu.moved["H2D"] == 8 * (image + 4 * image + numbers), "a byte for each pixel, and its noise"


def test_a_checkpoint_takes_a_handful_of_copies_and_is_the_state(tmp_path):
    with pretended.gpu() as gpu:
        events, state = begun(RUNS["ncsnpp"], gpu.device)
        gpu.clear()
        assert state.finite()
        state.save(tmp_path / "there.safetensors")
        assert gpu.copies["D2H"] <= 8, gpu.waits
        known = {f"weights/{name}": tensor.cpu() for name, tensor in state.network.state_dict().items()}
        for name, parameter in state.network.named_parameters():
            known[f"adam/exp_avg_sq/{name}"] = state.optimizer.state[parameter]["exp_avg_sq"].cpu()
        events.close()
    with safe_open(tmp_path / "there.safetensors", framework="pt") as file:
        assert all(torch.equal(file.get_tensor(name), tensor) for name, tensor in known.items())


def test_a_report_waits_for_what_it_reports_only():
    with pretended.gpu() as gpu:
        for event in train(RUNS["points"], World(0, 1, gpu.device)):
            if isinstance(event, Tick):
                break
            gpu.clear()
        assert gpu.copies["D2H"] <= 4, gpu.waits
        assert torch.isfinite(event.samples).all()
