"""What people call things: names for settings of Table 1's rows, and what some of them were published as.

A name for one entry of a registry stands on that entry, as its alias; here are those that set several rows.

Where a name is known by another formula than its row of the table, that formula stands here too, worked out in its own
terms, so that `edm.diagnostics.same` can compare the two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from edm.base.aliases import aliases
from edm.base.choices import Alias, family_of, title_of
from edm.diagnostics.walk import ROWS
from edm.experiments import presets
from edm.noises import NOISES
from edm.objective import WEIGHTS, Design
from edm.preconditioning import PRECONDITIONINGS, Level, Preconditioning
from edm.sampling.settings import Sampling
from edm.schedules import SCALINGS, SCHEDULES
from edm.solvers import SOLVERS
from edm.timesteps import DISCRETIZATIONS, SD3_SHIFT, flow_levels

NAMED, COLUMNS = "names", "columns of Table 1"


@dataclass(frozen=True)
class Name:
    """title: as people say it. sampling, design: the fields that it sets, of `Sampling` and `Design`; the rows of
    Table 1 that these are of are its own, and it leaves the others open. help: where it comes from, in a line.

    As it was published, where that is another formula than the row's: levels(sampling) -> σ_0 > … > σ_{N−1};
    preconditioning(σ_data) -> a `Preconditioning`; density(σ, design), of ln σ; weight(σ, σ_data). written: that as
    text.
    """

    name: str
    title: str
    family: str = NAMED
    sampling: Mapping[str, Any] = field(default_factory=dict)
    design: Mapping[str, Any] = field(default_factory=dict)
    help: str = ""
    levels: Callable[[Sampling], np.ndarray] | None = None
    preconditioning: Callable[[float], Preconditioning] | None = None
    density: Callable[[np.ndarray, Design], np.ndarray] | None = None
    weight: Callable[[torch.Tensor, float], torch.Tensor] | None = None
    written: str = ""


class TrigFlow(Preconditioning):
    """arXiv 2410.11081: D = cos(t)·x_t − sin(t)·σ_d·F(x_t/σ_d, t), x_t = cos(t)·x, t = arctan(σ/σ_d)."""

    sigma_min, sigma_max = 0.0, float("inf")

    def __init__(self, sigma_data: float):
        self.sigma_data = sigma_data

    def _angle(self, sigma):
        return (torch.as_tensor(sigma, dtype=torch.float64) / self.sigma_data).atan()

    def c_skip(self, sigma: Level) -> torch.Tensor:
        return self._angle(sigma).cos().square()

    def c_out(self, sigma: Level) -> torch.Tensor:
        return -self._angle(sigma).sin() * self.sigma_data

    def c_in(self, sigma: Level) -> torch.Tensor:
        return self._angle(sigma).cos() / self.sigma_data

    def c_noise(self, sigma: Level) -> torch.Tensor:
        return self._angle(sigma)


class VPrediction(Preconditioning):
    """arXiv 2202.00512: D = α·z − σ_z·v(z), z = α·x, α² + σ_z² = 1, σ = σ_z/α."""

    sigma_min, sigma_max = 0.0, float("inf")

    def _alpha(self, sigma):
        log_snr = -2 * torch.as_tensor(sigma, dtype=torch.float64).log()
        return log_snr.sigmoid().sqrt(), (-log_snr).sigmoid().sqrt()

    def c_skip(self, sigma: Level) -> torch.Tensor:
        return self._alpha(sigma)[0].square()

    def c_out(self, sigma: Level) -> torch.Tensor:
        return -self._alpha(sigma)[1]

    def c_in(self, sigma: Level) -> torch.Tensor:
        return self._alpha(sigma)[0]

    def c_noise(self, sigma: Level) -> torch.Tensor:
        return -2 * torch.as_tensor(sigma, dtype=torch.float64).log()


def logit_normal(sigmas: np.ndarray, design: Design) -> np.ndarray:
    """t = σ/(1 + σ) with ln(t/(1 − t)) ~ N(m, s²): its density in t, times dt/d ln σ = t·(1 − t) (arXiv 2403.03206)."""
    t = sigmas / (1 + sigmas)
    logit = np.log(t / (1 - t))
    bell = np.exp(-((logit - design.P_mean) ** 2) / (2 * design.P_std**2)) / (design.P_std * np.sqrt(2 * np.pi))
    in_t = bell / (t * (1 - t))
    return in_t * t * (1 - t)


def times_alpha(sampling: Sampling) -> np.ndarray:
    """α·σ of flow's even levels, and then as there all t = σ/(1 + σ) by one factor, so that the first is at σ_max."""
    raised = sampling.shift * flow_levels(sampling.steps, *sampling.range)
    t = raised / (1 + raised)
    high = sampling.range[1]
    t *= high / (1 + high) / t[0]
    levels = t / (1 - t)
    levels[0] = high
    return levels


def v_weight(sigmas: torch.Tensor, sigma_data: float) -> torch.Tensor:
    """|v̂ − v|² = λ·|D − y|², with v = α·n − σ_z·y: λ = 1/σ_z²."""
    return 1 / (2 * sigmas.log()).sigmoid()


