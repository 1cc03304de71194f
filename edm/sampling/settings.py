"""How to sample, as validated, frozen, serializable data: every knob declared once."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import BeforeValidator, model_validator

from edm.base.errors import Refused
from edm.base.fields import Number, Settings, Whole, knob, number_or_none, refusal
from edm.respacing import parsed
from edm.schedules import SCALINGS, SCHEDULES
from edm.solvers import SOLVERS, restart
from edm.timesteps import DISCRETIZATIONS, levels_of

MAX_STEPS = 1000
MIN_SIGMA, MAX_SIGMA = 1e-6, 1e5


def forms() -> dict[str, None]:
    """What `variant` may be, with one solver or another."""
    return dict.fromkeys(form for solver in SOLVERS.values() for form in solver.forms)


class Sampling(Settings):
    """How to sample: the upper part of Table 1 and Algorithm 2's stochasticity. All pure numbers."""

    solver: str = knob("heun", "solver", "How a step from one noise level to the next is taken", choices=SOLVERS)
    alpha: Number = knob(
        1.0, "α", "Second-order family: 1 is Heun, ½ midpoint, ⅔ Ralston", slider=(0.1, 1), step=0.01, gt=0, le=1
    )
    order: Whole | None = knob(
        None,
        "order",
        "How many slopes a multistep method uses; none: its own number",
        slider=(1, 4),
        step=1,
        ge=1,
        le=4,
    )
    variant: str | None = knob(None, "variant", "Which form of the method; none: its own", choices=forms)
    lower_order_final: bool = knob(
        False, "lower order at the end", "Let the order fall to 1 on the last steps above 0, as published codes do"
    )
    eta: Number = knob(
        1.0,
        "η",
        "Fresh noise of a stochastic solver: 1 as much as it takes away, 0 none: the ODE",
        slider=(0, 1),
        step=0.01,
        ge=0,
        le=2,
    )
    restart_min: Number = knob(
        restart.LOW,
        "σ<sub>lo</sub>",
        "Where Restart goes back up",
        slider=(0.01, 1),
        log=True,
        ge=MIN_SIGMA,
        le=MAX_SIGMA,
    )
    restart_max: Number = knob(
        restart.HIGH,
        "σ<sub>hi</sub>",
        "Up to where Restart adds noise again",
        slider=(0.1, 80),
        log=True,
        ge=MIN_SIGMA,
        le=MAX_SIGMA,
    )
    restart_rounds: Whole = knob(
        restart.ROUNDS, "rounds", "How often Restart goes back up and comes down", slider=(0, 10), step=1, ge=0, le=100
    )
    restart_steps: Whole = knob(
        restart.STEPS,
        "down",
        "Heun's steps of each of Restart's rounds, two evaluations each",
        slider=(1, 10),
        step=1,
        ge=1,
        le=100,
    )
    discretization: str = knob("edm", "time steps", "Where the noise levels σᵢ lie", choices=DISCRETIZATIONS)
    schedule: str = knob("linear", "σ(t)", "Noise schedule: how σ grows with time", choices=SCHEDULES)
    scaling: str = knob(
        "none", "s(t)", "Scaling of the state: 1, or VP's, which keeps its size constant", choices=SCALINGS
    )
    steps: Whole = knob(
        18, "N", "Number of steps; Heun costs 2N − 1 evaluations", slider=(1, 64), step=1, ge=1, le=MAX_STEPS
    )
    rho: Number = knob(
        7.0,
        "ρ",
        "How much EDM's time steps crowd towards low noise; 1 is uniform in σ",
        slider=(1, 15),
        step=0.1,
        ge=0.1,
        le=100,
    )
    power: Number = knob(
        1.3,
        "p",
        "How much poly-exponential time steps crowd towards low noise",
        slider=(0.5, 3),
        step=0.05,
        ge=0.1,
        le=10,
    )
    sigma_mid: Number = knob(
        0.5,
        "σ<sub>mid</sub>",
        "The noise level around which arctan's time steps crowd",
        slider=(0.05, 10),
        log=True,
        ge=1e-3,
        le=1e3,
    )
    shift: Number = knob(
        1.0,
        "α",
        "Flow's time steps: α times the noise levels of an even t; below 1 they crowd towards low noise",
        slider=(0.1, 10),
        log=True,
        ge=0.01,
        le=100,
    )
    respacing: str | None = knob(
        None,
        "spacing",
        "Which of ADM's noise levels are kept: 250 or none for evenly many, ddim25, or 90,60,60,20,20 by parts",
    )
    sigma_min: Number | None = knob(
        None, "σ<sub>min</sub>", "Lowest noise level before 0", slider=(1e-3, 1), log=True, ge=MIN_SIGMA, le=MAX_SIGMA
    )
    sigma_max: Number | None = knob(
        None,
        "σ<sub>max</sub>",
        "Highest noise level, where sampling starts",
        slider=(1, 200),
        log=True,
        ge=MIN_SIGMA,
        le=MAX_SIGMA,
    )
    S_churn: Number = knob(
        0.0, "S<sub>churn</sub>", "Amount of fresh noise; 0 is the plain ODE", slider=(0, 100), step=0.5, ge=0
    )
    S_tmin: Number = knob(
        0.0,
        "S<sub>tmin</sub>",
        "Noise is added only where σ is at least this",
        slider=(0.005, 10),
        log=True,
        ends=(0, None),
        ge=0,
        needs="S_churn",
    )
    S_tmax: Annotated[float, BeforeValidator(number_or_none)] = knob(
        math.inf,
        "S<sub>tmax</sub>",
        "Noise is added only where σ is at most this",
        slider=(0.1, 200),
        log=True,
        ends=(None, math.inf),
        ge=0,
        needs="S_churn",
    )
    S_noise: Number = knob(
        1.0,
        "S<sub>noise</sub>",
        "Strength of the fresh noise; slightly above 1 makes up for lost detail",
        slider=(0.9, 1.1),
        step=0.001,
        ge=0,
        le=10,
        needs="S_churn",
    )
    seed: Whole = knob(
        0,
        "seed",
        "The random start; sample k depends on the seed and k only",
        slider=(0, 50),
        step=1,
        ge=0,
        le=2**32 - 1,
    )
    sigmas: tuple[Number, ...] | None = knob(
        None,
        "σᵢ",
        "A hand-made list of noise levels, used exactly as given; then N and the range do not matter",
        instead=(
            "discretization",
            "steps",
            "rho",
            "power",
            "sigma_mid",
            "shift",
            "respacing",
            "sigma_min",
            "sigma_max",
        ),
    )

    @model_validator(mode="before")
    @classmethod
    def _respaced(cls, values):
        """A respacing that says how many steps it has, as guided-diffusion writes it, sets `steps`."""
        if not isinstance(values, dict) or not isinstance(values.get("respacing"), str):
            return values
        try:
            spacing, steps = parsed(values["respacing"])
        except Refused as error:
            raise refusal("respacing", values["respacing"], str(error).partition(": ")[2]) from None
        return {**values, "respacing": spacing} | ({} if steps is None else {"steps": steps})

    @property
    def range(self) -> tuple[float, float]:
        """(σ_min, σ_max), the discretization's own where not given."""
        low, high = DISCRETIZATIONS[self.discretization].range
        return self.sigma_min or low, self.sigma_max or high

    @property
    def N(self) -> int:
        """The steps that are asked for: those of the levels given by hand, where they are."""
        return self.steps if self.sigmas is None else len(self.sigmas)

    @property
    def stochastic(self) -> bool:
        """Whether fresh noise is asked for, churn's or the solver's own: then the ODE's solution is not its limit."""
        return self.S_churn > 0 or SOLVERS[self.solver].draws(self) > 0

    @model_validator(mode="after")
    def _consistent(self):
        known = SOLVERS[self.solver].forms
        if self.variant is not None and known and self.variant not in known:
            reason = f"must be one of {', '.join(map(repr, known))} with the solver {self.solver!r}"
            raise refusal("variant", self.variant, reason)
        if self.restart_min >= self.restart_max:
            reason = f"must be below restart_max, here {self.restart_max:g}: between the two, Restart goes up and down"
            raise refusal("restart_min", self.restart_min, reason)
        if self.S_tmin > self.S_tmax:
            reason = f"must be at most S_tmax, here {self.S_tmax:g}: between the two, noise is added"
            raise refusal("S_tmin", self.S_tmin, reason)
        if self.sigmas is not None:
            object.__setattr__(self, "sigmas", _checked_levels(self.sigmas))
            return self
        low, high = self.range
        if low > high or (low == high and self.steps > 1):
            field = "sigma_min" if self.sigma_min is not None else "sigma_max"
            raise refusal(
                field,
                getattr(self, field),
                f"must leave sigma_min below sigma_max; here sigma_min is {low:g} and sigma_max {high:g}",
            )
        discretization = DISCRETIZATIONS[self.discretization]
        if discretization.most is not None:
            try:
                levels_of(discretization, self)
            except Refused as error:
                raise refusal("steps", self.steps, str(error)) from None
        return self


def _checked_levels(sigmas) -> tuple[float, ...]:
    """The positive levels of a hand-made list; a final 0 is implied, and may be written."""
    levels = sigmas[:-1] if sigmas and sigmas[-1] == 0 else sigmas
    if not levels or len(levels) > MAX_STEPS:
        raise refusal("sigmas", list(sigmas)[:3], f"must hold 1 to {MAX_STEPS} levels above 0")
    for i, sigma in enumerate(levels):
        if not MIN_SIGMA <= sigma <= MAX_SIGMA:
            raise refusal(f"sigmas[{i}]", sigma, f"must be at least {MIN_SIGMA:g} and at most {MAX_SIGMA:g}")
        if i and sigma >= levels[i - 1]:
            raise refusal(f"sigmas[{i}]", sigma, f"must be below the level before it, {levels[i - 1]:g}")
    return levels
