"""Image folders and zips: what is read, in which order, with which labels, and what is refused by name."""

import io
import json
import os
import pickle
import struct
import tracemalloc
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from PIL import Image, ImageFile

import edm
from edm.data.brought import Limits, archives, files, labels
from edm.data.folders import ImageFolder
from edm.data.images import FORMATS

NOISE = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
NAMES = ["a/10.png", "a/9.png", "b/2.png", "c.d/1.png"]


def encoded(pixels, kind="PNG", **options) -> bytes:
    file = io.BytesIO()
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(file, kind, **options)
    return file.getvalue()


def plain(width=8, height=8, colour=(10, 200, 30)):
    return Image.new("RGB", (width, height), colour)


ONE = encoded(NOISE[0])
SET = {name: encoded(pixels) for name, pixels in zip(NAMES, NOISE, strict=True)}


def folder(path, files):
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def packed(path, files, compression=zipfile.ZIP_STORED):
    path.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path / "set.zip", "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path / "set.zip"


@pytest.fixture(params=[folder, packed])
def place(request):
    return request.param


def refused(path, match, **options):
    with pytest.raises(ValueError, match=match):
        ImageFolder(path, **options)


def test_images_come_in_the_order_of_their_names_with_folders_as_classes(tmp_path, place):
    source = ImageFolder(place(tmp_path / "1", SET))
    assert (source.shape, source.size, source.classes) == ((3, 8, 8), 4, 3)
    assert source.class_names == ("a", "b", "c.d") and source.names == tuple(NAMES)
    images, labels = source.read(np.array([3, 0, 1, 0]))
    assert images.dtype == torch.uint8 and labels.dtype == torch.int64 and labels.tolist() == [2, 0, 0, 0]
    assert np.array_equal(images.permute(0, 2, 3, 1), NOISE[[3, 0, 1, 0]])
    assert source.read(np.array([], dtype=int))[0].shape == (0, 3, 8, 8)
    for wrong in ([4], [-1], [0.0], [[0]]):
        with pytest.raises(IndexError, match="indices"):
            source.read(np.array(wrong))
    written_backwards = ImageFolder(place(tmp_path / "2", dict(reversed(SET.items()))))
    assert written_backwards.names == source.names
    assert torch.equal(written_backwards.read(np.array([3, 0, 1, 0]))[0], images)


def test_only_visible_images_count(tmp_path, place):
    files = {"x.png": ONE, "y.PNG": ONE, "a/readme.txt": b"?", "list.csv": b""}
    files |= dict.fromkeys([".x.png", ".git/x.png", "__MACOSX/x.png", "a/__MACOSX/x.png", "a/.DS_Store"], b"junk")
    source = ImageFolder(place(tmp_path, files))
    assert source.names == ("x.png", "y.PNG")
    assert source.classes == 0 and source.class_names == () and source.read(np.array([0]))[1] is None


def test_folders_are_no_classes_unless_they_part_all_images(tmp_path):
    for names in (["a/1.png", "a/2.png"], ["1.png", "a/1.png", "b/1.png"]):
        assert ImageFolder(folder(tmp_path / names[0][0], dict.fromkeys(names, ONE))).classes == 0


def listed(*items, start=NAMES[1:]):
    return json.dumps({"labels": [[name, 2] for name in start] + list(items)}).encode()


