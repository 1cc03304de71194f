"""The race: how good samples are for a number of evaluations, for several samplers side by side."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch

from edm import timesteps
from edm.base.errors import Refused
from edm.base.fields import SettingsError
from edm.diagnostics.errors import REFERENCE_STEPS, reference, remedy, rms_error
from edm.diagnostics.statistics import interval
from edm.sampling.loop import last, sample
from edm.sampling.noise import seeds
from edm.sampling.path import path_of
from edm.sampling.settings import MAX_STEPS, Sampling
from edm.solvers import SOLVERS

EVALUATIONS = (2, 5, 10, 15, 20, 35, 50, 80, 120, 200)


class Lane(NamedTuple):
    """One runner: its denoiser D(x, sigma, labels=None), how it samples, and labels for the latents, or None."""

    denoiser: Callable
    sampling: Sampling
    labels: object = None


@dataclass(frozen=True)
class RacePoint:
    """What a lane reaches with N = `steps`, at `evaluations` calls of its denoiser for each sample.

    values: one for each seed, in the order given; value, low, high: their mean and its 95 % interval, which is NaN
    for a single seed.
    """

    lane: str
    steps: int
    evaluations: int
    value: float
    low: float
    high: float
    values: tuple[float, ...]


def steps_for(sampling: Sampling, evaluations: int, cost: Callable[[Sampling], int] | None = None) -> int:
    """The largest N that costs at most `evaluations` with these settings' solver; at least 1. cost: of settings, where
    a call is not one evaluation, such as that of `runner.path`.

    Euler: N = evaluations; Heun: (evaluations + 1)//2. No more than the discretization has levels in the range (iDDPM's
    are few), nor than 1000. A hand-made list of levels is as long as it is. Raises SettingsError for fewer than 1
    evaluation.
    """
    if evaluations < 1:
        raise SettingsError(f"evaluations = {evaluations}: must be at least 1", ("evaluations",))
    if sampling.sigmas is not None:
        return sampling.N
    available = timesteps.DISCRETIZATIONS[sampling.discretization].most
    most = min(MAX_STEPS, available(*sampling.range)) if available else MAX_STEPS
    solver, low = SOLVERS[sampling.solver], 1

    def costs(steps):
        return cost(sampling.changed(steps=steps)) if cost else solver.cost(steps, sampling)

    while low < most:
        middle = (low + most + 1) // 2
        low, most = (middle, most) if costs(middle) <= evaluations else (low, middle - 1)
    return low


def with_evaluations(sampling: Sampling, evaluations: int) -> Sampling:
    """The settings with `steps_for` that many evaluations: equal NFE for whatever solver they name."""
    return sampling.changed(steps=steps_for(sampling, evaluations))


def race(
    lanes: Mapping[str, Lane | tuple], latents: torch.Tensor, evaluations: Sequence[int] = EVALUATIONS,
    measure: str | Callable = "error", references: dict | None = None, reference_steps: int = REFERENCE_STEPS,
) -> Iterator[RacePoint]:  # fmt: skip
    """Yields the points of all lanes, from cheap to dear, the lanes taking turns; where N stays, there is no new one.

    latents: unit normal [B, …], the same in all lanes, for the noise of each lane's own seed; or {seed: latents}, to
    repeat everything with the latents and the noise of each seed.
    measure: "error", RMS to the solution of the lane's own denoiser from the same latents (lanes with different
    sigma_max have different ones); or samples [B, …] -> float, such as `to_data(experiment, "distance")`.
    references: solutions that are known, by (lane, seed, σ₀); those computed are added. Keep it for the next race with
    the same denoisers, latents and reference_steps. Errors near the solution's own are not to be trusted.
    Raises ValueError at once for lanes that cannot run: no lane, or "error" for S_churn > 0.
    """
    lanes = {name: lane if isinstance(lane, Lane) else Lane(*lane) for name, lane in lanes.items()}
    if not lanes or not evaluations:
        raise Refused("a race needs a lane or more, and a number of evaluations or more")
    if measure != "error" and not callable(measure):
        raise Refused(f"measure = {measure!r:.40}: must be 'error', or a function of samples")
    entries: dict = {}
    for budget in sorted(evaluations):
        for name, lane in lanes.items():
            sampling = with_evaluations(lane.sampling, budget)
            entries[name, sampling.steps] = lane, sampling
    for (name, _), (lane, sampling) in entries.items():
        if measure == "error" and sampling.stochastic:
            has = f"S_churn = {sampling.S_churn:g}" if sampling.S_churn > 0 else sampling.solver
            raise Refused(
                f"lane {name!r} has {has}: a stochastic path has no ODE solution to compare with; "
                f"{remedy(sampling)}, or measure the "
                "distance to the data"
            )
        for seed, z in _repeats(latents, sampling).items():
            _sampled(lane, z, sampling, seed)  # refuses at once what cannot run
    known = {} if references is None else references
    return _points(entries, latents, measure, known, reference_steps)


def _points(entries, latents, measure, references, reference_steps):
    for (name, steps), (lane, sampling) in entries.items():
        values = []
        for seed, z in _repeats(latents, sampling).items():
            end = last(_sampled(lane, z, sampling, seed))
            if measure == "error":
                value = rms_error(end.x, _solution(references, name, lane, z, sampling, seed, reference_steps))
            else:
                value = float(measure(end.x)) if torch.isfinite(end.x).all() else math.nan
            values.append(value)
        yield RacePoint(name, steps, end.evaluations, *interval(values), tuple(values))


def _repeats(latents, sampling) -> Mapping:
    return latents if isinstance(latents, Mapping) else {sampling.seed: latents}


def _sampled(lane, z, sampling, seed):
    """The states of the seed's samples 0 … B − 1."""
    return sample(lane.denoiser, z, sampling, lane.labels, seeds=seeds(seed, len(z)))


def _solution(references, name, lane, z, sampling, seed, steps):
    start = path_of(sampling, lane.denoiser).sigmas[0]
    if (name, seed, start) not in references:
        references[name, seed, start] = reference(lane.denoiser, z, sampling, lane.labels, steps)
    return references[name, seed, start]
