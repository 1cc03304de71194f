"""The loop: reproducible, resumable bit for bit, indifferent to how a batch is split."""

import json
import math
from pathlib import Path

import pytest
import torch

import edm
from edm.training.ema import Ema
from edm.training.loop import Checkpoint, Started, Step, Tick, train
from edm.training.recording import checkpoints, record
from edm.training.validation import SIGMAS
from tests.edm.runs import points, tiny

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "training.json").read_text())
SETTINGS = {
    "tiny": tiny(),
    "tiny_micro": tiny(micro_batch=8),
    "vp": tiny(design={"preconditioning": "vp", "noise": "vp", "weight": "simple"}, images=48, tick=48),
    "points": points(images=320),
}


def run(settings, **arguments):
    """(losses of the steps, last state, all other events)."""
    losses, others, state = [], [], None
    for event in train(settings, **arguments):
        if isinstance(event, Step):
            losses.append(event.loss)
        else:
            others.append(event)
        state = getattr(event, "state", state)
    return losses, state, others


def tensors(state):
    own = [*state.network.state_dict().values()]
    for network in state.ema.networks:
        own += network.state_dict().values()
    for parameter in state.network.parameters():
        moments = state.optimizer.state[parameter]
        own += [moments["exp_avg"], moments["exp_avg_sq"]]
    return own


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(tensors(one), tensors(other), strict=True))


def test_the_same_settings_give_the_same_run_and_another_seed_another():
    first, again, other = run(tiny()), run(tiny()), run(tiny(seed=1))
    assert first[0] == again[0]
    assert same(first[1], again[1])
    assert first[0] != other[0]


@pytest.mark.parametrize("name", GOLDEN)
def test_losses_and_validation_are_those_that_were_written_down(name):
    """Where they were measured they are equal bit by bit; other machines and versions of torch round otherwise."""
    losses, _, events = run(SETTINGS[name])
    assert losses == pytest.approx(GOLDEN[name]["losses"], rel=1e-4)
    ticks = [event.validation for event in events if isinstance(event, Tick)]
    assert len(ticks) == len(GOLDEN[name]["validation"])
    for found, expected in zip(ticks, GOLDEN[name]["validation"], strict=True):
        assert found == pytest.approx(expected, rel=1e-4)


def test_events_come_in_the_order_of_their_images():
    losses, state, events = run(tiny())
    assert [type(event) for event in events] == [Started, Tick, Checkpoint, Tick, Checkpoint]
    assert [event.images for event in events[1:]] == [48, 48, 96, 96]
    assert [event.last for event in events if isinstance(event, Checkpoint)] == [False, True]
    assert len(losses) == state.steps == 6
    tick = events[1]
    assert len(tick.validation) == len(SIGMAS)
    assert tick.samples.shape == (4, 1, 8, 8)
    assert tick.labels.tolist() == [0, 1, 2, 3]
    assert tick.loss == pytest.approx(sum(losses[:3]) / 3)
    assert all(map(math.isfinite, tick.validation))
    assert tick.rate > 0
    assert tick.left >= 0


def test_a_resumed_run_continues_bit_for_bit(tmp_path):
    """Weights, averages, moments, data order, noise, dropout, augmentation: as if it had never stopped."""
    losses, whole, _ = run(tiny())
    stopped = train(tiny())
    for event in record(stopped, tmp_path):
        if isinstance(event, Checkpoint):
            stopped.close()
            break
    rest, resumed, _ = run(tiny(), resume=checkpoints(tmp_path)[-1])
    assert rest == losses[3:]
    assert same(whole, resumed)


def test_a_batch_may_be_split_into_micro_batches():
    settings = {"architecture": {"dropout": 0.0}}
    whole, parts = run(tiny(**settings)), run(tiny(**settings, micro_batch=4))
    assert whole[0] == pytest.approx(parts[0], rel=1e-4)


def test_training_learns():
    settings = points(images=60_000, batch=256, tick=60_000, checkpoint=10**6, lr=5e-3, validation=512)
    _, state, events = run(settings)
    exact = edm.data.load("two_moons").denoiser
    x = exact.sample(500, seed=3)
    noise = edm.latents(edm.seeds(1, 500), (2,))
    for sigma in (0.3, 1.0):
        noisy = x + sigma * noise
        ideal = exact(noisy, sigma)
        error = (state.denoisers()[0](noisy, sigma) - ideal).square().mean()
        assert error < 0.1 * ideal.var()
    assert events[1].loss < 0.95


def test_gradients_that_are_not_finite_are_counted_and_leave_no_trace(monkeypatch):
    from edm.training.loss import Loss

    honest, calls = Loss.__call__, []

    def broken(self, *arguments):
        calls.append(1)
        losses = honest(self, *arguments)
        return losses * math.nan if len(calls) in (2, 4) else losses

    monkeypatch.setattr(Loss, "__call__", broken)
    losses, state, _ = run(tiny())
    assert state.nonfinite == 2
    assert [math.isnan(loss) for loss in losses] == [False, True, False, True, False, False]
    assert all(torch.isfinite(tensor).all() for tensor in tensors(state))


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_mixed_precision_learns_like_full_precision(precision):
    settings = {"images": 320, "tick": 320, "checkpoint": 320}
    full, mixed = run(tiny(**settings)), run(tiny(**settings, precision=precision))
    assert mixed[0] == pytest.approx(full[0], rel=0.1)
    assert mixed[0] != full[0]
    assert mixed[1].network.dtype == torch.float32