def test_dataset_json_gives_the_labels(tmp_path, place):
    source = ImageFolder(place(tmp_path / "1", SET | {"dataset.json": listed(["a\\10.png", 7])}))
    assert source.classes == 8 and source.class_names == ()
    assert source.read(np.arange(4))[1].tolist() == [7, 2, 2, 2]
    assert ImageFolder(place(tmp_path / "2", SET | {"dataset.json": b'{"labels": null}'})).classes == 0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (listed([NAMES[0], -1]), r"'a/10.png' the label -1; labels are whole numbers from 0"),
        (listed([NAMES[0], 65536]), "the label 65536"),
        (listed([NAMES[0], True]), "the label True"),
        (listed([NAMES[0], [0, 1]]), r"the label \[0, 1\]"),
        (listed(), r"no label for 'a/10.png' \(1 of 4 images\)"),
        (listed([NAMES[0], 0], ["../b.png", 0]), r"names '\.\./b.png', which is not an image of the set"),
        (listed([NAMES[1], 1]), "lists 'a/9.png' twice"),
        (listed([NAMES[0]]), r"has the item \['a/10.png'\]"),
        (b"{}", "must read"),
        (b"{'labels': []}", "is not valid JSON"),
        (b"\xff\xfe\x00", "is not text"),
        (b"[" * 1_000_000, "is nested too deeply"),
        (b" " * 2**21, "is larger than 1 MB"),
    ],
)
def test_bad_labels_are_refused(tmp_path, place, monkeypatch, text, reason):
    monkeypatch.setattr(labels, "MAX_BYTES", 2**20)
    refused(place(tmp_path, SET | {"dataset.json": text}), f"'dataset.json' in {tmp_path}.*{reason}")


def test_each_format_is_read_whatever_its_ending(tmp_path, place):
    files = {f"{kind}.bmp": encoded(plain(), kind, quality=95) for kind in FORMATS}
    images, _ = ImageFolder(place(tmp_path, files)).read(np.arange(4))
    assert np.abs(images.permute(0, 2, 3, 1).numpy() - np.array([10.0, 200, 30])).max() <= 4


def test_transparency_is_laid_over_white(tmp_path):
    palette = Image.new("P", (8, 8), 1)
    palette.putpalette([0, 0, 0, 1, 2, 3])
    files = {"1.png": encoded(Image.new("RGBA", (8, 8), (255, 0, 0, 51))), "2.png": encoded(palette)}
    files |= {"3.png": encoded(palette, transparency=1), "4.png": encoded(Image.new("LA", (8, 8), (0, 51)))}
    images, _ = ImageFolder(folder(tmp_path, files)).read(np.arange(4))
    assert images[:, :, 0, 0].tolist() == [[255, 204, 204], [1, 2, 3], [255, 255, 255], [204, 204, 204]]


def test_every_depth_and_mode_becomes_colour_or_grey(tmp_path):
    deep = np.arange(64, dtype=np.uint16).reshape(8, 8) * 1024 + 255
    path = folder(tmp_path, {"0.png": encoded(deep)})
    for mode, kind in {"1": "PNG", "L": "PNG", "P": "PNG", "CMYK": "JPEG", "YCbCr": "JPEG"}.items():
        folder(tmp_path, {f"{mode}.png": encoded(plain(colour=(255, 255, 255)).convert(mode), kind)})
    for channels in (1, 3):
        images, _ = ImageFolder(path, channels=channels).read(np.arange(6))
        assert images[1:].min() >= 250 and np.array_equal(images[0, channels - 1], deep >> 8)


def test_photographs_are_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by 90°
    bright_top = np.repeat(np.eye(1, 8, dtype=np.uint8).T * 255, 8, 1)
    source = ImageFolder(folder(tmp_path, {"x.jpg": encoded(bright_top, "JPEG", exif=exif, quality=100)}))
    images, _ = source.read(np.array([0]))
    assert images[..., 7].min() > 200 and images[..., :7].max() < 60


def test_images_are_cropped_and_resized(tmp_path, place):
    wide = np.zeros((8, 20, 3), dtype=np.uint8)
    wide[:, 6:14] = 200
    files = {"1.png": encoded(wide), "2.png": encoded(wide.transpose(1, 0, 2)), "3.png": encoded(plain(64, 40))}
    images, _ = ImageFolder(place(tmp_path / "1", files), resolution=4, crop=True).read(np.arange(3))
    assert images.shape == (3, 3, 4, 4) and (images[:2] == 200).all()
    assert images[2, :, 1, 1].tolist() == [10, 200, 30]
    images, _ = ImageFolder(place(tmp_path / "2", SET), resolution=4).read(np.arange(4))
    smaller = [Image.fromarray(pixels).resize((4, 4), Image.Resampling.LANCZOS) for pixels in NOISE]
    assert np.array_equal(images.permute(0, 2, 3, 1), np.stack(smaller))


