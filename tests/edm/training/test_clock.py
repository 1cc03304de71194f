"""Minutes are wall time: a run of minutes becomes one of so many images, and what it reports at first comes by time."""

from types import SimpleNamespace

import pytest
import torch

from edm.training.asking import Asking
from edm.training.clock import Clock, Early
from edm.training.events import Checkpoint, Length, Paused, Started, Step, Tick
from edm.training.loop import train
from edm.training.recording import checkpoints, record
from edm.training.settings import Training
from tests.edm.runs import points


class Hands:
    """A clock that somebody turns."""

    def __init__(self):
        self.time = 100.0

    def __call__(self):
        return self.time


class Ticking(Hands):
    """One that goes on by itself, a little at every look."""

    def __call__(self):
        self.time += 0.1
        return self.time


def clock_of(hands, **settings):
    state = SimpleNamespace(settings=Training(batch=10, **settings), images=0, seconds=0.0)
    return Clock(state, hands), state


def step(clock, state, hands, seconds, reported=False):
    clock.start(reported)
    hands.time += seconds
    clock.stop()
    state.images += state.settings.batch


def test_the_first_steps_are_slow_and_do_not_count():
    hands = Hands()
    clock, state = clock_of(hands, images=1000)
    for seconds in (5.0, 1.0, 1.0, 0.1, 0.1):
        step(clock, state, hands, seconds)
    assert clock.rate == pytest.approx(100)
    assert clock.left == pytest.approx(950 / 100)


def test_what_is_left_counts_reports_too():
    hands = Hands()
    clock, state = clock_of(hands, images=1000, tick=200)
    for _ in range(5):
        step(clock, state, hands, 0.1)
    hands.time += 3.0
    step(clock, state, hands, 0.1, reported=True)
    assert clock.left == pytest.approx(940 / 100 + 5 * 3.0)


def test_minutes_become_what_fits_into_them_with_reports_and_what_has_passed():
    hands = Hands()
    clock, state = clock_of(hands, images=1000, tick=100, minutes=1)
    hands.time += 4.0  # until the first step
    for _ in range(60):
        step(clock, state, hands, 0.1)
    assert clock.ripe
    hands.time += 1.0
    clock.start(reported=True)
    images, tick = clock.lengths()
    seconds = 4.0 + 6.0 + 1.0 + (images - 600) / 100 + -(-images // tick) * 1.0
    assert seconds == pytest.approx(60, abs=2.5)
    assert images % 10 == tick % 10 == 0
    assert -(-images // tick) == 10  # as many reports as were asked for
    assert clock.left == pytest.approx(49)


def test_reports_that_take_long_are_fewer():
    hands = Hands()
    clock, state = clock_of(hands, images=1000, tick=10, minutes=1)
    for _ in range(70):
        step(clock, state, hands, 0.1)
    hands.time += 4.0
    clock.start(reported=True)
    images, tick = clock.lengths()
    assert -(-images // tick) <= 3


def test_time_in_which_it_holds_is_none_of_its_own():
    hands = Hands()
    clock, state = clock_of(hands, images=1000, minutes=1)
    for _ in range(5):
        step(clock, state, hands, 0.1)
    with clock.holding():
        hands.time += 1000
    assert clock.left == pytest.approx(59.5)
    step(clock, state, hands, 0.1)
    assert clock.rate == pytest.approx(100)


def test_early_reports_come_by_time_and_samples_as_often_as_they_are_quick():
    early = Early(True)
    assert early.due(0.0) == "all"
    early.drawn(0.0, 1.0)
    told = {tenth / 10: early.due(tenth / 10) for tenth in range(10, 200)}
    reports = [second for second, what in told.items() if what]
    assert len(reports) < 12 and reports[0] == 1.0
    assert min(second for second, what in told.items() if what == "all") >= 5.0
    early.over()
    assert early.due(1e9) == "" == Early(False).due(0.0)


def events_of(**settings):
    return train(points(images=400_000, tick=200_000, checkpoint=200_000, **settings), asking=Asking(now=Ticking()))


def test_a_run_of_minutes_is_fixed_once_written_down_and_goes_on_from_there_bit_for_bit(tmp_path):
    lengths, ends = [], []
    for event in record(events_of(minutes=0.2, early=True), tmp_path):
        lengths += [event] if isinstance(event, Length) else []
        ends += [event.images] if isinstance(event, Checkpoint) and event.last else []
    (length,) = lengths
    written = Training.parse((tmp_path / "config.json").read_bytes())
    assert written == length.settings and written.minutes is None
    assert ends == [written.images]
    assert written.checkpoint == written.tick
    first, *_, last = checkpoints(tmp_path)
    rest = [event for event in train(written, resume=first) if isinstance(event, Checkpoint)]
    again = rest[-1].state
    assert again.images == written.images
    kept = type(again)(written, again.header, torch.device("cpu"))
    kept.restore(last)
    for mine, other in zip(again.network.parameters(), kept.network.parameters(), strict=True):
        assert torch.equal(mine, other)


def test_the_untrained_network_is_seen_first_and_the_loss_from_the_first_step_on():
    events = []
    for event in events_of(early=True):
        events += [] if isinstance(event, Step) else [event]
        if len(events) == 4:
            break
    started, untrained, *ticks = events
    assert isinstance(started, Started) and isinstance(untrained, Tick)
    assert untrained.images == 0 and len(untrained.samples) and untrained.loss != untrained.loss
    assert ticks[0].images == 64 and ticks[0].loss > 0


def test_early_reports_change_nothing_of_what_is_learned():
    settings = points(images=640, tick=320, checkpoint=640)
    plain, early = (
        [event.loss for event in train(one) if isinstance(event, Step)]
        for one in (settings, settings.changed(early=True))
    )
    assert plain == early


def test_a_run_waits_for_its_turn_without_a_checkpoint():
    turns = iter([False, True, True, False])
    asking = Asking(wait=lambda: next(turns, False))
    events = [*train(points(images=640, tick=640, checkpoint=640), asking=asking)]
    assert [event.turn for event in events if isinstance(event, Paused)] == [True, True]
    assert [event.images for event in events if isinstance(event, Checkpoint)] == [640]
