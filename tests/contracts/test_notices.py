"""What each of the paper's figures claims, computed on what it draws here.

The quick ones are computed at each run; those that take minutes under `-m slow`.
"""

import json

import pytest

from app.instruments import INSTRUMENTS, notices
from app.instruments.job import Figure
from app.work.shared import Work
from app.work.watch import Watch
from edm.experiments import presets

FIGURES = [name.removeprefix("figures/") for name in presets.names("figures")]
NOT_HERE = {  # as README says of most
    "adm_tradeoff", "interval_gain", "figure2_ddim", "figure4", "figure5b", "appendix_e", "cascade",
}  # fmt: skip
SLOW = {
    "figure1", "figure2_vp", "figure2_ve", "figure2_ddim", "figure4", "figure5a", "figure5b", "rho", "appendix_d",
    "appendix_e", "ideal_copies", "copy_or_create", "autoguidance_outliers", "cascade",
}  # fmt: skip
REFINED = 12  # bodies of one that goes on refining


@pytest.fixture(scope="module")
def work():
    return Work("cpu")


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow if n in SLOW else ()) for n in FIGURES])
def test_whether_its_claim_holds_here_is_what_is_said_of_it(name, work):
    show, values = presets.figure(name)
    instrument = INSTRUMENTS[show]
    told = None
    bodies = Figure(instrument=show, settings=instrument.complete(values)).compute(work, Watch())
    for k, (body, last) in enumerate(bodies):
        found = (json.loads(body) if isinstance(body, str) else body).get("notice")
        if found and found["holds"] is not None:
            told = found
            if show in ("tradeoff", "cascade") or (
                instrument.streams and k >= REFINED
            ):  # its numbers are there at once, the pictures come later
                break
        assert not last or told, "nothing was drawn that the claim is about"
    bodies.close()
    assert told["holds"] == (name not in NOT_HERE), told
    assert told["told"]
    if name in NOT_HERE:
        assert notices.read(f"figures/{name}").otherwise, "why it does not hold is said"


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_says_what_to_notice(name):
    assert notices.read(f"figures/{name}") is not None