def test_bad_options_and_shapes_are_refused(tmp_path, place):
    path = place(tmp_path / "0", SET)
    for resolution in (3, 1025, 8.0, True, "8"):
        refused(path, f"resolution = {resolution!r}: must be a whole number from 4 to 1024", resolution=resolution)
    refused(path, "crop needs a resolution", crop=True)
    refused(path, "channels = 4: must be 3", channels=4)
    refused(place(tmp_path / "1", SET | {"c/3.png": encoded(plain(9, 8))}), "'c/3.png' in .* is 9×8.*use crop")
    mixed = place(tmp_path / "2", SET | {"z/3.png": encoded(plain(9, 9))})
    for side in (None, 8):
        refused(mixed, "'z/3.png' in .* is 9×9 but 'a/10.png' is 8×8.*use crop", resolution=side)
    refused(place(tmp_path / "3", {"x.png": encoded(plain(3, 3))}), "3×3; give a resolution from 4 to 1024")


def bitmap(side):
    return b"BM" + struct.pack("<3I", 54, 0, 54) + struct.pack("<I2i2H6I", 40, side, side, 1, 24, *[0] * 6)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_what_is_no_image_is_refused_at_opening(tmp_path, place):
    broken = [b"", b"no image", ONE[:20], encoded(plain(), "JPEG")[:30], encoded(plain(), "GIF")[:9]]
    broken += [
        encoded(plain(), "TIFF")[:20],
        encoded(plain(), "ICO"),
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n",
    ]
    cases = dict.fromkeys(broken, "is no image|broken header")
    cases |= dict.fromkeys(map(bitmap, (9_000, 10_000, 30_000)), "claims more than 67108864 pixels")
    for data, match in cases.items():
        path = place(tmp_path / str(len(os.listdir(tmp_path))), SET | {"b/3.png": data})
        for crop in (False, True):
            refused(path, f"'b/3.png' in .*({match}).* remove it", resolution=8, crop=crop)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP"])