_FLOW = {"discretization": "flow", "schedule": "flow", "scaling": "flow"}
REGISTRIES: dict[str, tuple[str, Mapping[str, Any]]] = {
    "solver": ("solver", SOLVERS),
    "discretization": ("time steps", DISCRETIZATIONS),
    "schedule": ("schedule σ(t)", SCHEDULES),
    "scaling": ("scaling s(t)", SCALINGS),
    "preconditioning": ("preconditioning", PRECONDITIONINGS),
    "noise": ("p_train(σ)", NOISES),
    "weight": ("weight λ(σ)", WEIGHTS),
}
PUBLISHED: dict[str, dict[str, Any]] = {  # alias -> what it was published as, and rows of others that go with it
    "v_prediction": {
        "design": {"weight": "v", "sigma_data": 1.0}, "preconditioning": lambda sigma_data: VPrediction(),
        "weight": v_weight, "written": "α·z − σ_z·v(z), z = α·x, α² = 1/(1 + σ²)",
    },
    "trigflow": {
        "design": {"sigma_data": 1.0}, "preconditioning": TrigFlow,
        "written": "cos t·z − σ_data·sin t·F(z/σ_data; t), z = cos t·x, t = arctan(σ/σ_data)",
    },
    "logit_normal": {"density": logit_normal, "written": "ln(t/(1−t)) ~ N(m, s²), t = σ/(1+σ)"},
}  # fmt: skip
MORE = (
    Name("ddim", "DDIM", sampling={"solver": "ddim", "eta": 0.0}, help="arXiv 2010.02502, η = 0"),
    Name(
        "flow_euler", "Euler of rectified flow", sampling={"solver": "euler", **_FLOW},
        help="arXiv 2209.03003: even steps in t, where the path is (1 − t)·y + t·n",
    ),
    Name(
        "flow_heun", "Heun in flow's coordinates", sampling={"solver": "heun", **_FLOW},
        help="flow's time steps, σ(t) and s(t), with Heun",
    ),
    Name(
        "edm_heun", "Heun in EDM's coordinates",
        sampling={"solver": "heun", "discretization": "edm", "schedule": "linear", "scaling": "none"},
        help="Algorithm 1 of the paper",
    ),
    Name("euler", "Euler", sampling={"solver": "euler"}, help="in the coordinates that σ(t) and s(t) give"),
    Name("dpmpp_2m", "DPM-Solver++(2M)", sampling={"solver": "dpmpp_2m"}, help="arXiv 2211.01095"),
    Name(
        "dpmpp_2m_sde", "2M SDE (midpoint) at η = 0",
        sampling={"solver": "dpmpp_2m_sde", "variant": "midpoint", "eta": 0.0}, help="of k-diffusion's samplers",
    ),
    Name(
        "times_alpha", "3·σ on flow's levels", sampling={"discretization": "flow", "shift": SD3_SHIFT},
        help="each even level times α = 3, then brought back to σ_max as the shifted ones are", levels=times_alpha,
        written="α·σ, σ = u/(1−u), u = (1 − i/N)·t_max, α = 3",
    ),
    Name(
        "edm", "EDM's preconditioning", design={"preconditioning": "edm"},
        help="eq. 7 of the paper, for data of any size",
    ),
    Name("min_snr", "min-SNR", design={"weight": "min_snr"}, help="arXiv 2303.09556, γ = 5"),
)  # fmt: skip


def _aliases() -> Iterator[Name]:
    """The titled aliases of the registries' entries; one that stands in several is a name for all of these rows."""
    found: dict[str, tuple[Alias, dict[str, Any], dict[str, Any]]] = {}
    for kind, (_, registry) in REGISTRIES.items():
        for own, alias in aliases(registry):
            if not alias.title:
                continue
            _, sampling, design = found.setdefault(alias.name, (alias, {}, {}))
            (sampling if kind in Sampling.model_fields else design).update({kind: own, **alias.usual, **alias.sets})
    for name, (alias, sampling, design) in found.items():
        more = dict(PUBLISHED.get(name, {}))
        design |= more.pop("design", {})
        yield Name(name, alias.title, sampling=sampling, design=design, help=alias.help, **more)


NAMES: dict[str, Name] = {name.name: name for name in (*MORE, *_aliases())}


def names() -> dict[str, Name]:
    """Every name that `same` knows: those above, Table 1's columns, and each choice of a row by itself, as
    "solver.heun" or "noise.vp"."""
    found = {**NAMES, **{f"design.{name}": _column(name) for name in presets.titles()}}
    for kind, (title, registry) in REGISTRIES.items():
        sampled = kind in Sampling.model_fields
        for key in registry:
            family = ": ".join(filter(None, (title, family_of(registry, key))))
            name = f"{kind}.{key}"
            sets = {kind: key}
            found[name] = Name(name, title_of(registry, key), family, sets if sampled else {}, {} if sampled else sets)
    return found


def _column(name):
    column = presets.read(f"designs/{name}")
    sampling = presets.load(f"designs/{name}").sampling
    fields = {field for row in ROWS for field in row.fields} - {"steps"}
    design = dict(column["training"]["design"])
    if design["noise"] == "edm":
        design = {**{knob: Design.model_fields[knob].default for knob in ("P_mean", "P_std")}, **design}
    values = {field: getattr(sampling, field) for field in sorted(fields)}
    return Name(f"design.{name}", column["title"], COLUMNS, values, design, column["about"])
