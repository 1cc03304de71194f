"""One-step methods: Euler, and the second-order family with parameter α (Algorithms 1 and 3).

    x' = x + αh·d,   x ← x + h·((1 − 1/(2α))·d + 1/(2α)·d'),   h = t_next − t,   d' at t + αh

α = 1 is Heun's method, ½ the midpoint method, ⅔ Ralston's.
"""


def euler_step(ode, x, t, t_next, slope, alpha):
    """x + h·d. At t_next = 0 with σ(t) = t, s = 1 this is D(x; σ) exactly."""
    return x.add(slope, alpha=t_next - t)


def heun_step(ode, x, t, t_next, slope, alpha):
    """The α family; Euler on the step to σ = 0, where the slope is undefined."""
    if ode.schedule.sigma(t_next) == 0:
        return euler_step(ode, x, t, t_next, slope, alpha)
    h = t_next - t
    # t + αh can round to 0 where t_next is tiny beside t
    second, _ = ode.slope(x.add(slope, alpha=alpha * h), (1 - alpha) * t + alpha * t_next)
    weight = 1 / (2 * alpha)
    return x.add(slope, alpha=h * (1 - weight)).add_(second, alpha=h * weight)
