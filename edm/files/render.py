"""Pictures of a result as PIL images: grids for images, paths over the density for points.

Settings travel in a PNG's text chunk `edm`, in a GIF's comment after that word, and in an SVG's metadata of that name,
so that a picture can be made again from its file.
"""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw, PngImagePlugin

from edm.base import documents, kinds_of_files
from edm.base.errors import Refused, shown
from edm.base.paths import expanded
from edm.base.transfers import array, stacked
from edm.data import images
from edm.embedded import in_plane

if TYPE_CHECKING:
    import torch

    from edm.base.types import Numbers, Shape, StrPath

METADATA_KEY, MAX_TEXT, MAX_SVG = "edm", 1 << 20, 1 << 26
_SETTINGS = re.compile(rb'<metadata id="edm">([^<]*)</metadata>')
_NOISE, _DATA, _PAPER = (224, 123, 57), (47, 111, 181), (251, 251, 250)


def to_uint8(images: torch.Tensor | np.ndarray) -> np.ndarray:
    """Images in [−1, 1] as 8 bits: clip(127.5·x + 128)."""
    numbers = array(images, np.float32)
    numbers *= 127.5
    numbers += 128
    return numbers.clip(0, 255, out=numbers).astype(np.uint8)


@dataclass(frozen=True)
class Sheet:
    """Where the tiles of a sheet of images lie. width, height: of a tile, in pixels; gap: between tiles, and around."""

    columns: int
    rows: int
    width: int
    height: int
    gap: int = 4

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the sheet."""
        return self.columns * (self.width + self.gap) + self.gap, self.rows * (self.height + self.gap) + self.gap

    def place(self, k: int) -> tuple[int, int]:
        """Left and top of tile k, counted row by row."""
        row, column = divmod(k, self.columns)
        return self.gap + column * (self.width + self.gap), self.gap + row * (self.height + self.gap)


def sheet(count: int, width: int, height: int, columns: int | None = None) -> Sheet:
    """The sheet that `grid` makes of so many tiles: about square, unless the columns are given."""
    columns = columns or math.ceil(math.sqrt(count))
    return Sheet(columns, math.ceil(count / columns), width, height)


def sheet_of(image: Image.Image, count: int) -> Sheet:
    """How a picture that `grid` has made of so many square images is laid out."""
    unit = sheet(count, 0, 0)
    tile = (image.width - unit.gap) // unit.columns - unit.gap
    return sheet(count, tile, tile)


def scale_of(shape: Shape) -> int:
    """How wide a pixel of a sample [C, H, W] is in a picture: small images are magnified."""
    return max(1, 64 // shape[-1])


def grid(
    images: torch.Tensor | np.ndarray,
    scale: int = 8,
    columns: int | None = None,
    paper: tuple[int, int, int] = _PAPER,
) -> Image.Image:
    """Images [B, C, H, W] in [−1, 1] side by side as `sheet` says, each pixel `scale` wide; C is 1 or 3. paper: the
    colour between them."""
    array = np.repeat(np.repeat(to_uint8(images).transpose(0, 2, 3, 1), scale, 1), scale, 2)
    count, height, width, _ = array.shape
    made = sheet(count, width, height, columns)
    picture = Image.new("RGB", made.size, paper)
    for k, image in enumerate(array):
        picture.paste(Image.fromarray(image.squeeze(-1) if image.shape[-1] == 1 else image), made.place(k))
    return picture


def first_of(picture: Image.Image, shape: Shape) -> np.ndarray:
    """The first image [C, H, W] in [−1, 1] of a picture that `grid` has made of samples of that shape."""
    channels, height, width = shape
    scale = scale_of(shape)
    first = sheet(1, width * scale, height * scale)
    left, top = first.place(0)
    tile = picture.crop((left, top, left + first.width, top + first.height)).convert("L" if channels == 1 else "RGB")
    pixels = np.asarray(tile)[::scale, ::scale]
    return (pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)).astype(np.float32) / 127.5 - 1


def paths(trajectory: np.ndarray, denoiser: Any, size: int = 800, part: int | None = None) -> Image.Image:
    """Trajectories [N + 1, B, 2] of x/s over the density of the data, if that is known, with their ends as dots.

    denoiser: the exact one of the data, or None. part: the class of it whose density it is; None: that of all.
    """
    trajectory = np.asarray(trajectory, dtype=np.float64)
    half = 1.25 * max(1.0, float(np.abs(trajectory[-1]).max() if denoiser is None else denoiser.means.abs().max()))
    picture = Image.new("RGB", (size, size), _PAPER)
    if denoiser is not None:
        picture = Image.fromarray(_density(denoiser, half, size // 4, part)).resize(
            (size, size), Image.Resampling.BICUBIC
        )
    draw = ImageDraw.Draw(picture, "RGBA")
    # PIL overflows on far-away coordinates; 50 windows away is off the picture all the same
    pixels = ((trajectory * [1, -1]).clip(-50 * half, 50 * half) / half + 1) * size / 2
    for path in pixels.transpose(1, 0, 2):
        draw.line([tuple(p) for p in path], fill=(*_NOISE, 70), width=1)
    for x, y in pixels[-1]:
        draw.ellipse((x - 3, y - 3, x + 3, y + 3), fill=(*_NOISE, 230))
    return picture


def lines(trajectory: np.ndarray, sigmas: Numbers, size: int = 800) -> Image.Image:
    """1-D trajectories [N + 1, B, 1] of x/s against the step, noise at the left and data at the right."""
    values = np.asarray(trajectory, dtype=np.float64)[:, :, 0]
    values = values / np.sqrt(1 + np.asarray(sigmas)[:, None] ** 2)
    half = 1.05 * float(np.abs(values).max())
    picture = Image.new("RGB", (size, size), _PAPER)
    draw = ImageDraw.Draw(picture, "RGBA")
    across = np.linspace(0.02, 0.98, len(values)) * size
    for path in ((1 - values / half) * size / 2).T:
        draw.line(list(zip(across, path, strict=True)), fill=(*_NOISE, 120), width=2)
    return picture


def unscaled(states: Iterable[Any], plane: np.ndarray | None = None) -> np.ndarray:
    """x/s of the states of a run: [S, B, …]; of points in more than two dimensions, where they lie in the plane [2, d]
    by which they are drawn, or that of the first two."""
    states = list(states)
    x, scales = stacked([in_plane(state.x, plane) for state in states]), [state.scale for state in states]
    if any(scale != 1 for scale in scales):
        x /= np.array(scales, x.dtype).reshape(-1, *[1] * (x.ndim - 1))
    return x


def picture(model: Any, states: Iterable[Any], size: int = 800, part: int | None = None) -> Image.Image:
    """The picture of a run: `states` as `edm.sample` yields them (all of them, in order), of an `edm.models.Model`.

    part: of points, the class whose density is drawn behind them (`edm.runner.part_of`); None: that of all data.
    """
    states = list(states)
    if len(model.shape) == 3:
        return grid(states[-1].x.cpu(), scale_of(model.shape))
    trajectory = unscaled(states, model.plane)
    if model.shape == (1,):
        return lines(trajectory, [state.sigma for state in states], size)
    known = model.dataset.labelled if model.dataset and model.shape == (2,) else None
    return paths(trajectory, known, size, part)


def save_png(image: Image.Image, path: StrPath, document: dict) -> None:
    """Write a PNG atomically, with the settings document in its metadata."""
    from edm.base.atomic import atomic

    information = PngImagePlugin.PngInfo()
    information.add_itxt(METADATA_KEY, json.dumps(document))
    with atomic(path) as file:
        image.save(file, format="PNG", pnginfo=information)


def read_document(path: StrPath) -> dict:
    """The settings document in a picture of ours (PNG, GIF or SVG), whatever its file is called. Raises Refused if
    there is none."""
    with open(expanded(path), "rb") as file:
        text = _svg_text(file.read(MAX_SVG + 1), path) if kinds_of_files.is_svg(path) else _text(file, path)
    if text is None:
        raise Refused(
            f"{path} carries no settings: it is no picture that the EDM explorer has made, or a program on its way, "
            "such as one for mail, chats or editing, has removed them; take the file as it was saved"
        )
    document = documents.from_json(text, f"the text {METADATA_KEY!r} in {path}", MAX_TEXT)
    if not isinstance(document, dict):
        raise Refused(f"{path} carries {shown(document)} instead of settings, which are names and values")
    return document


def _text(file, path) -> str | None:
    """What stands in a PNG under our key, or in a GIF's comment after it."""
    with images.opened(file, str(path)) as image:
        try:
            if image.format == "PNG":
                found = getattr(image, "text", {}).get(METADATA_KEY)
                return None if found is None else str(found)
            comment = image.info.get("comment", b"") if image.format == "GIF" else b""
        except images.BROKEN as error:
            raise Refused(f"{path} is damaged, and cannot be read as a picture ({error})") from None
    key, _, text = comment.decode(errors="replace").partition(" ")
    return text if key == METADATA_KEY else None


def _svg_text(data, path) -> str | None:
    if len(data) > MAX_SVG:
        raise Refused(f"{path} is too large: of an SVG picture at most {MAX_SVG:,} bytes are read")
    found = _SETTINGS.search(data)
    return html.unescape(documents.text_of(found.group(1), str(path))) if found else None


def _density(denoiser, half, pixels, part) -> np.ndarray:
    import torch

    axis = (torch.arange(pixels) + 0.5) / pixels * 2 * half - half
    points = torch.stack([axis.repeat(pixels), -axis.repeat_interleave(pixels)], dim=1)
    labels = None if part is None else torch.full((len(points),), part)
    shade = denoiser.log_density(points, 0.03, labels).exp().view(pixels, pixels).sqrt()
    shade = (shade / shade.max() * 0.55).numpy()[:, :, None]
    return (np.array(_PAPER) * (1 - shade) + np.array(_DATA) * shade).astype(np.uint8)
