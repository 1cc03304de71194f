"""Solvers: the row "solver" of Table 1, and what came after it. Each declares its claims, and tests/contracts measures
them.

To add one, write a `Solver` and put it in SOLVERS: page, command line, presets and contract tests read it there.
"""

from __future__ import annotations

from edm.base.choices import Alias, spelled
from edm.solvers import exponential, multistep, restart, runge_kutta, stochastic, two_stage, written
from edm.solvers.solver import Solver, Variant, never


def once(steps: int) -> int:
    """One evaluation a step."""
    return steps


def twice(steps: int) -> int:
    """Two a step, but one in that to σ = 0."""
    return 2 * steps - 1


RUNGE_KUTTA, ADAMS, EXPONENTIAL, STOCHASTIC = "Runge–Kutta", "Adams–Bashforth", "exponential, in ln σ", "stochastic"
ORDERS = ("order", "lower_order_final")
SDE = {"quiet": {"eta": 0.0}, "in_sigma": True}

SOLVERS: dict[str, Solver] = {
    solver.name: solver
    for solver in (
        Solver(
            "euler", "Euler", RUNGE_KUTTA, 1, once, (), never, runge_kutta.euler,
            parts=written.euler, help="along the slope where the step begins",
        ),
        Solver(
            "heun", "Heun", RUNGE_KUTTA, 2, twice, ("alpha",), never, runge_kutta.heun,
            (
                Variant("ralston", "α = ⅔", {"alpha": 2 / 3}, "Ralston"),
                Variant("midpoint", "α = ½", {"alpha": 0.5}, "midpoint"),
            ),
            parts=written.heun, help="two slopes a step: Algorithm 1, and its family by α", rival={},
        ),
        Solver(
            "lms", "LMS", ADAMS, 3, once, ORDERS, never, multistep.lms,
            remembers=True, parts=written.lms, help="a polynomial through the last slopes, in the ODE's own time",
            own_order=multistep.LMS_ORDER, orders=lambda p: p, rival={"order": 4},
            called=(
                Alias("lms_1", "LMS of order 1", {"order": 1}, help="a polynomial of degree 0"),
                *spelled("adams_bashforth"),
            ),
        ),
        Solver(
            "ipndm", "iPNDM", ADAMS, 2, once, ORDERS, never, multistep.ipndm,
            remembers=True, parts=written.ipndm,
            help="the last slopes, weighted as for equal steps", own_order=multistep.IPNDM_ORDER,
            orders=lambda p: min(p, 2), rival={"order": 3},
            preview={"order": 3, "steps": 12},
        ),
        Solver(
            "dpm_2", "DPM-2", EXPONENTIAL, 2, twice, (), never, two_stage.dpm_2,
            parts=written.dpm_2, help="DPM-Solver-2: the slope in the middle, at √(σσ⁺)", in_sigma=True,
            called=spelled("dpm2", "dpm_solver_2"),
        ),
        Solver(
            "dpmpp_2s", "DPM++ 2S", EXPONENTIAL, 2, twice, (), never, two_stage.dpmpp_2s,
            parts=written.dpmpp_2s, help="DPM-Solver++(2S): D in the middle, at √(σσ⁺)", in_sigma=True,
            called=spelled("dpm_solverpp(2s)", "dpmpp_2s_singlestep"),
        ),
        Solver(
            "dpmpp_2m", "DPM++ 2M", EXPONENTIAL, 2, once, ("lower_order_final",), never, exponential.dpmpp_2m,
            remembers=True, parts=written.dpmpp_2m, few=exponential.FEW,
            help="DPM-Solver++(2M): D extrapolated from the last two", in_sigma=True, rival={},
            called=spelled("dpm_solverpp(2m)", "dpm_solverpp", "dpmsolverpp"),
        ),
        Solver(
            "dpmpp_3m", "DPM++ 3M", EXPONENTIAL, 2, once, ("variant", "lower_order_final"), never,
            exponential.dpmpp_3m,
            (Variant("dpmpp_3m_exact", "DPM++ 3M exact", {"variant": "exact"}, "with the missing factor", 3),),
            remembers=True, parts=written.dpmpp_3m, few=exponential.FEW,
            help="DPM-Solver++(3M), from the last three; published without a factor, exact with it",
            forms=("published", "exact"), in_sigma=True, called=spelled("dpm_solverpp(3m)"),
        ),
        Solver(
            "deis", "DEIS", EXPONENTIAL, 3, once, ORDERS, never, multistep.deis,
            remembers=True, parts=written.deis, help="the last slopes as a polynomial in ln σ",
            own_order=multistep.DEIS_ORDER, in_sigma=True, orders=lambda p: p,
        ),
        Solver(
            "unipc", "UniPC", EXPONENTIAL, 3, once, ("variant", *ORDERS), never, exponential.unipc,
            (Variant("unipc_bh1", "UniPC bh1", {"variant": "bh1"}, "bh1"),),
            remembers=True, parts=written.unipc, help="predicts, and corrects with the next evaluation: of order p + 1",
            forms=("bh2", "bh1"), own_order=exponential.UNIPC_ORDER, in_sigma=True,
            orders=lambda p: p + 1, rival={"order": 2}, called=(Alias("unipc_bh2", sets={"variant": "bh2"}),),
        ),
        Solver(
            "ddim", "DDIM", STOCHASTIC, 1, once, ("eta",), stochastic.drawn_with_eta, stochastic.ddim,
            parts=written.ancestral, help="η = 0 is Euler in σ, η = 1 is DDPM, the same as Euler ancestral", **SDE,
            called=(Alias("ddpm", "DDPM's sampler", {"eta": 1.0}, help="DDIM with η = 1"),),
        ),
        Solver(
            "euler_ancestral", "Euler ancestral", STOCHASTIC, 1, once, ("eta", "variant"), stochastic.drawn_with_eta,
            stochastic.euler_ancestral, forms=stochastic.VARIANCES, hears=stochastic.hears, **SDE,
            parts=written.ancestral,
            help="Euler below the next level, then fresh noise up to it, or as much as the network says (learned)",
            called=(
                *spelled("euler_a"),
                Alias(
                    "ancestral_learned", "ADM's ancestral sampler", {"variant": stochastic.LEARNED},
                    help="with the variance that the network has learned",
                ),
            ),
        ),
        Solver(
            "dpmpp_2s_ancestral", "DPM++ 2S ancestral", STOCHASTIC, 2, twice, ("eta",), stochastic.drawn_with_eta,
            stochastic.dpmpp_2s_ancestral, parts=written.dpmpp_2s_ancestral,
            help="2S below the next level, then fresh noise up to it", **SDE,
            called=spelled("dpmpp_2s_a"),
        ),
        Solver(
            "dpmpp_sde", "DPM++ SDE", STOCHASTIC, 2, twice, ("eta",), stochastic.drawn_twice_with_eta,
            stochastic.dpmpp_sde, parts=written.dpmpp_sde,
            help="ancestral to the middle and to the end, along one Brownian path", **SDE,
        ),
        Solver(
            "dpmpp_2m_sde", "DPM++ 2M SDE", STOCHASTIC, 2, once, ("eta", "variant"), stochastic.drawn_with_eta,
            exponential.dpmpp_2m_sde,
            remembers=True, parts=written.dpmpp_2m_sde,
            help="2M of the SDE; η = 0 is 2M", forms=("midpoint", "heun"), **SDE,
        ),
        Solver(
            "dpmpp_3m_sde", "DPM++ 3M SDE", STOCHASTIC, 2, once, ("eta",), stochastic.drawn_with_eta,
            exponential.dpmpp_3m_sde, remembers=True, parts=written.dpmpp_3m_sde,
            help="3M of the SDE, as published", **SDE,
        ),
        Solver(
            "restart", "Restart", STOCHASTIC, 2, restart.evaluations,
            ("alpha", "restart_min", "restart_max", "restart_rounds", "restart_steps"), restart.draws, restart.begin,
            parts=written.restart,
            help="Heun that goes back up between two levels, and comes down again", quiet={"restart_rounds": 0},
            draws_at=restart.draws_at, counted=restart.counted, shared=restart.shared,
        ),
    )
}  # fmt: skip
