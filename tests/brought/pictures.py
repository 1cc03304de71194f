"""One image file after the other, as cameras, scanners, telephones, browsers and instruments write them."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image

from tests.brought.case import Case, chw, encoded, together

SIZE = (12, 12)
SHAPE = (3, *SIZE)


def smooth(dice, size=SIZE) -> np.ndarray:
    """Pixels that a lossy format keeps."""
    a, b, c = (dice.uniform(0.5, 2) for _ in range(3))
    y, x = np.mgrid[: size[0], : size[1]] / max(size)
    return np.stack([127 + 120 * np.sin(a * x + b * y + k * c) for k in range(3)], 2).round().astype(np.uint8)


def png(pixels, depth, colour, chunks=b"") -> bytes:
    """A PNG of any depth. pixels: [H, W(, C)] of integers; colour: 0 grey, 2 RGB, 4 grey and alpha, 6 RGBA."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = pixels.astype(">u2" if depth == 16 else np.uint8).reshape(len(pixels), -1)
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    head = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunks + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def transparent(*values) -> bytes:
    """The chunk of a transparent colour."""
    data = struct.pack(f">{len(values)}H", *values)
    return struct.pack(">I", len(data)) + b"tRNS" + data + struct.pack(">I", zlib.crc32(b"tRNS" + data))


