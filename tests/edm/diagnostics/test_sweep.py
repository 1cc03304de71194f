"""A sweep costs what its plan says, and shares what its cells have in common without changing a bit of them."""

import math

import pytest
import torch

import edm
from edm import diagnostics, runner
from edm.diagnostics import Axis, Shared, Sweep, plan_sweep, run_sweep
from edm.solvers import SOLVERS


class Counting:
    """A denoiser with its attributes, that counts how often it is asked."""

    def __init__(self, denoiser):
        self.denoiser, self.calls = denoiser, 0

    def __getattr__(self, name):
        return getattr(self.__dict__["denoiser"], name)

    def __call__(self, x, sigma, labels=None):
        self.calls += 1
        return self.denoiser(x, sigma, labels)


def two_moons(count=8, **sampling):
    return edm.Experiment(model="two_moons", count=count, sampling=edm.Sampling(**sampling))


CHURN = two_moons(steps=9, S_churn=30)
SWEEPS = {
    "churn": Sweep(
        CHURN, Axis.parse("S_noise", "1-1.009 (+0.003)"), Axis.parse("S_tmin", "0,0.1,1,10"), (0, 5), "distance"
    ),
    "late churn": Sweep(CHURN, Axis.parse("S_tmax", "0.01-100 (x10)"), Axis.parse("S_churn", "0,10,40")),
    "no effect": Sweep(two_moons(steps=5), Axis.parse("S_noise", "1,1.01"), Axis.parse("S_tmin", "0,1,5")),
    "levels": Sweep(two_moons(steps=6), Axis.parse("rho", "3-9 (+2)"), Axis.parse("sigma_max", "0.001,10,80")),
    "rows": Sweep(two_moons(steps=7), Axis.parse("discretization", "all"), Axis.parse("schedule", "all")),
    "scaling": Sweep(two_moons(steps=7), Axis.parse("scaling", "all"), Axis.parse("schedule", "all")),
    # other solvers begin as one of these does, but for the last digit, which float32 does not have
    "solver": Sweep(
        two_moons(steps=7), Axis.parse("solver", "euler,heun,lms,dpmpp_2m,unipc,restart"), Axis.parse("alpha", "0.5,1")
    ),
    "seed": Sweep(CHURN, Axis.parse("seed", "0,1"), Axis.parse("S_tmin", "0,1")),
    "count": Sweep(CHURN, Axis.parse("count", "2,8"), Axis.parse("S_tmin", "0,1"), (1, 2), "distance"),
    "model": Sweep(CHURN, Axis.parse("model", "spiral,two_moons"), Axis.parse("S_tmin", "0,1,2"), (1,), "distance"),
    "error": Sweep(
        two_moons(steps=4), Axis.parse("steps", "1-4"), Axis.parse("sigma_max", "10,80"), (1, 2), "error", 20
    ),
    "single": Sweep(CHURN, Axis.parse("steps", "3,4")),
}


@pytest.mark.parametrize("name", SWEEPS)
def test_the_plan_is_what_happens(name):
    """Every evaluation, with the cells counted one by one."""
    sweep = SWEEPS[name]
    asked = Counting(edm.data.load("two_moons").denoiser)
    denoiser = asked if sweep.one_model else None
    plan, cells = plan_sweep(sweep, denoiser), list(run_sweep(sweep, denoiser))
    assert sum(cell.evaluations for cell in cells) == plan.evaluations
    assert denoiser is None or asked.calls == plan.evaluations
    assert [(cell.row, cell.column) for cell in cells] == [(cell.row, cell.column) for cell in plan.cells]
    assert sorted((cell.row, cell.column) for cell in cells) == [
        (row, column) for row in range(sweep.shape[0]) for column in range(sweep.shape[1])
    ]
    possible = [cell.experiment.sampling for cell in cells if cell.experiment]
    alone = sum(SOLVERS[s.solver].cost(s.steps, s) for s in possible)
    assert plan.naive == alone * len(sweep.seeds) and plan.shared <= plan.naive


def test_what_is_shared_is_what_the_knobs_leave_alike():
    assert plan_sweep(SWEEPS["no effect"]).shared == 9  # of one cell: without churn neither knob matters
    first = Sweep(two_moons(steps=6), Axis("alpha", (0.5, 0.7, 1.0)))
    assert plan_sweep(first).shared == 3 * 11 - 2  # the slope at σ_0
    plan = plan_sweep(SWEEPS["levels"])
    assert plan.problems == 4 and all("sigma_max = 0.001" in cell.problem for cell in plan.cells[:4])
    levels = edm.timesteps.sigmas(CHURN.sampling).tolist()
    alike = sum(level >= 1 for level in levels)  # steps that both churn, of two evaluations each
    assert plan_sweep(Sweep(CHURN, Axis("S_tmin", (0.0, 1.0)))).shared == 2 * 17 - 2 * alike


