"""Agreement with what other codes return from the same latents and levels: 1e-9 relative in float64."""

import json
from pathlib import Path

import pytest
import torch

import edm
from edm.solvers import SOLVERS

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "solvers.json").read_text())
RENAMED = {"num_steps": "steps", "solver_type": "variant"}
KNOBS = {"rho", "sigma_min", "sigma_max", "order", "variant", "lower_order_final", "eta", *RENAMED.values()}
# LMS down to the last level above 0; iPNDM with weights of unequal steps is right at order 2, and is LMS then
CALLED = {"lms_euler_final": "lms", "ipndm_v": "lms"}
OTHERWISE = {  # by choice: LMS of full order to σ = 0, another 3M, DEIS in VP's time
    "lms", "dpmpp_3m_kd", "deis_tab",
}  # fmt: skip


def float64(values):
    return torch.tensor(values, dtype=torch.float64)


def settings(case):
    named = {RENAMED.get(name, name): value for name, value in case.items()}
    return {"solver": CALLED.get(case["solver"], case["solver"]), **{k: v for k, v in named.items() if k in KNOBS}}


def drawn(k, x):
    return torch.cos(torch.arange(x.numel(), dtype=torch.float64) + k + 1).reshape(x.shape)


def agrees(case, noise=None):
    mixture = edm.exact.GaussianMixture(*(GOLDEN["mixture"][name] for name in ("means", "stds", "weights")))
    end = edm.last(edm.sample(mixture, float64(GOLDEN["latents"]), edm.Sampling(**settings(case)), noise=noise))
    torch.testing.assert_close(end.x, float64(case["x"]), rtol=1e-9, atol=1e-12)
    assert end.evaluations == case["evaluations"]


ASKED = [case for case in GOLDEN["cases"] if case["solver"] not in OTHERWISE and "defect" not in case]


@pytest.mark.parametrize("case", ASKED, ids=lambda case: str(settings(case)))
def test_solvers_of_the_ode_give_the_samples_of_other_codes(case):
    agrees({name: value for name, value in case.items() if name != "eta"})


@pytest.mark.parametrize("case", GOLDEN["stochastic"]["cases"], ids=lambda case: str(settings(case)))
def test_stochastic_solvers_give_them_from_the_recorded_noise(case):
    agrees(case, drawn)


def test_every_published_solver_that_is_here_is_compared():
    compared = {settings(case)["solver"] for case in [*ASKED, *GOLDEN["stochastic"]["cases"]]}
    assert compared == set(SOLVERS) - {"deis", "ddim", "restart"}
