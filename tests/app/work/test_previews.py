"""When a picture that is not finished is shown, and what it is."""

import base64

import pytest

from app.figures import pack
from app.work import watch
from app.work.pictures import Picture
from app.work.watch import Watch
from edm.experiments.experiment import Experiment
from edm.sampling.settings import Sampling
from tests.app.work import bodies

DIGITS = Experiment(model="digits_edm", count=2, sampling=Sampling(steps=4))


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


def images(body, name):
    return base64.b64decode(body["run"][name])


def test_each_preview_brings_the_images_that_are_new_and_the_last_answer_all(monkeypatch):
    monkeypatch.setattr(watch, "PREVIEW_SECONDS", 0.0)
    *previews, (whole, _) = bodies(Picture(experiment=DIGITS))
    runs = [body["run"] for body, _ in previews]
    assert [run["since"] for run in runs] == [0, *(len(run["index"]) for run in runs[:-1])]
    assert [len(run["index"]) for run in runs] == [1, 2, 3, 4, 5]
    assert whole["run"]["since"] == 0
    for name in ("x", "denoised"):
        assert b"".join(images(body, name) for body, _ in previews) == images(whole, name)


def test_of_a_run_so_long_that_states_are_left_out_each_preview_is_whole(monkeypatch):
    monkeypatch.setattr(watch, "PREVIEW_SECONDS", 0.0)
    monkeypatch.setattr(pack, "MAX_NUMBERS", 3 * 2 * 64)
    runs = [body["run"] for body, _ in bodies(Picture(experiment=DIGITS))]
    assert [run["index"] for run in runs[3:5]] == [[0, 2, 3], [0, 2, 4]]
    assert all(run["since"] == 0 for run in runs[3:])
    assert len(images({"run": runs[4]}, "x")) == 3 * 2 * 64
