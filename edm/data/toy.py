"""Toy distributions in 1-D and 2-D as Gaussian mixtures or point sets, of a size of about [−1, 1].

Curves are chains of equal Gaussians, evenly spaced along the arc and close enough to melt into one ridge.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from edm.exact import GaussianMixture, PointSet


def _along(curve, count: int) -> np.ndarray:
    """`count` points evenly spaced in arc length on curve(u), u in [0, 1] -> [·, 2]."""
    fine = curve(np.linspace(0, 1, 4001))
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(fine, axis=0), axis=1))])
    wanted = (np.arange(count) + 0.5) / count * length[-1]
    return np.stack([np.interp(wanted, length, fine[:, axis]) for axis in (0, 1)], axis=1)


def _polar(radius, angle) -> np.ndarray:
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)


def _arc(radius, start, stop, centre=(0.0, 0.0)):
    return lambda u: _polar(radius, start + (stop - start) * u) + np.asarray(centre)


def _parts(*counts: int) -> np.ndarray:
    """Which part of a distribution each of its Gaussians belongs to: `counts` of them to part 0, 1, …"""
    return np.repeat(np.arange(len(counts)), counts)


def eight_gaussians() -> GaussianMixture | PointSet:
    return GaussianMixture(_polar(1.0, np.arange(8) * np.pi / 4), 0.08)


def two_moons() -> GaussianMixture | PointSet:
    upper = _along(_arc(0.7, 0, np.pi, (-0.35, -0.15)), 24)
    lower = _along(_arc(0.7, np.pi, 2 * np.pi, (0.35, 0.15)), 24)
    return GaussianMixture(np.concatenate([upper, lower]), 0.07, labels=_parts(24, 24))


def circles() -> GaussianMixture | PointSet:
    rings = [_along(_arc(0.5, 0, 2 * np.pi), 36), _along(_arc(1.0, 0, 2 * np.pi), 72)]
    return GaussianMixture(np.concatenate(rings), 0.06, labels=_parts(36, 72))


def spiral() -> GaussianMixture | PointSet:
    arm = _along(lambda u: _polar(0.12 + 0.98 * u, 2.6 * np.pi * u), 56)
    return GaussianMixture(np.concatenate([arm, -arm]), 0.045)


def checkerboard() -> GaussianMixture | PointSet:
    """Eight squares of side ½, each a 4 × 4 block of Gaussians."""
    offsets = (np.arange(4) + 0.5) / 8
    cells = [(i, j) for i in range(4) for j in range(4) if (i + j) % 2 == 0]
    centres = [(-1 + i / 2 + dx, -1 + j / 2 + dy) for i, j in cells for dx in offsets for dy in offsets]
    return GaussianMixture(centres, 0.055)


def pinwheel() -> GaussianMixture | PointSet:
    """Five arms that bend and widen outwards."""
    u = np.linspace(0, 1, 14)
    arms = [_polar(0.2 + 0.9 * u, 2 * np.pi * k / 5 + 1.1 * u) for k in range(5)]
    return GaussianMixture(np.concatenate(arms), np.tile(0.035 + 0.05 * u, 5), labels=_parts(*[14] * 5))


def swiss_roll() -> GaussianMixture | PointSet:
    return GaussianMixture(_along(lambda u: _polar(0.15 + 0.95 * u, 3.6 * np.pi * u), 96), 0.045)


def tree() -> GaussianMixture | PointSet:
    """Two trees of thin branches that grow apart: away from them there is nothing."""
    branches = _grown(np.array([0.06, -0.12]), 0.5 * np.pi, 0.62, 3)
    grown = np.concatenate([_along(branch, round(30 * length)) for branch, length in branches])
    return GaussianMixture(np.concatenate([grown, -grown]), 0.02, labels=_parts(len(grown), len(grown)))


def _grown(root, angle, length, depth) -> list[tuple[Callable, float]]:
    """(curve, length) of a branch, which bends to the right, and of all that grow out of it."""

    def curve(u):
        return root + length * np.stack([np.sin(0.5 * u) * u * 0.5, u], axis=-1) @ _turned(angle - 0.5 * np.pi)

    found = [(curve, length)]
    if depth > 1:
        for place, bend in ((0.45, 0.85), (0.72, -0.8), (1.0, 0.1)):
            found += _grown(curve(np.array(place)), angle + bend, 0.58 * length, depth - 1)
    return found


def _turned(angle) -> np.ndarray:
    return np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


def smiley() -> GaussianMixture | PointSet:
    face = _along(_arc(1.05, 0, 2 * np.pi), 76)
    mouth = _along(_arc(0.6, 1.15 * np.pi, 1.85 * np.pi), 20)
    eyes = np.array([[-0.36, 0.34], [0.36, 0.34]])
    stds = np.repeat([0.05, 0.05, 0.09], [76, 20, 2])
    weights = np.repeat([0.5 / 76, 0.26 / 20, 0.12], [76, 20, 2])
    return GaussianMixture(np.concatenate([face, mouth, eyes]), stds, weights)


def two_diracs() -> GaussianMixture | PointSet:
    """The paper's Figure 3: two Dirac peaks at x = ±1."""
    return PointSet([[-1.0], [1.0]])


def three_modes() -> GaussianMixture | PointSet:
    return GaussianMixture([[-1.0], [0.1], [0.9]], [0.1, 0.06, 0.16], [0.4, 0.2, 0.4], labels=np.arange(3))


def two_modes() -> GaussianMixture | PointSet:
    return GaussianMixture([[-0.5], [0.5]], 0.3, labels=[0, 1])


def plane_16() -> GaussianMixture | PointSet:
    """A Gaussian on a 3-dimensional plane in 16 dimensions: along the first two axes, as which it is drawn, and across
    all the others."""
    basis = np.zeros((3, 16))
    basis[0, 0] = basis[1, 1] = 1
    basis[2, 2:] = 14**-0.5
    return GaussianMixture(np.zeros((1, 16)), 0.36 * (basis.T @ basis)[None])


def drawn(points: Any, labels: Any = None) -> GaussianMixture | PointSet:
    """Points that somebody drew, or has in a file. All equal points make a Dirac peak, whose sigma_data is 0."""
    return PointSet(np.asarray(points, dtype=float), labels)
