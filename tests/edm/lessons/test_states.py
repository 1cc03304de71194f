"""A state of a lesson's step is computed when it is measured, beside others."""

import threading
from concurrent.futures import ThreadPoolExecutor

from edm import lessons
from edm.sampling.denoisers import Around


class Meeting(Around):
    """A denoiser that waits, when it is first asked, until another has been asked, too."""

    def __init__(self, inner, barrier):
        super().__init__(inner)
        self.barrier = barrier

    def __call__(self, x, sigma, labels=None):
        if self.barrier is not None:
            self.barrier.wait(10)
            self.barrier = None
        return self.inner(x, sigma, labels)


def test_one_gives_its_turn_to_another_in_the_middle_of_its_work():
    barrier, step = threading.Barrier(2), lessons.load("steps").steps[0]

    def told():
        met = iter([barrier])
        ask = lessons.Measured(step.experiments(), lambda inner: Meeting(inner, next(met, None)))
        return lessons.told("{mean(here)}", ask)

    with ThreadPoolExecutor(2) as threads:
        first, second = (each.result() for each in [threads.submit(told), threads.submit(told)])
    assert first == second == lessons.told("{mean(here)}", lessons.Measured(step.experiments()))
