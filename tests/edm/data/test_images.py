"""Image files of any kind: known by their content, brought to eight bits with all that they show, or told apart."""

import io
import struct
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from edm.base.errors import Refused
from edm.data import images
from edm.data.depths import Depths
from edm.data.folders import ImageFolder

RAMP = np.add.outer(np.arange(16), np.arange(16)).astype(np.uint8) * 8  # smooth, so that lossy kinds stay near
COLOURS = np.stack([RAMP, RAMP[::-1], 255 - RAMP], axis=2)
TWELVE = np.arange(256, dtype=np.uint16).reshape(16, 16) * 16 + 15  # of 12 bits, from 15 to 4,095


def encoded(image, kind, **options) -> bytes:
    file = io.BytesIO()
    if kind == "HEIF":
        import pillow_heif

        pillow_heif.register_heif_opener()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(file, kind, **options)
    return file.getvalue()


def png(values, colour, key=b"") -> bytes:
    """A PNG of 16 bits, which PIL cannot write in colour."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    height, width = values.shape[:2]
    lines = b"".join(b"\0" + line.astype(">u2").tobytes() for line in values)
    head = chunk(b"IHDR", struct.pack(">2I5B", width, height, 16, colour, 0, 0, 0))
    key = chunk(b"tRNS", key) if key else b""
    return b"\x89PNG\r\n\x1a\n" + head + key + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def tiff(values, order="<", packed=1, more=()) -> bytes:
    """A TIFF of three channels of 16 bits, plain or deflated."""
    body = values.astype(f"{order}u2").tobytes()
    body = zlib.compress(body) if packed == 8 else body
    height, width, channels = values.shape
    tags = [(256, width), (257, height), (258, None), (259, packed), (262, 2), (273, 8), (277, 3), (278, height)]
    tags += [(279, len(body)), *more]
    at = 8 + len(body) + len(body) % 2
    entries = b"".join(
        struct.pack(f"{order}2HI", tag, 3, 3) + struct.pack(f"{order}I", at + 6 + 12 * len(tags))
        if value is None
        else struct.pack(f"{order}2H2I", tag, 4, 1, value)
        for tag, value in tags
    )
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", at)
    head += body + b"\0" * (len(body) % 2) + struct.pack(f"{order}H", len(tags)) + entries + bytes(4)
    return head + struct.pack(f"{order}3H", *[16] * channels)


def read(*files, channels=1, side=16):
    """The pixels of a set of such files, [n, C, H, W], and what is said of it."""
    known = Depths()
    for data in files:
        with images.opened(io.BytesIO(data), "it") as image:
            images.look(image, "it", known)
    found = []
    for data in files:
        with images.opened(io.BytesIO(data), "it") as image:
            found.append(images.pixels(image, "it", False, (channels, side, side), known.scales))
    return np.stack(found), known.notes


KINDS = {
    "PNG": 0, "BMP": 0, "TIFF": 0, "PPM": 0, "GIF": 40, "JPEG": 20, "WEBP": 20, "AVIF": 20, "JPEG2000": 1, "HEIF": 40,
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_what_its_content_says(tmp_path, kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    (tmp_path / "a.png").write_bytes(encoded(COLOURS, kind, **options))
    (tmp_path / "b.png").write_bytes(encoded(COLOURS[:, ::-1], kind, **options))
    found = ImageFolder(tmp_path).read(np.arange(2))[0].numpy().transpose(0, 2, 3, 1).astype(int)
    assert np.abs(found - np.stack([COLOURS, COLOURS[:, ::-1]])).max() <= KINDS[kind]


def test_of_an_animation_the_first_picture_is_taken():
    pages = [Image.fromarray(RAMP), Image.fromarray(255 - RAMP)]
    for kind in ("GIF", "TIFF", "PNG"):
        data = encoded(pages[0], kind, save_all=True, append_images=pages[1:])
        assert np.array_equal(read(data)[0][0, 0], RAMP)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG2000"])
def test_16_bits_of_which_a_set_uses_a_part_are_scaled_by_what_the_set_uses(kind):
    files = [encoded(values, kind) for values in (TWELVE, TWELVE // 2)]
    found, notes = read(*files)
    assert notes == ("16-bit values from 7 to 4,095 were scaled to 0 … 255",)
    for pixels, values in zip(found, (TWELVE, TWELVE // 2), strict=True):
        assert np.array_equal(pixels[0], np.rint((values - 7.0) * 255 / (4095 - 7)))


def test_16_bits_that_a_set_uses_keep_the_upper_eight():
    full = TWELVE * 16
    found, notes = read(encoded(full, "PNG"), encoded(TWELVE, "PNG"))
    assert notes == ()
    assert np.array_equal(found[:, 0], np.stack([full, TWELVE]) >> 8)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "big TIFF", "deflated TIFF"])
def test_16_bits_of_three_colours_are_scaled_as_well(kind):
    values = np.stack([TWELVE, TWELVE[::-1], TWELVE.T], axis=2)
    written = {
        "PNG": lambda values: png(values, 2),
        "TIFF": tiff,
        "big TIFF": lambda values: tiff(values, ">"),
        "deflated TIFF": lambda values: tiff(values, packed=8),
    }[kind]
    found, notes = read(written(values), channels=3)
    assert notes == ("16-bit values from 15 to 4,095 were scaled to 0 … 255",)
    assert np.array_equal(found[0].transpose(1, 2, 0), np.rint((values - 15.0) * 255 / 4080))
    assert np.array_equal(read(written(values * 16), channels=3)[0][0].transpose(1, 2, 0), values * 16 >> 8)


CLEAR = np.eye(16, dtype=bool)  # what is transparent, below
KEYED = np.where(CLEAR, 60_000, TWELVE + 1)
OPACITY = np.where(CLEAR, 0, 65_535)


@pytest.mark.parametrize(
    "data",
    [
        png(KEYED, 0, struct.pack(">H", 60_000)),
        png(np.stack([KEYED] * 3, axis=2), 2, struct.pack(">3H", *[60_000] * 3)),
        png(np.stack([KEYED, OPACITY], axis=2), 4),
        png(np.stack([KEYED, KEYED, KEYED, OPACITY], axis=2), 6),
    ],
    ids=["a grey", "a colour", "grey with opacity", "colour with opacity"],
)
def test_what_is_transparent_of_16_bits_lies_on_white_and_has_no_say_in_the_range(data):
    found, notes = read(data)
    assert notes == ("16-bit values from 32 to 4,080 were scaled to 0 … 255",)
    assert np.array_equal(found[0, 0], np.where(CLEAR, 255, np.rint((KEYED - 32.0).clip(0) * 255 / 4048)))


def test_16_bits_that_keep_their_upper_eight_lie_on_white_too():
    full = np.where(CLEAR, 60_000, TWELVE * 14)
    for data in (
        png(full, 0, struct.pack(">H", 60_000)),
        png(np.stack([full] * 3, axis=2), 2, bytes.fromhex("ea60") * 3),
    ):
        found, notes = read(data)
        assert notes == () and np.array_equal(found[0, 0], np.where(CLEAR, 255, full >> 8))


SIGNED = TWELVE.astype(np.int32) - 1024


@pytest.mark.parametrize(
    ("its", "data"),
    [
        ("32-bit", encoded(SIGNED, "TIFF")),
        ("signed 16-bit", encoded(SIGNED.astype(np.int16).view(np.uint16), "TIFF", tiffinfo={339: 2})),
        ("floating-point", encoded(SIGNED.astype(np.float32), "TIFF")),
    ],
)
def test_values_without_a_range_of_their_own_are_scaled_by_that_of_the_set(its, data):
    found, notes = read(data, encoded(RAMP, "PNG"))
    assert notes == (f"{its} values from -1,009 to 3,071 were scaled to 0 … 255",)
    assert np.array_equal(found[0, 0], np.rint((SIGNED + 1009.0) * 255 / 4080))
    assert np.array_equal(found[1, 0], RAMP)


def test_deep_pictures_stand_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(np.repeat(TWELVE, 2, axis=0)[:24], "PNG", exif=exif)
    with images.opened(io.BytesIO(data), "it") as image:
        assert images.stored(image) == (1, 16, 24)
        upright = images.pixels(image, "it", False, (1, 16, 24), {"16-bit": (0, 4080)})
    assert np.array_equal(upright[0], np.rot90(np.rint(np.repeat(TWELVE, 2, axis=0)[:24] / 16), -1).clip(0, 255))


def test_the_stored_shape_is_told_by_the_header():
    shapes = {
        (1, 16, 16): [encoded(RAMP, "PNG"), encoded(TWELVE, "PNG"), encoded(Image.new("LA", (16, 16)), "PNG")],
        (3, 16, 16): [encoded(COLOURS, "JPEG"), encoded(Image.new("P", (16, 16)), "PNG"), tiff(COLOURS)],
        (3, 16, 24): [encoded(Image.new("RGBA", (24, 16)), "WEBP"), encoded(Image.new("CMYK", (24, 16)), "TIFF")],
    }
    for shape, files in shapes.items():
        for data in files:
            with images.opened(io.BytesIO(data), "it") as image:
                assert images.stored(image) == shape


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is no image, but empty"),
        ("Kätzchen".encode() * 20, "is no image, but text"),
        ("Kätzchen".encode("utf-16"), "is no image, but text"),
        (b"<!DOCTYPE html><html>", "is no image, but a page of the web"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "is no image, but a drawing of lines"),
        (b"%PDF-1.7", "is no image, but a PDF document"),
        (b"8BPS\0\1", "is no image, but a Photoshop file"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0isommp42", "is no image, but a film"),
        (bytes(range(128, 256)), "is no image \\(PNG, JPEG"),
        (encoded(COLOURS, "PNG")[:20], "has a broken header"),
        (encoded(np.full((16, 16), np.nan, np.float32), "TIFF"), "is damaged \\(256 of its values are not finite"),
        (encoded(COLOURS, "TIFF")[:-100], "is damaged"),
        (encoded(COLOURS, "HEIF")[:300], "is HEIC with a broken header"),
        (encoded(COLOURS, "AVIF")[:200], "is AVIF with a broken header"),
    ],
)
def test_what_cannot_be_read_is_told_by_its_kind(data, reason):
    with pytest.raises(images.Unreadable, match=f"^'x.png' ({reason}).*; .*") as told:
        images.look(images.opened(io.BytesIO(data), "'x.png'"), "'x.png'", Depths())
    assert str(told.value).startswith(f"'x.png' {told.value.reason}; ")


def test_a_telephones_picture_needs_what_reads_it(monkeypatch):
    data = encoded(COLOURS, "HEIF")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    remedy = r"needs pillow_heif.*'edm-explorer\[files\]', or in a checkout pip install pillow-heif"
    with pytest.raises(Refused, match=remedy):
        images.opened(io.BytesIO(data), "'x.heic'")


def test_tiles_larger_than_an_image_may_be_are_refused():
    data = tiff(COLOURS, more=[(322, 1 << 15), (323, 1 << 15)])
    with pytest.raises(images.Unreadable, match="claims more than 67108864 pixels"):
        images.opened(io.BytesIO(data), "it")
