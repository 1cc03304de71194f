"""How a scene is lit and seen: camera, colours, ground and solid, from factors to 8 bits.

    solid:   light = albedo·(key·diffuse + sky·(1 + n_y)/2 + floor·(1 − n_y)/2) + key·gloss + sky·rim
    ground:  light = palette·((1 − shadow)·(1 − blocked) + albedo·bounce)
    pixel:   255·√(mean light)

The world: y up, x to the right, z to the viewer, the ground at y = 0. It bends up into a backdrop far behind the solid.
A pixel's weights are means over its subsamples, and colours come last, as light is linear in both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from edm.data.scenes_shapes import Solid, capsule, cone, cube, cylinder, normal, shadow, smooth, sphere, torus, trace

SOLIDS = {
    "sphere": sphere(0.92),
    "cube": cube(0.75, 0.1),
    "cylinder": cylinder(0.68, 0.86, 0.1),
    "cone": cone(0.98, 1.96, 0.08),
    "torus": torus(0.72, 0.3),
    "capsule": capsule(0.56, 0.55),
}

_DISTANCE, _PITCH, _ZOOM, _AIM = 8.0, math.radians(22), 0.235, 0.72  # camera; zoom: tan of half the view; aim: height
_CAMERA = (0.0, _AIM + _DISTANCE * math.sin(_PITCH), _DISTANCE * math.cos(_PITCH))
_SPREAD, _BLUR = 0.16, 0.05  # of the shadow's edge: with distance, and at the contact
_KEY = np.float32([1.0, 0.96, 0.9])[:, None]  # colour of the light, linear
_RAYS = 1 << 16  # at a time: their columns stay in the cache

# (zenith, horizon, ground) of the ring of palettes, sRGB
_PALETTES = (
    ("#e9d3b4", "#fbf3e4", "#dfc6a2"),  # cream
    ("#d9897c", "#fbdcc8", "#cf8f7f"),  # blush
    ("#3d2b56", "#c9819a", "#5d3b68"),  # plum
    ("#0d1330", "#3c4d8c", "#232e68"),  # night
    ("#0b3a44", "#64aca5", "#1b5a5e"),  # lagoon
    ("#6fa9d6", "#e4f2f7", "#9cc2d6"),  # noon
    ("#9cbd9a", "#eef5e2", "#b4cca4"),  # meadow
)
# of the ring of hues, sRGB: coral, apricot, sun, pistachio, jade; lagoon, azure, periwinkle, orchid, rose
_COLOURS = (
    *("#f0705f", "#f59f55", "#f4cb5c", "#a9cf74", "#4fb892"),
    *("#38a6b9", "#4a8de0", "#7c7ae2", "#b774d4", "#e8709f"),
)

# linear light -> cone responses -> (lightness, green to red, blue to yellow): Oklab, Ottosson 2020
_TO_CONES = np.array(
    [[0.4122214708, 0.5363325363, 0.0514459929],
     [0.2119034982, 0.6806995451, 0.1073969566],
     [0.0883024619, 0.2817188376, 0.6299787005]]
)  # fmt: skip
_TO_LAB = np.array(
    [[0.2104542553, 0.7936177850, -0.0040720468],
     [1.9779984951, -2.4285922050, 0.4505937099],
     [0.0259040371, 0.7827717662, -0.8086757660]]
)  # fmt: skip


def _mixed(matrix, columns) -> np.ndarray:
    """matrix·columns for columns [..., 3, B], summed in one order whatever the batch, which BLAS would not promise."""
    return sum(matrix[:, k, None] * columns[..., k, None, :] for k in range(3))


def _to_oklab(code: str) -> np.ndarray:
    light = (np.array([int(code[k : k + 2], 16) for k in (1, 3, 5)]) / 255) ** 2
    return _TO_LAB @ np.cbrt(_TO_CONES @ light)


def _from_oklab(lab) -> np.ndarray:
    """Oklab [..., 3, B] -> linear light [..., 3, B], at least 0."""
    return np.maximum(_mixed(np.linalg.inv(_TO_CONES), _mixed(np.linalg.inv(_TO_LAB), lab) ** 3), 0)


_COLOURS_LAB = np.array([_to_oklab(code) for code in _COLOURS])
_PALETTES_LAB = np.array([[_to_oklab(code) for code in row] for row in _PALETTES])


def _around(ring, place) -> np.ndarray:
    """Linear light at `place`, 0 to 1, of a ring of Oklab colours [N, ..., 3] -> float32 [..., 3, B]."""
    place = place * len(ring)
    first = np.floor(place).astype(int)
    low, high = (np.moveaxis(ring[(first + k) % len(ring)], 0, -1) for k in (0, 1))
    return np.float32(_from_oklab(low + (high - low) * smooth(place - first)))


@dataclass(frozen=True)
class Stage:
    """Some images of one solid, ready to draw: float32 columns of length B, and colours [3, B] in linear light."""

    solid: Solid
    centre: tuple  # of the solid, in the world
    turn: tuple  # cosine and sine of its rotation
    size: np.ndarray
    light: tuple  # unit vector to the light, in the world
    albedo: np.ndarray
    palette: np.ndarray  # [3 places, 3, B]

    def turned(self, vector: Any, of: Any = slice(None)) -> Any:
        """World vectors (three columns) in the frames of the solids of the images `of`."""
        (x, y, z), cosine, sine = vector, self.turn[0][of], self.turn[1][of]
        return cosine * x - sine * z, y, sine * x + cosine * z


def stage(name: str, factors: dict[str, np.ndarray]) -> Stage:
    """The images of the solid `name` that `edm.data.scenes.factors` describes."""
    solid = SOLIDS[name]
    azimuth, elevation = factors["light"].T
    light = (np.sin(azimuth) * np.cos(elevation), np.sin(elevation), np.cos(azimuth) * np.cos(elevation))
    centre = (factors["position"][:, 0], solid.base * factors["size"], factors["position"][:, 1])
    turn = (np.cos(factors["rotation"]), np.sin(factors["rotation"]))
    centre, light, turn = (tuple(np.float32(column) for column in columns) for columns in (centre, light, turn))
    albedo, palette = _around(_COLOURS_LAB, factors["hue"]), _around(_PALETTES_LAB, factors["palette"])
    return Stage(solid, centre, turn, np.float32(factors["size"]), light, albedo, palette)


def picture(stage: Stage, resolution: int, supersample: int) -> np.ndarray:
    """The images as uint8 [B, 3, resolution, resolution].

    The ground is smooth enough for one ray a pixel, but in pixels that the solid covers in part.
    """
    pixel = 2 * _ZOOM / resolution
    steps = pixel * (np.arange(resolution) + 0.5) - _ZOOM
    u, v = (np.float32(a.ravel()) for a in np.meshgrid(steps, -steps))
    shifts = pixel * ((np.arange(supersample) + 0.5) / supersample - 0.5)
    across, up = (np.float32(a.ravel()) for a in np.meshgrid(shifts, -shifts))
    count = len(stage.size)
    image = _background(stage, np.repeat(np.arange(count), len(u)), np.tile(u, count), np.tile(v, count))
    image = image.reshape(3, count, len(u))
    images, places = _near(stage, u, v, pixel)
    together = max(1, _RAYS // len(up))
    for start in range(0, len(images), together):
        i, j = images[start : start + together], places[start : start + together]
        light, seen = _foreground(stage, i, (u[j, None] + across).ravel(), (v[j, None] + up).ravel())
        image[:, i[seen], j[seen]] = light[:, seen]
    bits = np.sqrt(np.minimum(image, 1)) * np.float32(255) + np.float32(0.5)
    return bits.astype(np.uint8).reshape(3, count, resolution, resolution).swapaxes(0, 1)


def _gaze(u, v):
    """Direction from the camera to (u, v), −_ZOOM to _ZOOM, of the picture; its length is √(1 + u² + v²)."""
    return u, v * math.cos(_PITCH) - math.sin(_PITCH), -v * math.sin(_PITCH) - math.cos(_PITCH)


def _near(stage: Stage, u, v, pixel: float):
    """Pixels whose rays may meet the ball around the solid -> (image, place in the image) of each."""
    x, y, z = (b[:, None] - np.float32(a) for a, b in zip(_CAMERA, stage.centre, strict=True))
    a, b, c = _gaze(u, v)
    along = (x * a + y * b + z * c) ** 2 / (1 + u * u + v * v)
    ball = stage.solid.reach * stage.size + _DISTANCE * pixel
    return np.nonzero(x * x + y * y + z * z - along < (ball * ball)[:, None])


def _background(stage: Stage, owner, u, v) -> np.ndarray:
    """Linear light of ground and backdrop [3, rays] on rays of the images `owner`."""
    a, b, c = _gaze(u, v)
    t = -_CAMERA[1] / b
    x, z = t * a, _CAMERA[2] + t * c
    far = smooth((-0.8 - z) / 6)
    high = smooth(v / _ZOOM - 0.3)
    pool = 1.06 - 0.045 * (x * x + np.maximum(z - 0.5, 0) ** 2) * (1 - far)

    point = [(a - b[owner]) / stage.size[owner] for a, b in zip((x, 0 * x, z), stage.centre, strict=True)]
    point = stage.turned(point, owner)
    light = [column[owner] for column in stage.turned(stage.light)]
    dark = shadow(stage.solid, point, light, _SPREAD, _BLUR) * (1 - far)
    near = 1 / (1 + 3 * np.maximum(stage.solid.distance(*point), 0)) ** 2

    zenith, horizon, ground = stage.palette[..., owner]
    floor = ground + (horizon - ground) * far
    open_light = (floor + (zenith - floor) * high) * pool
    shade = (1 - 0.62 * dark) * (1 - 0.45 * near)
    bounce = 0.16 * near * (1 - dark)
    return open_light * (shade + stage.albedo[:, owner] * bounce)


def _foreground(stage: Stage, images, u, v):
    """Linear light [3, pixels] of pixels of `images`, with len(u)/pixels rays each, and which of them see the solid."""
    rays = len(u) // len(images)
    owners = owner = np.repeat(images, rays)
    size = 1 / np.sqrt(1 + u * u + v * v)
    gaze = stage.turned([column * size for column in _gaze(u, v)], owner)
    eye = stage.turned([(np.float32(a) - b) / stage.size for a, b in zip(_CAMERA, stage.centre, strict=True)])
    hit, t = trace(stage.solid, [column[owner] for column in eye], gaze)
    owner, gaze = owner[hit], [column[hit] for column in gaze]
    point = [column[owner] + t * way for column, way in zip(eye, gaze, strict=True)]
    light = [column[owner] for column in stage.turned(stage.light)]
    weights = _reflected(stage.solid, point, gaze, light)

    def mean(ray, weight=None):
        return np.float32(np.bincount(ray // rays, weight, len(images)) / rays)

    covered = mean(hit)
    diffuse, sky, floor, gloss, rim = (mean(hit, weight) for weight in weights)
    zenith, horizon, ground = stage.palette[..., images]
    above = 0.28 * zenith + 0.28 * horizon + 0.12
    albedo = stage.albedo[:, images]
    light = albedo * (_KEY * diffuse + above * sky + ground * floor) + _KEY * gloss + above * rim

    passing = np.repeat((covered > 0) & (covered < 1), rays)
    passing[hit] = False
    passing = np.flatnonzero(passing)
    behind = _background(stage, owners[passing], u[passing], v[passing])
    return light + np.stack([mean(passing, channel) for channel in behind]), covered > 0


def _reflected(solid: Solid, point, gaze, light):
    """Weights of a ray that meets the solid at `point`: of key light, sky and ground on its colour; gloss; rim."""
    n = normal(solid, *point)
    facing = n[0] * light[0] + n[1] * light[1] + n[2] * light[2]
    diffuse = np.maximum((facing + 0.1) / 1.1, 0)
    height = smooth((point[1] + solid.base) / 1.2 + 0.1)
    sky = (0.5 + 0.5 * n[1]) * (0.55 + 0.45 * height)
    floor = (0.5 - 0.5 * n[1]) * (0.2 + 0.4 * height)
    half = [a - b for a, b in zip(light, gaze, strict=True)]
    length = half[0] * half[0] + half[1] * half[1] + half[2] * half[2]
    along = np.maximum(n[0] * half[0] + n[1] * half[1] + n[2] * half[2], 0)
    shine = along * along / length
    for _ in range(4):
        shine = shine * shine
    edge = 1 + n[0] * gaze[0] + n[1] * gaze[1] + n[2] * gaze[2]
    return 0.86 * diffuse, sky, floor, np.where(facing > 0, 0.35 * shine, 0), edge * edge * edge * (0.35 * sky)
