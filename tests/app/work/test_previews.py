"""When a picture that is not finished is shown, and what it is."""

import pytest

from app.work import watch
from app.work.watch import Watch


class Clock:
    """A clock that only goes on where it is told to."""

    now = 0.0

    def perf_counter(self):
        return self.now

    def items(self, seconds):
        for taken in seconds:
            self.now += taken
            yield self.now


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        ([1 / 64] * 20, [5, 12, 19, 20]),
        ([0.034] + [0.068] * 3, [2, 3, 4, 4]),  # scenes: one evaluation, then two a step
        ([0.2] * 3, [1, 2, 3, 3]),
        ([0.001] * 9, [9]),
    ],
    ids=["quick", "scenes", "slow", "done at once"],
)
def test_the_first_preview_comes_within_a_tenth_of_a_second_and_the_others_keep_their_pace(seconds, shown, monkeypatch):
    monkeypatch.setattr(watch, "time", clock := Clock())
    found = [(len(items), ended) for items, ended in Watch().paced(clock.items(seconds))]
    assert [count for count, _ in found] == shown
    assert [ended for _, ended in found] == [False] * (len(shown) - 1) + [True]
