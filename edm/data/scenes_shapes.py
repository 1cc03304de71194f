"""Solids as signed distances f(p), and what light does to them: where rays hit, normals, shadows, openness.

    convex solid: f is convex along a ray, so the secant step t ← t + f·Δt/|Δf| never passes the surface, and a ray on
                  which f rises again has missed                                                (superlinear)
    any solid:    t ← t + f                                                    (sphere tracing, Hart 1996)

Points are float32 columns x, y (up), z (to the viewer) in a frame in which the solid has about unit radius. Only
sums, products, quotients and roots are taken, each ray by itself, so that its result has the same bits in any batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

_EPSILON = np.float32(1e-3)  # of the radius: a hit, and the arm of the normal's differences
_MOST_STEPS = 80  # rays that graze a torus need most
_SAMPLES, _HALVES = 8, 4  # of the search for a shadow


@dataclass(frozen=True)
class Solid:
    """distance(x, y, z): < 0 inside; base: from the centre to the ground; reach: radius of the ball around it."""

    distance: Callable
    base: float
    reach: float
    convex: bool = True


def _box(a, b, edge):
    """Signed distance to a rectangle's quarter, from a, b = |position| − half sides, with edges rounded by `edge`."""
    outside_a, outside_b = np.maximum(a, 0), np.maximum(b, 0)
    return np.sqrt(outside_a * outside_a + outside_b * outside_b) + np.minimum(np.maximum(a, b), 0) - edge


def sphere(radius: float) -> Solid:
    return Solid(lambda x, y, z: np.sqrt(x * x + y * y + z * z) - radius, radius, radius)


def cube(half: float, edge: float) -> Solid:
    core = half - edge

    def distance(x, y, z):
        a, b, c = np.abs(x) - core, np.abs(y) - core, np.abs(z) - core
        within = np.minimum(np.maximum(np.maximum(a, b), c), 0)
        a, b, c = np.maximum(a, 0), np.maximum(b, 0), np.maximum(c, 0)
        return np.sqrt(a * a + b * b + c * c) + within - edge

    return Solid(distance, half, core * 3**0.5 + edge)


def cylinder(radius: float, half: float, edge: float) -> Solid:
    def distance(x, y, z):
        return _box(np.sqrt(x * x + z * z) - (radius - edge), np.abs(y) - (half - edge), edge)

    return Solid(distance, half, float(np.hypot(radius - edge, half - edge)) + edge)


def cone(radius: float, height: float, edge: float) -> Solid:
    """Of the triangle (0, top) to (radius, bottom), both less the rounding, turned about the upright axis."""
    base = height / 2
    foot, rise = radius - edge, height - 2 * edge
    length = float(np.hypot(foot, rise))

    def distance(x, y, z):
        across, down = np.sqrt(x * x + z * z), (base - edge) - y  # from the apex
        along = np.minimum(np.maximum((across * foot + down * rise) / length**2, 0), 1)
        slant_x, slant_y = across - foot * along, down - rise * along
        floor_x, floor_y = np.maximum(across - foot, 0), down - rise
        nearest = np.minimum(slant_x * slant_x + slant_y * slant_y, floor_x * floor_x + floor_y * floor_y)
        side = np.maximum(across * rise - down * foot, floor_y)
        return np.copysign(np.sqrt(nearest), side) - edge

    return Solid(distance, base, float(np.hypot(foot, base - edge)) + edge)


def torus(ring: float, tube: float) -> Solid:
    """Upright, its hole to the viewer."""

    def distance(x, y, z):
        across = np.sqrt(x * x + y * y) - ring
        return np.sqrt(across * across + z * z) - tube

    return Solid(distance, ring + tube, ring + tube, convex=False)


def capsule(half: float, radius: float) -> Solid:
    """Lying, its axis from left to right."""

    def distance(x, y, z):
        beyond = np.maximum(np.abs(x) - half, 0)
        return np.sqrt(beyond * beyond + y * y + z * z) - radius

    return Solid(distance, radius, half + radius)