@pytest.mark.parametrize("megabytes", [0, 0.01, 0.03, 0.05, 256])
def test_a_smaller_memory_costs_evaluations_as_planned_and_changes_nothing(megabytes):
    sweep, asked = SWEEPS["churn"], Counting(edm.data.load("two_moons").denoiser)
    cells = {(c.row, c.column): c for c in run_sweep(sweep, asked, megabytes=megabytes)}
    assert asked.calls == plan_sweep(sweep, megabytes=megabytes).shared
    for cell in cells.values():
        alone = edm.last(runner.states(cell.experiment)).x
        assert torch.equal(cell.samples, alone)
    assert (asked.calls < 16 * 2 * 17) == (megabytes >= 0.03)  # one cell's path is 34 results of 564 bytes


def test_learned_models_share_bit_for_bit():
    """Discrete levels and classes included; in float32, with the network's own arithmetic."""
    experiment = edm.Experiment(model="digits_iddpm", count=2, sampling=edm.Sampling(steps=3, S_churn=1))
    sweep = Sweep(experiment, Axis.parse("S_tmin", "0,5"), measure="frechet", seeds=(0, 1))
    for cell in run_sweep(sweep):
        assert torch.equal(cell.samples, edm.last(runner.states(cell.experiment)).x)
        assert len(cell.values) == 2 and all(value > 0 for value in cell.values)
    assert plan_sweep(sweep).shared < plan_sweep(sweep).naive


def test_errors_are_those_to_the_solution():
    sweep = SWEEPS["error"]
    for cell in run_sweep(sweep):
        for seed, value in zip(sweep.seeds, cell.values, strict=True):
            sampling = cell.experiment.sampling.changed(seed=seed)
            z = edm.latents(edm.seeds(seed, 8), (2,))
            denoiser = edm.data.load("two_moons").denoiser
            exact = diagnostics.reference(denoiser, z, sampling, steps=20)
            assert value == diagnostics.rms_error(edm.last(edm.sample(denoiser, z, sampling)).x, exact)
        assert cell.interval[1] < cell.interval[0] < cell.interval[2]


def test_a_stochastic_cell_has_no_error_and_the_others_go_on():
    sweep = Sweep(two_moons(steps=2), Axis.parse("S_churn", "0,5"), measure="error", reference_steps=8)
    cells = {cell.column: cell for cell in run_sweep(sweep)}
    assert cells[0].values and not cells[0].problem
    assert not cells[1].values and cells[1].samples is None and "S_churn" in cells[1].problem


def test_what_is_done_stays_when_a_sweep_is_stopped():
    class Stop(Exception):
        pass

    class Guard(Counting):
        def __call__(self, x, sigma, labels=None):
            if len(x) == 8 and len(done) == 3:  # the plan's stand-in has one sample
                raise Stop
            return super().__call__(x, sigma, labels)

    done = []
    with pytest.raises(Stop):
        for cell in run_sweep(SWEEPS["churn"], wrap=Guard):
            done.append(cell)
    assert len(done) == 3 and all(torch.isfinite(cell.samples).all() for cell in done)
    asked = Counting(edm.data.load("two_moons").denoiser)
    cells = run_sweep(SWEEPS["churn"], asked)
    first, calls = next(cells), asked.calls
    cells.close()
    assert first.samples.shape == (8, 2) and asked.calls == calls == first.evaluations


def test_a_sample_without_bounds_has_no_value():
    sweep = Sweep(two_moons(steps=2), Axis.parse("rho", "3,7"), measure="distance")
    for cell in run_sweep(sweep, lambda x, sigma, labels=None: x * math.nan):
        assert math.isnan(cell.values[0]) and "without bounds" in cell.problem


