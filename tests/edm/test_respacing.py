"""guided-diffusion's noise levels, and which of them its respacings keep."""

import numpy as np
import pytest

import edm
from edm import respacing, timesteps
from tests.adm import DIFFUSION

RESPACINGS = DIFFUSION["respacing"]


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_the_levels_are_the_golden_ones(schedule):
    levels = respacing.table(schedule == "cosine")[DIFFUSION["t"]]
    assert levels == pytest.approx(DIFFUSION["sigma"][schedule], rel=1e-11)


@pytest.mark.parametrize("text", RESPACINGS)
@pytest.mark.parametrize(("name", "cosine"), [("adm_linear", False), ("adm_cosine", True)])
def test_a_respacing_keeps_the_golden_times(text, name, cosine):
    golden, table = RESPACINGS[text], respacing.table(cosine)
    sampling = edm.Sampling(discretization=name, respacing=text, sigma_max=table[-1])
    times = np.searchsorted(table, timesteps.sigmas(sampling)[:-1].numpy() * (1 - 1e-9))[::-1]
    assert len(times) == sampling.steps == golden["count"]
    assert [*times[:6]] == golden["first"] and [*times[-4:]] == golden["last"]
    assert times.sum() == golden["sum"] and (times**2).sum() == golden["sum_of_squares"]


def test_a_respacing_says_how_many_steps_there_are_once():
    sampling = edm.Sampling(discretization="adm_linear", steps=7, respacing="90,60,60,20,20")
    assert sampling.document() == {"discretization": "adm_linear", "steps": 250, "respacing": "90:60:60:20:20"}
    fewer = edm.Sampling.parse({**sampling.document(), "steps": 25})
    kept = respacing.kept(1000, fewer.steps, fewer.respacing)
    assert [int(((kept >= start) & (kept < start + 200)).sum()) for start in range(0, 1000, 200)] == [9, 6, 6, 2, 2]
    assert edm.Sampling(discretization="adm_linear", respacing="250").document() == {
        "discretization": "adm_linear",
        "steps": 250,
    }


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"respacing": "fast"}, "respacing = 'fast': must be a number of steps such as 250, ddim25, or"),
        ({"respacing": "0"}, "must be a number of steps"),
        ({"respacing": "ddim45"}, "no whole stride takes steps = 45 of 1000 levels; use 44"),
        ({"respacing": "900,10"}, "a part of 500 noise levels cannot have 900 steps"),
        ({"steps": 300, "sigma_max": 0.1}, "but steps = 300; use fewer steps or a wider range"),
    ],
)
def test_what_cannot_be_respaced_is_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        edm.Sampling(discretization="adm_linear", **settings)
