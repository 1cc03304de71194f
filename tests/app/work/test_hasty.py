"""What is computed in bf16 is a preview while a knob moves; what stays, is kept and is measured is float32."""

import time

import pytest
import torch

from app.figures import pack
from app.work import hasty, watch
from app.work.measures import Measures
from app.work.pictures import Picture
from app.work.shared import Work
from edm import models, runner
from edm.base import precisions
from edm.experiments.experiment import Experiment
from edm.sampling.computing import Cast
from edm.sampling.settings import Sampling
from tests.app.work import bodies, final

CPU = torch.device("cpu")
DIGITS = Experiment(model="digits_edm", count=2, sampling=Sampling(steps=3))
MOVED = Picture(experiment=DIGITS, moving=True)


@pytest.fixture
def measured(monkeypatch):
    """measured(is bf16 quicker?) -> Work that knows it of the digits' network, and what was asked."""
    asked = []
    monkeypatch.setattr(watch, "PREVIEW_SECONDS", 0.0)

    def known(quicker, capabilities=("avx512_bf16",)):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: dict.fromkeys(capabilities, True))
        monkeypatch.setattr(hasty, "quicker", lambda *what: asked.append(what) or quicker)
        work, ended = Work("cpu"), time.monotonic() + 5
        list(bodies(MOVED, work))
        while not asked and "avx512_bf16" in capabilities and time.monotonic() < ended:
            time.sleep(0.01)
        return work, asked

    return known


def precision(found):
    return [body["precision"] for body, _ in found]


def test_while_a_knob_moves_the_first_preview_is_bf16_and_what_follows_is_the_float32_that_a_knob_at_rest_has(measured):
    work, _ = measured(True)
    another = Picture(experiment=DIGITS.changed(sampling={"rho": 5}), moving=True)
    moved, rest = list(bodies(another, work)), list(bodies(Picture(experiment=another.experiment)))
    assert precision(moved) == ["bf16", *["float32"] * (len(moved) - 1)]
    assert moved[-1][1] and moved[-1][0]["run"] == rest[-1][0]["run"]
    assert precision(rest) == ["float32"] * len(rest)
    shown = [len(body["run"]["index"]) for body, _ in moved]
    assert sorted(set(shown[:-1])) == shown[:-1], "what follows has come further each time"
    assert moved[1][0]["run"]["since"] == 0, "the first in float32 is whole"


def test_what_is_kept_and_measured_of_a_picture_while_a_knob_moved_is_float32(measured):
    work, _ = measured(True)
    job = Picture(experiment=DIGITS.changed(sampling={"rho": 6}), moving=True)
    *_, (whole, _) = bodies(job, work)
    assert list(bodies(job, work)) == list(bodies(Picture(experiment=job.experiment), work)) == [(whole, True)]
    found = final(Measures(experiment=job.experiment), work)
    assert found == final(Measures(experiment=job.experiment), Work("cpu"))


@pytest.mark.parametrize(
    ("quicker", "capabilities"), [(False, ("avx512_bf16",)), (True, ()), (True, ("avx512_f",))], ids=str
)
def test_bf16_is_never_used_where_it_is_not_quicker_or_the_processor_has_none(quicker, capabilities, measured):
    work, asked = measured(quicker, capabilities)
    found = list(bodies(Picture(experiment=DIGITS.changed(sampling={"rho": 5}), moving=True), work))
    assert precision(found) == ["float32"] * len(found)
    assert len(asked) == ("avx512_bf16" in capabilities), "it is measured once, and only where it can be"


@pytest.mark.parametrize("model", ["eight_gaussians", "digits", "spiral_mlp"])
def test_points_and_exact_denoisers_are_never_hasty(model, measured):
    work, asked = measured(True)
    asked.clear()
    found = list(
        bodies(Picture(experiment=Experiment(model=model, count=2, sampling=DIGITS.sampling), moving=True), work)
    )
    assert set(precision(found)) == {"float32" if model == "spiral_mlp" else None}
    assert asked == []


def test_what_is_timed_is_the_network_in_bf16_against_itself(monkeypatch):
    model, clock, seconds = models.load("digits_edm"), [0.0], {Cast: 2.0, type(models.load("digits_edm").denoiser): 3.0}

    def takes(kind):
        def computed(self, x, *conditions):
            clock[0] += seconds[kind]
            return x

        monkeypatch.setattr(kind, "__call__", computed)

    for kind in seconds:
        takes(kind)
    monkeypatch.setattr(time, "thread_time", lambda: clock[0])
    assert hasty.quicker(model, CPU, 4)
    seconds[Cast] = 2.9
    assert not hasty.quicker(model, CPU, 4)


def test_a_processor_is_asked_for_its_instructions(monkeypatch):
    for name, quick in (("amx_bf16", True), ("bf16", True), ("avx512_f", False)):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda name=name: {name: True})
        assert precisions.fast_bf16(CPU) is quick


def test_the_last_picture_is_what_the_command_line_draws(measured):
    work, _ = measured(True)
    body = final(Picture(experiment=DIGITS.changed(count=3), moving=True), work)
    states = list(runner.states(DIGITS.changed(count=3)))
    assert body["run"]["x"] == pack.trajectory(states, models.of(DIGITS).sigma_data)["x"]
