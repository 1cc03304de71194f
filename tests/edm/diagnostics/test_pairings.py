"""A solver and a grid as one choice: how it is written, what it does, and as an axis of a sweep."""

import pytest

import edm
from edm import diagnostics
from edm.base.fields import SettingsError
from edm.diagnostics import Axis, Pairing, Sweep
from edm.experiments.experiment import Experiment
from edm.sampling.settings import Sampling

SAME = {
    "heun/karras": "heun/edm:rho=7",
    "lms_1/uniform": "lms:order=1/edm:rho=1",
    "DPM++ 2M/exponential@flow": "dpmpp_2m/ve@flow",
    " midpoint ": "heun:alpha=0.5",
    "/sd3-shift": "/flow:shift=3",
    "unipc:variant=bh1:lower_order_final=true/arctan:sigma_mid=2": None,
    "@vp": None,
}


@pytest.mark.parametrize("text", SAME)
def test_a_pair_is_written_by_own_names_and_read_again(text):
    pair = Pairing.parse(text)
    assert str(pair) == (SAME[text] or text)
    assert Pairing.parse(str(pair)) == pair and pair.title


def test_a_pair_changes_solver_and_grid_and_nothing_else():
    base = Sampling(steps=7, seed=3, alpha=0.5, shift=2, rho=3, sigma_max=50.0)
    found = Pairing.parse("lms:order=4/flow").applied(base)
    assert (found.solver, found.order, found.discretization, found.shift) == ("lms", 4, "flow", 1)
    assert (found.steps, found.seed, found.range, found.schedule) == (7, 3, base.range, "linear")
    assert Pairing.parse("/exponential").applied(base).range == base.range  # not VE's own
    assert Pairing.parse("@flow").applied(base) == base.changed(schedule="flow", scaling="flow")
    assert Pairing.parse("heun/edm").applied(base.changed(solver="unipc", variant="bh1")).variant is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "nothing is named; write heun/karras"),
        ("huen/edm", "no solver 'huen'.*did you mean 'heun'"),
        ("heun/karas", "no kind of time steps 'karas'.*did you mean 'karras'"),
        ("heun:shift=2/flow", "heun has no knob 'shift'; it has alpha"),
        ("lms:order=9", "order = 9: must be a whole number, at least 1 and at most 4"),
        ("lms_1:order=2", "leave one of them out"),
        ("heun@nowhere", "no column 'nowhere'; there are vp"),
    ],
)
def test_what_no_pair_can_be_gets_a_sentence(text, said):
    with pytest.raises(SettingsError, match=said):
        Pairing.parse(text)


def test_pairs_are_an_axis_of_a_sweep_and_every_cell_has_its_own_grid():
    pairs = Axis.parse("pair", "heun/karras, lms:order=4/flow:shift=0.5@flow, ddim:eta=0/exponential")
    sweep = Sweep(Experiment(model="two_moons", count=30), pairs, Axis.parse("steps", "3,4"), measure="error")
    cells = {(cell.row, cell.column): cell for cell in diagnostics.run_sweep(sweep)}
    assert len(cells) == 6 and all(cell.values[0] > 0 for cell in cells.values())
    levels = {column: cells[0, column].experiment.sampling.changed(steps=4) for column in range(3)}
    assert len({tuple(edm.timesteps.sigmas(sampling).tolist()) for sampling in levels.values()}) == 3
    for (row, column), cell in cells.items():
        alone = pairs.values[column].applied(Sampling(steps=(3, 4)[row]))
        model = edm.models.load("two_moons")
        end = diagnostics.sampling_error(model.denoiser, edm.latents(edm.seeds(0, 30), model.shape), alone)
        assert cell.values[0] == pytest.approx(end, rel=1e-4)


def test_no_grid_is_silently_ignored_in_a_sweep():
    pair = Axis.parse("pair", "heun/flow")
    by_hand = Experiment(sampling={"sigmas": [10.0, 1.0]})
    for axis in (pair, Axis("discretization", ("edm", "flow")), Axis("rho", (3.0,))):
        with pytest.raises(SettingsError, match=f"{axis.name} cannot be an axis: the levels are given by hand"):
            Sweep(by_hand, axis)
    for other in ("solver", "discretization"):
        with pytest.raises(SettingsError, match=f"the pair heun/flow sets {other}, which is an axis, too"):
            Sweep(Experiment(), pair, Axis.parse(other, "all"))
    sweep = Sweep(Experiment(), Axis.parse("discretization", "edm,flow"), Axis.parse("rho", "3"))
    assert [sweep.idle(0, k) for k in range(2)] == [(), ("rho",)]
    stages = Sweep(Experiment(), Axis.parse("solver", "heun,unipc"), Axis.parse("schedule", "flow"))
    assert [stages.idle(0, k) for k in range(2)] == [(), ("schedule",)]
