"""Arrays -> messages for the page's canvases: base64 of float32 for points, of 8 bits for images."""

from __future__ import annotations

import binascii
import math

import numpy as np

from app.figures.written import Packed
from edm.files.render import to_uint8, unscaled

MAX_NUMBERS = 1_500_000  # of a trajectory in one message; beyond, only some of the states are sent


def float32(values) -> str:
    """An array as base64 of little-endian float32."""
    values = np.ascontiguousarray(values, dtype="<f4")
    return _packed(values.data if values.size else b"")


def uint8(images) -> str:
    """Images in [−1, 1] as base64 of 8-bit numbers."""
    parts = (np.ascontiguousarray(to_uint8(image)) for image in images)  # a part that fits in a cache at a time
    return _packed(b"".join(parts))


def _packed(data) -> Packed:
    return Packed(binascii.b2a_base64(data, newline=False), "ascii")


def chosen_states(total: int, numbers_each: int) -> np.ndarray:
    """Indices of the states to send: all, or evenly spaced ones (the first and last included)."""
    most = max(2, MAX_NUMBERS // max(numbers_each, 1))
    return np.unique(np.linspace(0, total - 1, min(total, most)).round().astype(int))


def drawn_shape(shape) -> tuple[int, ...]:
    """That of a sample as it is sent: points in more than two dimensions lie in the plane by which they are drawn."""
    return tuple(shape) if len(shape) > 1 else (min(shape[0], 2),)


def trajectory(states, sigma_data: float, since: int = 0, plane=None, levels=None) -> dict:
    """The states of a run so far. x is sent as x/s, of more dimensions in their `plane` [2, d]; images at constant
    contrast, as uint8 of x and of D, and those of the first `since` states not again, unless the states are thinned.
    levels: which ones the states stand for, where these are not all up to the last."""
    shape = tuple(states[0].x.shape[1:])
    index = chosen_states(len(states), states[0].x.numel())
    sent = [states[i] for i in index]
    packed = {
        "shape": drawn_shape(shape),
        "count": len(states[0].x),
        "index": index.tolist() if levels is None else [levels[i] for i in index],
        "t": [state.t for state in sent],
        "sigma": [state.sigma for state in sent],
        "scale": [state.scale for state in sent],
        "evaluations": states[-1].evaluations,
    }
    if len(shape) == 1:
        packed["x"] = float32(unscaled(sent, plane))
    else:
        known = since if len(sent) == len(states) else 0
        new = sent[known:]
        contrast = [sigma_data / math.hypot(state.sigma, sigma_data) / state.scale for state in new]
        packed["x"] = uint8([(state.x * c).cpu().numpy() for state, c in zip(new, contrast, strict=True)])
        packed["denoised"] = uint8([state.denoised.cpu().numpy() for state in new])
        packed["since"] = known
    return packed


def time_axis(path, points: int = 240) -> dict:
    """σ(t) and s(t) along the time axis of the paper's Figure 3, from the path's largest level to 0."""
    t = np.linspace(path.times[0], 0, points)
    inner = t[:-1]
    return {
        "t": t.tolist(),
        "sigma": [*np.asarray(path.schedule.sigma(inner)).tolist(), 0.0],
        "scale": [*(np.asarray(path.scaling.s(inner)) * np.ones_like(inner)).tolist(), 1.0],
    }


def components(mixture) -> dict:
    """The mixture's parameters for the page to shade p(x; σ) with: rows of (weight, std, mean…); of one on a plane in
    more dimensions, those in it; none of others there."""
    mixture = getattr(mixture, "inner", mixture)
    if mixture.means.shape[1] > 2:
        return {"count": 0, "rows": ""}
    weights = mixture.weights().numpy()[:, None]
    stds = mixture.stds().numpy()[:, None]
    rows = np.concatenate([weights, stds, mixture.means.numpy()], axis=1)
    labels = {} if mixture.labels is None else {"labels": mixture.labels.tolist()}
    return {"count": len(rows), "rows": float32(rows), **labels}