def test_the_learning_rate_ramps_up_linearly():
    rates = [event.lr for event in train(points(lr=1e-2, lr_ramp=256)) if isinstance(event, Step)]
    assert rates[:5] == pytest.approx([0.0025, 0.005, 0.0075, 0.01, 0.01])


def test_an_average_forgets_half_in_its_half_life():
    network = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.zeros_(network.weight)
    ema = Ema(network, [100, 1000], ramp=None)
    torch.nn.init.ones_(network.weight)
    for _ in range(20):
        ema.update(network, 0, 10)
    assert [float(n.weight.detach()) for n in ema.networks] == pytest.approx([1 - 0.25, 1 - 0.5**0.2], rel=1e-5)
    ramped = Ema(network, [1000], ramp=0.05)
    torch.nn.init.zeros_(network.weight)
    ramped.update(network, 200, 10)  # H = min(1000, 0.05 · 200) = 10
    assert float(ramped.networks[0].weight.detach()) == pytest.approx(0.5)
    ramped.update(network, 0, 10)  # nothing seen: the random start is forgotten at once
    assert float(ramped.networks[0].weight.detach()) == 0


def test_closing_the_generator_ends_the_run_and_its_threads():
    import threading

    others = set(threading.enumerate())  # of runs that other tests have let fail
    events = train(tiny())
    next(event for event in events if isinstance(event, Step))
    assert {thread.name.partition("_")[0] for thread in set(threading.enumerate()) - others} == {"loader"}
    events.close()
    assert set(threading.enumerate()) <= others


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (lambda: tiny(architecture={"network": "mlp"}), "does not take images"),
        (lambda: points(architecture={"network": "adm"}), "does not take points"),
        (lambda: points(design={"augment": 0.1}), "only images can be augmented"),
        (lambda: tiny(architecture={"channel_mult": [1, 1, 1, 1, 1]}), "cannot be halved 4 times"),
        (lambda: tiny(data={"holdout": 1797}), "none would be left"),
    ],
)
def test_what_does_not_fit_is_refused_before_the_first_step(settings, words):
    with pytest.raises(ValueError, match=words):
        next(train(settings()))


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"batch": 64, "micro_batch": 7}, "must divide"),
        ({"ema": []}, "half-lives"),
        ({"ema": [5, 5]}, "half-lives"),
        ({"precision": "fp8"}, "'fp8'"),
        ({"data": {"dataset": "folder"}}, "path"),
        ({"data": {"dataset": "imagenet"}}, "'imagenet'"),
        ({"design": {"P_std": 0}}, "P_std"),
        ({"design": {"noise": "cosine"}}, "'cosine'"),
        ({"architecture": {"channels": 10}}, "multiple of 4"),
        ({"architecture": {"channel_mult": []}}, "channel_mult"),
        ({"lr": "fast"}, "lr"),
        ({"epochs": 3}, "no such field"),
    ],
)
def test_settings_that_cannot_be(document, words):
    with pytest.raises(edm.SettingsError, match=words):
        edm.Training.parse(document)


def test_a_resumed_run_knows_of_steps_that_fp16_has_left_out(tmp_path, monkeypatch):
    """The scaler skips a step whose gradients are infinite, and Adam does not count it."""
    from edm.training.loss import Loss

    honest = Loss.__call__

    def broken(self, denoiser, y, labels, indices):
        losses = honest(self, denoiser, y, labels, indices)
        return losses * math.inf if indices[0] in (16, 64) else losses

    monkeypatch.setattr(Loss, "__call__", broken)
    losses, whole, _ = run(tiny(precision="fp16"))
    assert whole.nonfinite == 2
    stopped = train(tiny(precision="fp16"))
    for event in record(stopped, tmp_path):
        if isinstance(event, Checkpoint):
            stopped.close()
            break
    rest, resumed, _ = run(tiny(precision="fp16"), resume=checkpoints(tmp_path)[-1])
    assert [repr(loss) for loss in rest] == [repr(loss) for loss in losses[3:]]
    assert same(whole, resumed)
    assert {float(m["step"]) for m in resumed.optimizer.state.values()} == {4.0}


def test_the_caller_s_random_numbers_stay_the_caller_s():
    torch.manual_seed(5)
    alone = torch.rand(4)
    torch.manual_seed(5)
    drawn = []
    for event in train(tiny()):
        if isinstance(event, Step) and len(drawn) < 4:
            drawn.append(torch.rand(1))
    assert torch.equal(torch.cat(drawn), alone)


def test_a_tick_s_mean_loss_is_the_same_after_resuming_between_ticks(tmp_path):
    settings = tiny(tick=64, checkpoint=32)
    ticks = [event for event in train(settings) if isinstance(event, Tick)]
    stopped = train(settings)
    for event in record(stopped, tmp_path):
        if isinstance(event, Checkpoint):
            stopped.close()
            break
    again = [event for event in train(settings, resume=checkpoints(tmp_path)[-1]) if isinstance(event, Tick)]
    assert [tick.loss for tick in again] == [tick.loss for tick in ticks]
    assert [tick.validation for tick in again] == [tick.validation for tick in ticks]


def test_the_data_s_spread_is_measured_once_in_the_life_of_a_run(tmp_path, monkeypatch):
    from edm.data import sources

    stopped = train(tiny())
    for event in record(stopped, tmp_path):
        if isinstance(event, Checkpoint):
            stopped.close()
            break
    monkeypatch.setattr(sources, "spread", lambda source: 1 / 0)
    assert len(run(tiny(), resume=checkpoints(tmp_path)[-1])[0]) == 3
    with pytest.raises(ValueError, match=r"another preconditioning.*0\.3"):
        train(tiny(design={"sigma_data": 0.3}), resume=checkpoints(tmp_path)[-1])