def cases(dice) -> Iterator[Case]:
    def two(name, make, ending, values=None, **expected):
        """Two files of a kind. values(pixels) -> what must come out, [H, W(, 3)]."""
        pixels = [smooth(dice) for _ in range(2)]
        files = {f"{k}{ending}": make(one) for k, one in enumerate(pixels)}
        wanted = None if values is None else chw(*map(values, pixels))
        return Case(name, together(files), **{"count": 2, "shape": SHAPE, "values": wanted, **expected})

    def flat(name, make, ending, values=None, **expected):
        """The same of grey images, which have one channel."""
        return two(name, make, ending, values, **{"shape": (1, *SIZE), **expected})

    def same(one):
        return one

    def grey(one):
        return np.asarray(Image.fromarray(one).convert("L"))

    def red(one):
        return one[..., 0]

    def alpha(one):
        return np.concatenate([one, np.where(one[..., :1] > 127, 255, 0).astype(np.uint8)], 2)

    def on_white(one):
        return np.where(one[..., :1] > 127, one, 255)

    yield two("PNG, RGB", encoded, ".png", same)
    yield flat("PNG, grey", lambda one: encoded(red(one)), ".png", red)
    yield two("PNG, RGBA on nothing", lambda one: encoded(alpha(one)), ".png", on_white)
    yield flat(
        "PNG, grey and alpha",
        lambda one: encoded(Image.fromarray(alpha(one)).convert("LA")),
        ".png",
        lambda one: np.where(one[..., 0] > 127, grey(one), 255).astype(np.uint8),
    )
    yield two("PNG, palette", lambda one: encoded(Image.fromarray(red(one)).convert("P")), ".png", red)
    yield flat(
        "PNG, one bit",
        lambda one: encoded(Image.fromarray(red(one) > 127)),
        ".png",
        lambda one: np.where(red(one) > 127, 255, 0).astype(np.uint8),
    )
    yield two("PNG, interlaced names with capitals", encoded, ".PNG", same)
    yield flat("PNG of 16 bits, whole range", lambda one: png(red(one).astype(int) * 257, 16, 0), ".png", None)
    yield two("PNG of 16 bits, RGB", lambda one: png(one.astype(int) * 257, 16, 2), ".png", same)
    yield flat("CT of 12 bits in 16", lambda one: png(red(one).astype(int) * 8, 16, 0), ".png", None, noted=("scaled",))
    yield flat(
        "depth in millimetres", lambda one: png(red(one).astype(int) * 20 + 500, 16, 0), ".png", None, noted=("scaled",)
    )
    yield flat(
        "grey of 16 bits with a transparent value",
        lambda one: png(np.where(red(one) > 127, red(one).astype(int) * 257, 0), 16, 0, transparent(0)),
        ".png",
        None,
    )
    yield two(
        "RGB with a transparent colour",
        lambda one: png(np.where(one[..., :1] > 127, one, 0), 8, 2, transparent(0, 0, 0)),
        ".png",
        on_white,
    )
    yield two("JPEG", lambda one: encoded(one, "JPEG", quality=95), ".jpg")
    yield flat("JPEG, grey", lambda one: encoded(red(one), "JPEG"), ".jpeg")
    yield two("JPEG, progressive", lambda one: encoded(one, "JPEG", progressive=True), ".JPG")
    yield two("JPEG called .jfif by a browser", lambda one: encoded(one, "JPEG"), ".jfif")
    yield two("JPEG, CMYK by Photoshop", lambda one: encoded(Image.fromarray(one).convert("CMYK"), "JPEG"), ".jpg")
    yield two("JPEG called .png", lambda one: encoded(one, "JPEG"), ".png")
    yield two("PNG called .jpg", encoded, ".jpg", same)
    for turn in (3, 6, 8):
        exif = Image.Exif()
        exif[0x0112] = turn
        turned = {f"{k}.jpg": encoded(smooth(dice, (12, 16)), "JPEG", exif=exif) for k in range(2)}
        shape = (3, 12, 16) if turn == 3 else (3, 16, 12)
        yield Case(f"JPEG of a telephone, turned ({turn})", together(turned), count=2, shape=shape)
    yield two("GIF", lambda one: encoded(Image.fromarray(red(one)), "GIF"), ".gif", red)

    def film(one):
        frames = [Image.fromarray(red(one)), Image.fromarray(255 - red(one))]
        frames[0].save(file := io.BytesIO(), "GIF", save_all=True, append_images=frames[1:])
        return file.getvalue()

    yield two("GIF, moving: the first frame", film, ".gif", red)
    yield two("WebP", lambda one: encoded(one, "WEBP"), ".webp")
    yield two("WebP without loss", lambda one: encoded(one, "WEBP", lossless=True), ".webp", same)
    yield two("WebP with alpha", lambda one: encoded(alpha(one), "WEBP", lossless=True, exact=True), ".webp", on_white)
    yield two("BMP", lambda one: encoded(one, "BMP"), ".bmp", same)
    yield flat("BMP, grey", lambda one: encoded(red(one), "BMP"), ".bmp", red)
    yield two("TIFF", lambda one: encoded(one, "TIFF"), ".tif", same)
    yield two("TIFF, LZW", lambda one: encoded(one, "TIFF", compression="tiff_lzw"), ".tiff", same)
    yield two("TIFF, deflated", lambda one: encoded(one, "TIFF", compression="tiff_adobe_deflate"), ".tif", same)
    yield flat(
        "TIFF of a microscope, 16 bits",
        lambda one: encoded(Image.fromarray(red(one).astype(np.uint16) * 16), "TIFF"),
        ".tif",
        None,
        noted=("scaled",),
    )

    def pages(one):
        first = Image.fromarray(one)
        first.save(file := io.BytesIO(), "TIFF", save_all=True, append_images=[Image.fromarray(255 - one)])
        return file.getvalue()

    yield two("TIFF of several pages: the first", pages, ".tif", same)
    yield two("TIFF, CMYK", lambda one: encoded(Image.fromarray(one).convert("CMYK"), "TIFF"), ".tif")
    yield two("JPEG 2000", lambda one: encoded(one, "JPEG2000"), ".jp2", same)
    yield two("AVIF", lambda one: encoded(one, "AVIF", quality=90), ".avif")
    yield two("PPM", lambda one: encoded(one, "PPM"), ".ppm", same)
    yield flat("PGM", lambda one: encoded(red(one), "PPM"), ".pgm", red)

    def heic(one):
        import pillow_heif

        pillow_heif.from_pillow(Image.fromarray(np.repeat(np.repeat(one, 6, 0), 6, 1))).save(
            file := io.BytesIO(), quality=90
        )
        return file.getvalue()

    yield two("HEIC of a telephone", heic, ".HEIC", shape=(3, 72, 72))
    svg = b"<svg xmlns='http://www.w3.org/2000/svg' width='4' height='4'/>"
    more = {"a.png": encoded(smooth(dice)), "b.png": encoded(smooth(dice))}
    for name, content in {
        "c.svg": svg, "c.psd": b"8BPS\0\1" + bytes(40), "c.pdf": b"%PDF-1.7 ", "c.jxl": b"\xff\x0a" + bytes(40),
        "c.ico": b"\0\0\1\0\1\0" + bytes(40), "c.xcf": b"gimp xcf " + bytes(40), "c.exr": b"v/1\1" + bytes(40),
        "c.dcm": bytes(128) + b"DICM" + bytes(40), "c.mp4": b"\0\0\0\x18ftypisom" + bytes(40),
    }.items():  # fmt: skip
        yield Case(f"{name[2:]} among images", together({**more, name: content}), count=2, shape=SHAPE, left_out=1)
