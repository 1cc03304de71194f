"""What multistep methods and exponential integrators are made of: numbers of the levels alone, in float64.

    φ_0(z) = e^z,   φ_k(z) = (φ_{k−1}(z) − 1/(k−1)!)/z,   φ_k(0) = 1/k!
    k!·φ_{k+1}(z) = ∫₀¹ e^((1−τ)z)·τ^k dτ

The recursion cancels where z is small, so that there the series Σ zⁿ/(n + k)! is summed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

SMALL = 1.0  # |z| below which the series is summed: TERMS of it are exact to float64 then
TERMS = 20


def phi(k: int, z: float) -> float:
    """φ_k(z), k ≥ 1."""
    if abs(z) < SMALL:
        total, term = 0.0, 1 / math.factorial(k)
        for n in range(1, TERMS):
            total += term
            term *= z / (n + k)
        return total
    value = math.expm1(z) / z
    for j in range(1, k):
        value = (value - 1 / math.factorial(j)) / z
    return value


def lagrange(nodes: Sequence[float], moments: Sequence[float]) -> list[float]:
    """∫ ℓ_j(τ) w(τ) dτ of the Lagrange basis of the nodes, for each j; moments[k] = ∫ τ^k w(τ) dτ, k < len(nodes)."""
    return [sum(c * m for c, m in zip(_basis(nodes, j), moments, strict=True)) for j in range(len(nodes))]


def _basis(nodes, j) -> list[float]:
    """The coefficients of ℓ_j, that of τ⁰ first."""
    found = [1.0]
    for m, node in enumerate(nodes):
        if m != j:
            scale = nodes[j] - node
            shifted = [0.0, *found]
            found = [(up - node * low) / scale for up, low in zip(shifted, [*found, 0.0], strict=True)]
    return found


def vandermonde(nodes: Sequence[float], wanted: Sequence[float]) -> list[float]:
    """x with Σ_k nodes_k^j·x_k = wanted_j, j = 0 … len(nodes) − 1, for different nodes (Björck and Pereyra)."""
    x, n = list(wanted), len(nodes)
    for k in range(n - 1):
        for j in range(n - 1, k, -1):
            x[j] -= nodes[k] * x[j - 1]
    for k in range(n - 2, -1, -1):
        for j in range(k + 1, n):
            x[j] /= nodes[j] - nodes[j - k - 1]
        for j in range(k, n - 1):
            x[j] -= x[j + 1]
    return x