def test_pixels_that_are_cut_off_are_refused_when_they_are_read(tmp_path, place, kind):
    noise = encoded(np.tile(NOISE[0], (16, 16, 1)), kind)
    source = ImageFolder(place(tmp_path, {"1.png": noise, "2.png": noise[: len(noise) // 2]}))
    source.read(np.array([0]))
    with pytest.raises(ValueError, match=r"'2.png' in .* is damaged \(.*truncated"):
        source.read(np.array([0, 1]))
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


def test_places_without_images_are_refused(tmp_path, place):
    refused(tmp_path / "nowhere", "there is no folder and no zip or other file at .*/nowhere")
    refused(place(tmp_path / "set", {"a.txt": b"text", "b/dataset.json": b"{}"}), r"holds no images \(.png")
    with pytest.raises(edm.Refused, match=r"holds 4 (images|files); at most 3 are taken"):
        edm.data.bring(place(tmp_path / "many", SET), limits=Limits(files=3))


def test_files_that_may_not_be_opened_are_named(tmp_path, place, monkeypatch):
    def deny(path, *_):
        raise PermissionError(13, "Permission denied", str(path))

    source = ImageFolder(place(tmp_path, SET))
    monkeypatch.setattr(files, "open", deny, raising=False)
    monkeypatch.setattr(archives, "open", deny, raising=False)
    with pytest.raises(ValueError, match=r"'a/10.png' in .* cannot be read \(Permission denied\)"):
        source.read(np.array([0]))
    monkeypatch.setattr(os, "scandir", deny)
    refused(source.path, r"cannot be opened \(Permission denied\)")


def test_links_may_not_leave_the_folder(tmp_path):
    inside, outside = folder(tmp_path / "in", SET), folder(tmp_path / "out", SET)
    (inside / "x.png").symlink_to(inside / "a/9.png")
    (inside / "notes").symlink_to(tmp_path / "nowhere")
    (tmp_path / "link").symlink_to(inside)
    assert ImageFolder(tmp_path / "link").names[-1] == "x.png"
    for target in (outside / "a/9.png", outside / "a", inside, "y.png", "nowhere.png"):
        (inside / "y.png").symlink_to(target)
        refused(inside, "y.png' in .* is no regular file, or links elsewhere|y.png cannot be opened")
        (inside / "y.png").unlink()
    os.mkfifo(inside / "y.png")
    refused(inside, "'y.png' in .* is no regular file, or links elsewhere; put a copy there")
    refused(inside / "y.png", "there is no folder and no zip")


def test_a_hostile_or_damaged_zip_is_refused(tmp_path):
    def changed(offset, form, *values):
        data = bytearray(whole)
        struct.pack_into(form, data, data.rindex(b"PK\1\2") + offset, *values)  # in the directory, of c.d/1.png
        return data

    whole, path = packed(tmp_path, SET).read_bytes(), tmp_path / "set.zip"
    cases = {
        "'c.d/1.png' in .* is encrypted": changed(8, "<H", 1),
        "'c.d/1.png' in .* claims 2,147,483,648 bytes, which the zip does not hold": changed(24, "<I", 2**31),
        "'c.d/1.png' in .* claims 2,147,483,648 bytes": changed(20, "<2I", 2**31, 2**31),
        "'c.d/1.png' is not where it should be": changed(42, "<I", 7),
        "is not a whole zip.*pack it again": whole[:-30],
        "is not a whole zip .*pack": whole[: len(whole) // 2],
        r"not a whole zip|damaged": whole[100:],
    }
    for match, data in cases.items():
        path.write_bytes(data)
        refused(path, match)
    for name in ("/x.png", "../x.png", "a/../../x.png", "..\\x.png", "C:\\x.png", "/etc/passwd"):
        refused(packed(tmp_path, SET | {name: ONE}), "points out of the set.*pack it again")


def test_bytes_that_changed_are_noticed(tmp_path, place):
    source = ImageFolder(place(tmp_path, SET))
    place(tmp_path, dict.fromkeys(SET, encoded(plain(9, 9))))
    with pytest.raises(ValueError, match=r"has changed since|is damaged"):
        source.read(np.array([2]))


def test_threads_and_pickles_share_a_set_that_holds_no_file_open(tmp_path, place):
    names = [f"{number % 7}/{number}.png" for number in range(200)]
    files = {name: encoded(np.full((16, 16, 3), number, np.uint8)) for number, name in enumerate(names)}
    open_before = len(os.listdir("/proc/self/fd"))
    source = ImageFolder(place(tmp_path, files))
    wanted = np.random.default_rng(1).integers(0, 200, (24, 16))
    expected = [source.read(indices) for indices in wanted]
    with ThreadPoolExecutor(4) as pool:
        for copy in (source, pickle.loads(pickle.dumps(source))):
            for (images, labels), (same, marks) in zip(pool.map(copy.read, wanted), expected, strict=True):
                assert torch.equal(images, same) and torch.equal(labels, marks)
    assert len(os.listdir("/proc/self/fd")) == open_before


def test_opening_keeps_names_and_labels_only(tmp_path, place):
    noise = encoded(np.tile(NOISE[0], (16, 16, 1)), "BMP")
    path = place(tmp_path, {f"{number % 2}/{number}.bmp": noise for number in range(300)})
    tracemalloc.start()
    source = ImageFolder(path)
    kept, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert source.size == 300 and len(noise) * 300 > 14e6
    assert kept < 0.5e6 and most < 2e6
