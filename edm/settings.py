"""The design space as validated, frozen, serializable data: every knob declared once.

One document serves as preset file, URL, command line, and the metadata of what is saved. It is an
`Experiment` (what to sample, of which model), whose `sampling` is a `Sampling` (how).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator, model_validator
from pydantic_core import PydanticCustomError

from edm.base.choices import help_of, knobs_of, title_of
from edm.errors import Refused
from edm.fields import Number, Settings, Whole, check_choices, knob, number_or_none, refusal

MAX_STEPS = 1000
MIN_SIGMA, MAX_SIGMA = 1e-6, 1e5
MAX_SAMPLES = 4096
MAX_DRAWN = 1000


class Sampling(Settings):
    """How to sample: the upper part of Table 1 and Algorithm 2's stochasticity. All pure numbers."""

    solver: str = knob("heun", "solver", "ODE solver: Euler, or the second-order family with Heun at α = 1")
    alpha: Number = knob(
        1.0, "α", "Second-order family: 1 is Heun, ½ midpoint, ⅔ Ralston", slider=(0.1, 1), step=0.01, gt=0, le=1
    )
    discretization: str = knob("edm", "time steps", "Where the noise levels σᵢ lie")
    schedule: str = knob("linear", "σ(t)", "Noise schedule: how σ grows with time")
    scaling: str = knob("none", "s(t)", "Scaling of the state: 1, or VP's, which keeps its size constant")
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
    )
    S_tmax: Annotated[float, BeforeValidator(number_or_none)] = knob(
        math.inf,
        "S<sub>tmax</sub>",
        "Noise is added only where σ is at most this",
        slider=(0.1, 200),
        log=True,
        ends=(None, math.inf),
        ge=0,
    )
    S_noise: Number = knob(
        1.0,
        "S<sub>noise</sub>",
        "Strength of the fresh noise; slightly above 1 makes up for lost detail",
        slider=(0.9, 1.1),
        step=0.001,
        ge=0,
        le=10,
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
        None, "σᵢ", "A hand-made list of noise levels, used exactly as given; then N and the range do not matter"
    )

    @property
    def range(self) -> tuple[float, float]:
        """(σ_min, σ_max), the discretization's own where not given."""
        from edm.timesteps import DISCRETIZATIONS

        low, high = DISCRETIZATIONS[self.discretization].range
        return self.sigma_min or low, self.sigma_max or high

    @property
    def N(self) -> int:
        """The steps that are asked for: those of the levels given by hand, where they are."""
        return self.steps if self.sigmas is None else len(self.sigmas)

    @model_validator(mode="after")
    def _consistent(self):
        from edm.timesteps import DISCRETIZATIONS

        check_choices(self, choices())
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
                discretization.levels(self.steps, low, high, self.rho)
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


def registries() -> dict[str, Mapping]:
    """The registry of each field that picks from one."""
    from edm import schedules, solvers, timesteps

    return {
        "solver": solvers.SOLVERS,
        "discretization": timesteps.DISCRETIZATIONS,
        "schedule": schedules.SCHEDULES,
        "scaling": schedules.SCALINGS,
    }


def choices() -> dict[str, list[str]]:
    """The allowed names of each field that picks from a registry."""
    return {name: list(registry) for name, registry in registries().items()}


_NONE = ("", "none", "auto")  # of a class, unless one is called so


def _label(value):
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | str | None):
        raise PydanticCustomError("label", "Input should be the name of a class")
    return value


class Experiment(Settings):
    """What to sample, and how: the document behind a picture."""

    model: str = knob(
        "eight_gaussians", "model", "What is sampled: the exact denoiser of a distribution, or a trained one"
    )
    count: Whole | None = knob(
        None, "samples", "How many samples to draw", slider=(1, 1000), step=1, ge=1, le=MAX_SAMPLES
    )
    label: Annotated[int | str | None, BeforeValidator(_label)] = knob(
        None,
        "class",
        "Class to sample, by its name, where the model knows classes; of classes whose names are no numbers also by "
        "number, from 0; none: all",
    )
    points: tuple[tuple[Number, Number], ...] | None = knob(
        None, "points", f"A distribution of your own, for the model 'drawn': up to {MAX_DRAWN} points (x, y)"
    )
    sampling: Sampling = Sampling()

    def _settle_label(self, model) -> None:
        """However the class was written, it is written as its name."""
        from edm.data import classes

        if isinstance(self.label, str) and self.label.lower() in _NONE and self.label not in model.class_names:
            object.__setattr__(self, "label", None)
        if self.label is not None:
            try:
                number = model.class_of(self.label)
            except Refused as error:
                raise refusal("label", self.label, str(error)) from None
            object.__setattr__(self, "label", classes.written(model.class_names[number]))

    @model_validator(mode="after")
    def _consistent(self):
        from edm import models

        if not models.known(self.model):
            allowed = ", ".join(f"'{name}'" for name in models.names())
            raise refusal("model", self.model, f"must be one of {allowed}")
        self._settle_label(models.load(self.model))
        if (self.points is not None) != (self.model == "drawn"):
            raise refusal("points", self.points and "given", "must be given for the model 'drawn', and only for it")
        if self.points is not None:
            if not 1 <= len(self.points) <= MAX_DRAWN:
                raise refusal("points", f"{len(self.points)} points", f"must be 1 to {MAX_DRAWN} points")
            for i, point in enumerate(self.points):
                if max(map(abs, point)) > 10:
                    raise refusal(f"points[{i}]", point, "must lie within -10 and 10")
        return self


def knobs(settings: type[Settings]) -> dict[str, dict]:
    """What a page needs to offer each field: symbol, help, default, slider, limits and choices, as JSON data."""
    from edm.training import settings as training

    defaults = settings().document(complete=True)
    if settings in (Sampling, Experiment):
        offered = registries()
    else:
        offered = training.registries() if settings.__module__ == training.__name__ else {}
    return {
        name: {
            **copy.deepcopy(field.json_schema_extra["knob"]),
            "help": field.description,
            "default": defaults[name],
            **_choices_of(offered.get(name)),
            "whole": "int" in str(field.annotation),
        }
        for name, field in settings.model_fields.items()
        if field.json_schema_extra
    }


def _choices_of(registry) -> dict:
    """The names in a registry, with what their entries say of them; uses: the fields that matter with each only."""
    if registry is None:
        return {"choices": None}
    told = {"titles": title_of, "helps": help_of, "uses": knobs_of}
    return {"choices": list(registry)} | {key: [of(registry, name) for name in registry] for key, of in told.items()}
