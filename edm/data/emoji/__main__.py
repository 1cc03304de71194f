"""python -m edm.data.emoji --font NotoColorEmoji.ttf: draw the file of the data "emoji" anew.

All emoji of Unicode's list, without skin tones, that the font has, each picture once: where flags look alike, by the
shortest name. The font's pictures are 128×128 in colour, on nothing; they are laid on white, and four pixels
become one (a Hamming window, which keeps edges sharp and adds no halo). The same font, list and Pillow make the same
file.

Debian has the font in fonts-noto-color-emoji, the list in unicode-data. Without either, the file that ships is read.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin, features

from edm.base import paths
from edm.base.atomic import atomic
from edm.base.errors import Refused
from edm.data.emoji import ACROSS, FILE, GROUPS, METADATA_KEY, SHAPE

if TYPE_CHECKING:
    from edm.base.types import StrPath

LIST = "/usr/share/unicode/emoji/emoji-test.txt"
SIZE = 109  # the only one at which the font has pictures
BOX = (0, 0, 136, 128)  # of each of them, of which the middle is used
SKINS = {chr(tone) for tone in range(0x1F3FB, 0x1F400)}
_LINE = re.compile(r"([0-9A-F ]+?)\s*; fully-qualified\s*# \S+ E\S+ (.+)")


def listed(path: StrPath = LIST) -> Iterator[tuple[str, str, str]]:
    """(class, name, text) of each emoji without a skin tone in Unicode's emoji-test.txt, in its order."""
    group = ""
    with open(paths.expanded(path), encoding="utf-8") as file:
        for line in file:
            if line.startswith("# group:"):
                group = line.removeprefix("# group:").strip()
            elif (found := _LINE.match(line)) and group in GROUPS:
                text = "".join(chr(int(code, 16)) for code in found[1].split())
                if not SKINS & set(text):
                    yield GROUPS[group], found[2].strip(), text


def picture(text: str, font: ImageFont.FreeTypeFont) -> Image.Image | None:
    """One emoji as the font has it, RGBA of 136×128; None where it has no single picture of it."""
    if font.getbbox(text) != BOX:
        return None
    drawn = Image.new("RGBA", BOX[2:], (255, 255, 255, 0))
    ImageDraw.Draw(drawn).text((0, 0), text, font=font, embedded_color=True)
    return drawn if drawn.getbbox() else None


def reduced(drawn: Image.Image) -> np.ndarray:
    """The middle of such a picture on white, uint8 [32, 32, 3]."""
    width, height = drawn.size
    square = Image.new("RGB", (height, height), "white")
    square.paste(drawn, (-((width - height) // 2), 0), drawn)
    return np.asarray(square.resize(SHAPE[1:], Image.Resampling.HAMMING))


def draw(font: StrPath, names: StrPath = LIST) -> tuple[np.ndarray, dict[str, list[str]]]:
    """(pictures uint8 [N, 32, 32, 3], their names by class). Raises Refused for a font or a list that is none."""
    if not features.check("raqm"):
        raise Refused("this Pillow cannot join emoji (it lacks raqm); install one of its wheels: pip install pillow")
    try:
        opened, lines = ImageFont.truetype(font, SIZE), list(listed(names))
    except OSError as error:
        raise Refused(f"{font} or {names} cannot be used ({error}); name Noto Color Emoji and emoji-test.txt") from None
    found: dict[bytes, tuple[str, str]] = {}
    for group, name, text in lines:
        if (drawn := picture(text, opened)) is not None:
            key = reduced(drawn).tobytes()
            found[key] = min(found.get(key, (group, name)), (group, name), key=lambda known: len(known[1]))
    if not found:
        raise Refused(f"{font} has no colour pictures of {SIZE} points; name the file of Noto Color Emoji")
    groups = {group: [name for own, name in found.values() if own == group] for group in GROUPS.values()}
    return np.stack([np.frombuffer(key, np.uint8).reshape(*SHAPE[1:], 3) for key in found]), groups


def write(path: StrPath, pictures: np.ndarray, groups: dict[str, list[str]]) -> None:
    """The sheet of all pictures as a PNG file that holds their names."""
    side, down = SHAPE[-1], -(-len(pictures) // ACROSS)
    cells = np.full((down * ACROSS, side, side, 3), 255, np.uint8)
    cells[: len(pictures)] = pictures
    sheet = cells.reshape(down, ACROSS, side, side, 3).swapaxes(1, 2).reshape(down * side, ACROSS * side, 3)
    known = PngImagePlugin.PngInfo()
    known.add_text(METADATA_KEY, json.dumps(groups), zip=True)
    known.add_text("Copyright", "Google Inc., SIL Open Font License 1.1")
    with atomic(path) as file:
        Image.fromarray(sheet).save(file, "PNG", optimize=True, pnginfo=known)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m edm.data.emoji", description=__doc__)
    parser.add_argument("--font", type=paths.text, required=True, help="file of Noto Color Emoji")
    parser.add_argument(
        "--names", type=paths.text, default=LIST, help="Unicode's emoji-test.txt (default: %(default)s)"
    )
    parser.add_argument(
        "--out", type=paths.text, default=str(FILE), help="file to write; default: the one that is read"
    )
    options = parser.parse_args(arguments)
    try:
        pictures, groups = draw(options.font, options.names)
    except Refused as error:
        parser.error(str(error))
    write(options.out, pictures, groups)
    print(f"{len(pictures)} emoji -> {options.out}")


if __name__ == "__main__":
    main()
