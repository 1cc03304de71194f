"""A run as a film from noise to data, and as lines that can be drawn at any size: what the page's stage shows.

Points are seen through a window that follows σ: q = x / √(σ² + σ_data²), in which noise and data are both in view; in
one dimension noise stands at the left and data at the right. Time goes on evenly in the angle arctan(σ/σ_data), in
which q turns from noise to data. Images are seen at constant contrast.
"""

from __future__ import annotations

import base64
import html
import io
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from edm.base.errors import Refused
from edm.base.transfers import array
from edm.files import render

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
Color = tuple[int, int, int]
MOMENTS, SECONDS, REST = 45, 4.5, 1.6  # of a film; for which its end is held
SIZE, STRIP = 480, 30  # pixels of its picture; of the line below, which says σ
MOST_SIDE, MOST_IMAGES = 640, 100  # pixels of a picture of images, and images in it
MOST_LINES, MOST_CORNERS = 400, 200  # trajectories that are drawn, and states of one
SPREAD = 0.5  # sigma_data of points that have none
WINDOW = 2.6  # half height of the picture in units of q
WIDTH = 0.035  # point sets are shaded as if this wide
CELLS, SHADES = 120, 24  # of the density: cells along a side, and how many shades there are
COLORS, WORDS = 128, 6  # of a film; of them, for what is written below
LINES, DOTS = 70, 25  # lines and dots together are about as strong as so many


@dataclass(frozen=True)
class Look:
    """The colours of the page's theme."""

    paper: Color
    ink: Color
    line: Color
    noise: Color
    data: Color


LOOKS = {
    "light": Look((251, 251, 250), (29, 35, 48), (227, 229, 232), (217, 107, 31), (47, 111, 181)),
    "dark": Look((20, 22, 27), (232, 234, 238), (47, 52, 63), (240, 149, 90), (107, 166, 232)),
}


def film(
    model: Any, states: Iterable[Any], look: str = "light", check: Callable[[], None] = lambda: None,
    part: int | None = None,
) -> list[tuple[Image.Image, float]]:  # fmt: skip
    """(picture, seconds for which it stays) from noise to data.

    states: as `edm.sample` yields them (all of them, in order), of an `edm.models.Model`. look: of LOOKS. check: called
    before each picture; what it raises ends the work. part: of points, the class whose density is drawn behind them
    (`edm.runner.part_of`); None: that of all data. Raises Refused for a look that there is none of.
    """
    run = _Run(model, list(states), _look(look), part)
    made = []
    for picture, sigma, seconds in run.pictures() if len(model.shape) == 3 else run.frames():
        check()
        made.append((run.told(picture, sigma), seconds))
    return made


def content(
    form: str,
    model: Any,
    states: Iterable[Any],
    document: dict,
    look: str = "light",
    check: Callable[[], None] = lambda: None,
    part: int | None = None,
) -> bytes:
    """The content of a file that ends in gif or svg, with the settings document inside. See `film` and `svg`."""
    if form == "svg":
        return svg(model, states, document, look, part).encode()
    return gif(film(model, states, look, check, part), document)


def gif(frames: Sequence[tuple[Image.Image, float]], document: dict) -> bytes:
    """The content of a GIF file, with the settings document in its comment."""
    pictures = [picture for picture, _ in frames]
    some = [pictures[round(k * (len(pictures) - 1) / 3)] for k in range(4)]
    sheet = Image.new("RGB", (some[0].width, 4 * some[0].height))
    for k, picture in enumerate(some):
        sheet.paste(picture, (0, k * picture.height))
    palette = sheet.quantize(COLORS - WORDS)
    words, counts = np.unique(np.asarray(some[-1])[-STRIP:].reshape(-1, 3), axis=0, return_counts=True)
    kept = words[np.argsort(counts)[-WORDS:]].ravel().tolist()
    palette.putpalette([*(palette.getpalette() or [])[: 3 * (COLORS - WORDS)], *kept])
    first, *others = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    comment = f"{render.METADATA_KEY} {json.dumps(document)}".encode()
    file = io.BytesIO()
    first.save(
        file,
        format="GIF",
        save_all=True,
        append_images=others,
        duration=[round(1000 * seconds) for _, seconds in frames],
        loop=0,
        comment=comment,
    )
    return file.getvalue()


def svg(model: Any, states: Iterable[Any], document: dict, look: str = "light", part: int | None = None) -> str:
    """The trajectories of points with their ends, as an SVG file with the settings document in its metadata. part: as
    of `film`. Raises Refused for images."""
    check_drawn(model)
    return _Run(model, list(states), _look(look), part).svg(document)