def trace(solid: Solid, origin: Any, direction: Any) -> Any:
    """Where rays origin + t·direction (columns; unit directions) first meet the solid -> (which rays, their t)."""
    (x, y, z), (u, v, w) = origin, direction
    middle = -(x * u + y * v + z * w)
    half = solid.reach**2 - (x * x + y * y + z * z - middle * middle)
    rays = np.flatnonzero(half > 0)
    columns = [column[rays] for column in (x, y, z, u, v, w)]
    half = np.sqrt(half[rays])
    t, last = middle[rays] - half, middle[rays] + half

    def distance(t):
        x, y, z, u, v, w = columns
        return solid.distance(x + t * u, y + t * v, z + t * w)

    before = distance(t)
    step = before
    found = []
    for _ in range(_MOST_STEPS):
        t = t + step
        here = distance(t)
        hit = here < _EPSILON
        found.append((rays[hit], t[hit]))
        on = ~hit & (t < last)
        if solid.convex:
            on &= here < before
        on = np.flatnonzero(on)
        if not len(on):
            break
        rays, t, last, before, here, step = (column[on] for column in (rays, t, last, before, here, step))
        columns = [column[on] for column in columns]
        step = here * step / (before - here) if solid.convex else here
        before = here
    return tuple(np.concatenate(column) for column in zip(*found, strict=True))


def normal(solid: Solid, x: Any, y: Any, z: Any) -> Any:
    """Unit normals at points on the surface, by differences over a tetrahedron's corners."""
    e = 4 * _EPSILON
    a, b = solid.distance(x + e, y - e, z - e), solid.distance(x - e, y - e, z + e)
    c, d = solid.distance(x - e, y + e, z - e), solid.distance(x + e, y + e, z + e)
    u, v, w = a - b - c + d, c + d - a - b, b + d - a - c
    size = 1 / np.sqrt(u * u + v * v + w * w + np.float32(1e-20))
    return u * size, v * size, w * size


def smooth(x: Any) -> Any:
    """0 below 0, 1 above 1, 3x² − 2x³ between."""
    x = np.minimum(np.maximum(x, 0), 1)
    return x * x * (3 - 2 * x)


def shadow(solid: Solid, point: Any, light: Any, spread: float, blur: float) -> Any:
    """The part of a soft light, 0 to 1, that the solid hides from points outside it; light: unit directions to it.

    What counts is the least f/(spread·t + blur) on the way t to the light: all is hidden at −1, nothing at 1. It is
    searched evenly, then around the best place by halves, without which the edge of the shadow would show bands.
    """
    (x, y, z), (u, v, w) = point, light
    middle = -(x * u + y * v + z * w)
    passing = x * x + y * y + z * z - middle * middle
    bound = solid.reach + blur + spread * np.maximum(middle + solid.reach, 0)
    near = np.flatnonzero((passing < bound * bound) & (middle > -solid.reach))
    x, y, z, u, v, w, middle = (column[near] for column in (x, y, z, u, v, w, middle))

    best, least = middle, np.full(len(near), np.inf, dtype=np.float32)

    def search(t):
        nonlocal best, least
        t = np.maximum(t, 0)
        here = solid.distance(x + t * u, y + t * v, z + t * w) / (spread * t + blur)
        closer = here < least
        best, least = np.where(closer, t, best), np.where(closer, here, least)

    step = solid.reach / _SAMPLES
    for k in range(_SAMPLES):
        search(middle + ((2 * k + 1) * step - solid.reach))
    for _ in range(_HALVES):
        centre = best
        search(centre - step)
        search(centre + step)
        step /= 2
    hidden = np.zeros(len(passing), dtype=np.float32)
    hidden[near] = 1 - smooth((least + 1) / 2)
    return hidden
