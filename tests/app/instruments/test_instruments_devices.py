"""The instruments compute on a GPU, here the second of two pretended ones, and wait for it for what they show."""

import pytest

from app.instruments import INSTRUMENTS, lanes
from app.work import watch
from app.work.shared import Work
from tests import pretended
from tests.app.instruments import bodies


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_what_an_instrument_shows_first_comes_from_the_gpu_at_once(name, monkeypatch):
    monkeypatch.setattr(watch, "PREVIEW_SECONDS", 0.0)  # it shows each thing as it comes, however slow the machine is
    monkeypatch.setattr(lanes, "UPDATE_SECONDS", 0.0)
    with pretended.gpu(2) as gpu:
        monkeypatch.setattr("edm.experiments.runner.quickest", lambda *asked: gpu.devices[1])  # toys, too
        body, _ = next(bodies(name, work=Work(str(gpu.devices[1]))))
        back = {where: count for where, count in gpu.waits.items() if not where.startswith("H2D")}
    assert body and sum(back.values()) <= 3, back