def test_a_denoiser_may_lack_every_attribute():
    sweep = Sweep(two_moons(steps=3), Axis.parse("S_tmin", "0,5"), Axis.parse("S_churn", "0,5"))
    cells = list(run_sweep(sweep, lambda x, sigma: x / (1 + sigma)))
    assert sum(cell.evaluations for cell in cells) == plan_sweep(sweep).shared


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Axis("colour", (1,)), "cannot be an axis"),
        (lambda: Axis("rho", ()), "no values"),
        (lambda: Sweep(CHURN, Axis("rho", (1.0,)), Axis("rho", (2.0,))), "both axes are rho"),
        (lambda: Sweep(CHURN, Axis("rho", (1.0,)), measure="beauty"), "must be one of samples, error"),
        (lambda: Sweep(CHURN, Axis("seed", (1,)), seeds=(1, 2), measure="distance"), "seed is an axis"),
        (lambda: Sweep(CHURN, Axis("rho", (1.0,)), seeds=(-1,)), "seed = -1"),
        (lambda: plan_sweep(Sweep(CHURN, Axis("S_churn", tuple(range(5000))))), "5,000 cells; at most 4,096"),
        (
            lambda: plan_sweep(
                Sweep(CHURN, Axis("steps", tuple(range(900, 1000))), seeds=(1, 2, 3), measure="distance")
            ),
            "569,400 evaluations of the denoiser; at most 400,000",
        ),
        (lambda: plan_sweep(Sweep(CHURN, Axis("model", ("spiral",))), lambda x, s: x), "one denoiser"),
    ],
)
def test_what_cannot_be_swept_gets_a_sentence(make, said):
    with pytest.raises(edm.SettingsError, match=said):
        make()


def test_measures_that_do_not_fit_say_so():
    digits = edm.Experiment(model="digits", count=2)
    for experiment, measure, said in (
        (digits, "distance", "is for points"),
        (two_moons(), "frechet", "points have distance"),
        (digits.changed(label=3), "frechet", "leave the class open"),
        (digits.changed(count=1), "frechet", "2 samples"),
        (two_moons(), "samples", "no measure"),
    ):
        with pytest.raises(edm.SettingsError, match=said):
            diagnostics.to_data(experiment, measure)


def test_a_shared_denoiser_asks_once_and_gives_the_same_bits():
    asked = Counting(edm.data.load("two_moons").denoiser)
    shared, x = Shared(asked), torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
    exact = asked.denoiser(x, 1.5)
    first = shared(x, 1.5)
    first.zero_()  # what a caller does to its copy is the caller's
    assert torch.equal(shared(x.clone(), 1.5), exact) and (shared.calls, shared.evaluations, asked.calls) == (2, 1, 1)
    assert shared.sigma_data == asked.sigma_data  # the denoiser's attributes
    for other in ((x + 1e-7, 1.5), (x, 1.5 + 1e-15), (x.double(), 1.5), (x[:4], 1.5), (-x, 1.5)):
        shared(*other)
    assert asked.calls == 6
    zero = torch.zeros(1, 2)
    shared(zero, 1.0), shared(-zero, 1.0)
    assert asked.calls == 8  # −0 has other bits


def test_classes_are_part_of_the_question():
    shared = Shared(edm.data.load("digits").denoiser)
    x = torch.zeros(2, 1, 8, 8)
    results = [shared(x, 5.0, labels) for labels in (None, [1, 2], torch.tensor([1, 3]), torch.tensor([1, 2]), [1, 2])]
    assert shared.evaluations <= 4 and torch.equal(results[1], results[3])
    assert not torch.equal(results[1], results[2]) and not torch.equal(results[0], results[1])


def guided(**settings):
    return edm.Experiment(model="two_moons", count=8, guidance="free", sampling={"steps": 5}, **settings)


def test_a_cell_is_guided_as_its_experiment_is_over_weights_and_intervals():
    sweep = Sweep(guided(), Axis.parse("guidance_interval", "none, 0-1"), Axis.parse("guidance_weight", "1, 3"), (0, 4))
    cells = list(run_sweep(sweep))
    assert len(cells) == 4 and not any(cell.problem for cell in cells)
    for cell in cells:
        alone = edm.last(edm.runner.states(cell.experiment)).x
        assert torch.equal(cell.samples, alone), cell.experiment


def test_steps_above_an_interval_are_taken_once_for_all_weights_and_the_plan_counts_guided_ones_twice():
    interval = Sweep(guided(guidance_interval=(0, 1)), Axis.parse("guidance_weight", "1, 2, 3"))
    plan = plan_sweep(interval)
    paths = [edm.runner.path(cell.experiment) for cell in plan.cells]
    assert plan.naive == sum(path.evaluations for path in paths)
    above = 2 * sum(sigma > 1 for sigma in paths[0].sigmas)
    assert plan.shared == plan.naive - 2 * above


def test_the_error_of_a_guided_cell_is_to_the_guided_solution():
    fine = Sweep(guided(guidance_weight=3), Axis.parse("steps", "6, 60"), measure="error", reference_steps=200)
    coarse, close = (cell.values[0] for cell in sorted(run_sweep(fine), key=lambda cell: cell.column))
    assert close < 0.1 * coarse