def check_drawn(model: Any) -> None:
    """Raises Refused for a model of images, which have no lines."""
    if len(model.shape) == 3:
        raise Refused(f"the model {model.name!r} makes images, which have no lines to draw; write a .png or .gif")


def _look(name) -> Look:
    if name not in LOOKS:
        raise Refused(f"look = {name!r}: must be one of {', '.join(LOOKS)}")
    return LOOKS[name]


class _Run:
    """States of a model as pictures."""

    def __init__(self, model, states, look, part):
        self.model, self.states, self.look, self.part = model, states, look, part
        self.sigma_data = model.sigma_data or SPREAD
        self.sigmas = np.array([state.sigma for state in states])
        self.angles = np.arctan(self.sigmas / self.sigma_data)

    # points

    def frames(self):
        """(picture, σ, seconds) of points."""
        places, still = self._places(), self._background() if self.model.shape == (1,) else None
        for k, angle in enumerate(np.linspace(self.angles[0], 0, MOMENTS)):
            sigma = self.sigma_data * math.tan(angle)
            picture = (still or self._density(sigma)).copy()
            draw = ImageDraw.Draw(picture, "RGBA")
            self._lines(draw, places)
            picture.paste(self.look.noise, (0, 0), _dots(self._between(places, angle)))
            yield picture, sigma, REST if k == MOMENTS - 1 else SECONDS / MOMENTS

    def _places(self) -> np.ndarray:
        """Where all states are in the picture: [S, B, 2] pixels, far outside of it at most."""
        x = array(render.unscaled(self.states, self.model.plane)).reshape(len(self.states), len(self.states[0].x), -1)
        q = x / np.hypot(self.sigmas, self.sigma_data)[:, None, None] / WINDOW
        if self.model.shape == (1,):
            across = np.broadcast_to(1 - 2 * (self.angles / self.angles[0])[:, None, None], q.shape)
            q = np.concatenate([0.96 * across, q], axis=2)
        return (np.nan_to_num(q[..., :2] * [1, -1], nan=50).clip(-50, 50) + 1) * SIZE / 2

    def _paths(self, places) -> np.ndarray:
        """Those that are drawn: [B', S', 2]."""
        corners = np.linspace(0, len(places) - 1, min(len(places), MOST_CORNERS)).round().astype(int)
        return places[corners, :MOST_LINES].transpose(1, 0, 2)

    def _between(self, places, angle) -> np.ndarray:
        """[B, 2] at an angle between two states: on straight lines of the picture."""
        after = int(np.searchsorted(-self.angles, -angle, side="left"))
        if after == 0:
            return places[0]
        begin, end = self.angles[after - 1], self.angles[after]
        return places[after - 1] + (begin - angle) / max(begin - end, 1e-300) * (places[after] - places[after - 1])

    def _lines(self, draw, places):
        fill = (*self.look.noise, round(255 * self._faint(places.shape[1])))
        for path in self._paths(places):
            draw.line([tuple(point) for point in path], fill=fill, width=1)

    def _faint(self, count) -> float:
        most = DOTS if self.model.shape == (1,) else LINES
        return min(max(most / count, 0.1), 0.55)

    def _density(self, sigma) -> Image.Image:
        """p(x; σ) of the data, where it is known, as a shade over the paper."""
        half = WINDOW * math.hypot(sigma, self.sigma_data)
        axis = ((np.arange(CELLS) + 0.5) / CELLS * 2 - 1) * half
        components = self._components()
        if components is None:
            return self._shaded(None)
        means, widths, weights = components
        variances = np.maximum(widths, WIDTH) ** 2 + sigma**2
        across, down = (np.exp(-((axis[:, None] - means[:, k]) ** 2) / (2 * variances)) for k in (0, 1))
        values = (down * (weights / variances)) @ across.T
        return self._shaded(values[::-1] / max(values.max(), 1e-300))

    def _background(self) -> Image.Image:
        """p(x; σ) over all levels, every column brightest where it peaks."""
        components = self._components()
        if components is None:
            return self._shaded(None)
        means, widths, weights = components
        columns = []
        for angle in (1 - (np.arange(CELLS) + 0.5) / CELLS) * self.angles[0]:
            sigma = self.sigma_data * math.tan(angle)
            axis = ((np.arange(CELLS) + 0.5) / CELLS * 2 - 1) * WINDOW * math.hypot(sigma, self.sigma_data)
            variances = np.maximum(widths, WIDTH) ** 2 + sigma**2
            column = np.exp(-((axis[:, None] - means[:, 0]) ** 2) / (2 * variances)) @ (weights / np.sqrt(variances))
            columns.append(column / max(column.max(), 1e-300))
        return self._shaded(np.stack(columns, axis=1)[::-1])

    def _components(self):
        """(means [K, d], standard deviations [K], weights [K]) of the data, or of a class of them; None: unknown."""
        if self.model.dataset is None or self.model.shape not in ((1,), (2,)):
            return None
        mixture = self.model.dataset.labelled
        found = [array(numbers) for numbers in (mixture.means, mixture.stds(), mixture.weights())]
        return found if self.part is None else [numbers[array(mixture.labels) == self.part] for numbers in found]

    def _shaded(self, values) -> Image.Image:
        paper = Image.new("RGB", (SIZE, SIZE), self.look.paper)
        if values is None:
            return paper
        shade = 0.6 * np.round(SHADES * values**0.6) / SHADES
        mixed = np.array(self.look.paper) * (1 - shade[..., None]) + np.array(self.look.data) * shade[..., None]
        return Image.fromarray(mixed.astype(np.uint8)).resize((SIZE, SIZE), Image.Resampling.BICUBIC)

    def svg(self, document) -> str:
        places, file = self._places(), io.BytesIO()
        behind = self._background() if self.model.shape == (1,) else self._density(0.0)
        behind.resize((CELLS, CELLS)).save(file, "PNG")
        shade = base64.b64encode(file.getvalue()).decode()
        noise = "#{:02x}{:02x}{:02x}".format(*self.look.noise)
        lines = [" ".join(f"{x:.1f},{y:.1f}" for x, y in path) for path in self._paths(places)]
        dots = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>' for x, y in places[-1]]
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}" width="{SIZE}" height="{SIZE}">',
                f"<title>{html.escape(self.model.title)}</title>",
                f'<metadata id="{render.METADATA_KEY}">{html.escape(json.dumps(document), quote=False)}</metadata>',
                f'<image width="{SIZE}" height="{SIZE}" href="data:image/png;base64,{shade}"/>',
                f'<g fill="none" stroke="{noise}" stroke-width="0.8" opacity="{self._faint(places.shape[1]):.2f}">',
                *(f'<polyline points="{line}"/>' for line in lines),
                "</g>",
                f'<g fill="{noise}">',
                *dots,
                "</g>",
                "</svg>\n",
            ]
        )

    # images

    def pictures(self):
        """(picture, σ, seconds) of images: each state once."""
        shape, count = self.model.shape, min(len(self.states[0].x), MOST_IMAGES)
        scale = max(1, min(render.scale_of(shape), MOST_SIDE // (shape[-1] * math.ceil(math.sqrt(count)))))
        at = np.unique(np.linspace(0, len(self.states) - 1, min(len(self.states), MOMENTS)).round().astype(int))
        passing = -np.diff(self.angles[at], append=0.0) / self.angles[0] * SECONDS
        for k, seconds in zip(at, passing, strict=True):
            state = self.states[k]
            contrast = self.sigma_data / math.hypot(state.sigma, self.sigma_data) / state.scale
            picture = render.grid(state.x[:count].cpu() * contrast, scale, paper=self.look.paper)
            yield picture, state.sigma, REST if k == at[-1] else max(seconds, 0.04)

    # what is said below

    def told(self, picture, sigma) -> Image.Image:
        """The picture over a line that says its noise level and how far it has come."""
        whole = Image.new("RGB", (max(picture.width, 160), picture.height + STRIP), self.look.paper)
        whole.paste(picture, ((whole.width - picture.width) // 2, 0))
        draw, top = ImageDraw.Draw(whole), picture.height
        share = 1 - math.atan(sigma / self.sigma_data) / self.angles[0]
        draw.rectangle((0, top, whole.width, top + 2), fill=self.look.line)
        draw.rectangle((0, top, share * whole.width, top + 2), fill=self.look.noise)
        _write_sigma(draw, 10, top + 9, self.look.ink)
        font = ImageFont.load_default(15)
        draw.text((24, top + 6), f"= {sigma:.3g}", fill=self.look.ink, font=font)
        return whole


def _dots(places) -> Image.Image:
    """Where dots cover the picture."""
    mask = Image.new("L", (2 * SIZE, 2 * SIZE))
    draw = ImageDraw.Draw(mask)
    for x, y in 2 * places:
        draw.ellipse((x - 5, y - 5, x + 5, y + 5), fill=255)
    return mask.resize((SIZE, SIZE), Image.Resampling.BOX)


def _write_sigma(draw, x, y, ink):
    """The letter, which Pillow's own font lacks."""
    draw.ellipse((x, y + 1, x + 8, y + 10), outline=ink, width=1)
    draw.line((x + 4, y + 1, x + 11, y + 1), fill=ink, width=1)
