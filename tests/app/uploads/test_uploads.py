"""What visitors bring: what becomes a dataset, what is refused with a sentence, and that nothing is left of that."""

import io
import os
import stat
import struct
import time
import tracemalloc
import zipfile

import numpy as np
import pytest
from PIL import Image

from app.uploads import archives, sets
from app.uploads.sets import Bounds, intake
from edm import runs
from edm.data import sources
from edm.data.settings import Data
from tests.app.uploads.sets import NOISE, ONE, PETS, SQUARE, brought, encoded, left, packed
from tests.edm.runs import points


def refused(given, folder, words, **options):
    with pytest.raises(ValueError, match=words):
        intake(given, folder, **options)
    assert left(folder) == []


def opened(found):
    return sources.open_source(Data.parse(found["fields"]))


def test_a_zip_of_photographs_becomes_a_set_of_squares_with_its_folders_as_classes(tmp_path):
    found = intake(packed(PETS), tmp_path, resolution=16)
    assert (found["dataset"], found["title"], found["count"]) == ("folder", "pets", 6)
    assert (found["classes"], found["class_names"], found["shape"]) == (2, ["cats", "dogs"], [3, 16, 16])
    source = opened(found)
    assert (source.shape, source.class_names) == ((3, 16, 16), ("cats", "dogs"))
    images, labels = source.read(np.arange(6))
    assert labels.tolist() == [0, 0, 0, 1, 1, 1]
    cropped = Image.fromarray(NOISE[4]).crop((5, 0, 25, 20)).resize((16, 16), Image.Resampling.LANCZOS)
    assert np.array_equal(images[4].permute(1, 2, 0), cropped)
    assert left(tmp_path) == [found["id"]]
    assert sorted(os.listdir(tmp_path / ".data" / found["id"])) == ["about.json", "set.zip"]
    with zipfile.ZipFile(found["path"]) as archive:
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}


def test_images_may_come_one_by_one_and_junk_is_left_out(tmp_path):
    files = {"b.png": ONE, "a.JPG": encoded(NOISE[1], "JPEG"), ".DS_Store": b"?", "notes.txt": b"?"}
    found = intake(brought(files), tmp_path)
    assert (found["count"], found["classes"], found["shape"], found["greyscale"]) == (2, 0, [3, 32, 32], False)


def test_greyscale_images_stay_greyscale(tmp_path):
    found = intake(brought({"a.png": encoded(NOISE[0, :, :, 0]), "b.png": encoded(NOISE[1, :, :, 0])}), tmp_path)
    assert found["greyscale"] and opened(found).shape == (1, 32, 32)


def test_the_same_content_is_the_same_set_whoever_brings_it(tmp_path):
    one = intake(packed(PETS), tmp_path, owner="anna")
    same = intake(packed({n.removeprefix("my pets/"): d for n, d in PETS.items()}, 0, "other.zip"), tmp_path, owner="b")
    bigger = intake(packed(PETS), tmp_path, owner="anna", resolution=64)
    other = intake(packed(dict(list(PETS.items())[1:])), tmp_path, owner="anna")
    assert one["id"] == same["id"] and len({one["id"], bigger["id"], other["id"]}) == 3
    assert {found["id"] for found in sets.listed(tmp_path, "b")} == {one["id"]}
    assert len(sets.listed(tmp_path)) == len(sets.listed(tmp_path, "anna")) == 3
    assert sets.listed(tmp_path, "c") == []


@pytest.mark.parametrize("kind", ["drawn", "csv", "npy"])
def test_points_become_a_set(tmp_path, kind):
    file = io.BytesIO()
    np.save(file, np.array(SQUARE))
    text = "\n".join(f"{x},{y}" for x, y in SQUARE).encode()
    given = {"drawn": SQUARE, "csv": brought({"my.csv": text}), "npy": brought({"my.npy": file.getvalue()})}[kind]
    found = intake(given, tmp_path, title="  A\nsquare ")
    assert (found["dataset"], found["title"], found["count"]) == ("points", "A square", 4)
    assert found["shape"] == [2] and opened(found).shape == (2,)
    assert found["id"] == intake(SQUARE, tmp_path)["id"]


def linked(inside):
    entry = zipfile.ZipInfo(inside)
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


def damaged(start, value):
    """A zip of one stored image with some bytes written over."""
    data = bytearray(packed({"a.png": ONE}, 0)[0][1].getvalue())
    place = data.index(start)
    data[place : place + len(value)] = value
    return [("x.zip", io.BytesIO(data))]


def claiming(sizes):
    """A zip whose directory claims other sizes (packed, unpacked) of its image."""
    data = bytearray(packed({"a.png": ONE}, zipfile.ZIP_DEFLATED)[0][1].getvalue())
    place = data.index(b"PK\x01\x02")
    data[place + 20 : place + 28] = struct.pack("<2I", *sizes)
    return [("x.zip", io.BytesIO(data))]


REFUSED = {
    r"'\.\./a\.png' points out": lambda: packed({"../a.png": ONE}),
    r"'/etc/a\.png' points out": lambda: packed({"/etc/a.png": ONE}),
    r"'C:/a\.png' points out": lambda: packed({"C:\\a.png": ONE}),
    r"'x/\.\./\.\./a\.png' points out": lambda: packed({"x\\..\\..\\a.png": ONE}),
    r"'a\.png' is a link": lambda: packed({linked("a.png"): b"/etc/passwd"}),
    r"'a\.png' claims to unpack to more than 100 times": lambda: packed({"a.png": bytes(3 << 20)}),
    r"'a\.png' is packed in an unusual way": lambda: packed({"a.png": ONE}, zipfile.ZIP_BZIP2),
    r"'a\.png' is encrypted": lambda: damaged(b"PK\x01\x02\x14\x03\x14\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"),
    r"'a\.png' cannot be unpacked": lambda: damaged(ONE[40:60], bytes(20)),
    r"'a\.png' has 4,000,000,000 bytes": lambda: claiming((len(ONE), 4_000_000_000)),
    r"'a\.png' (cannot be unpacked|is damaged|is no image)": lambda: claiming((len(ONE), 60)),
    "is not a whole zip": lambda: [("x.zip", io.BytesIO(b"PK\x03\x04 and no more"))],
    r"'x\.zip' is not a whole zip": lambda: [("x.zip", io.BytesIO(b""))],
    r"holds no images \(\.png": lambda: packed({"readme.txt": b"?"}),
    "'dataset.json' is not read": lambda: packed({"a.png": ONE, "dataset.json": b"{}"}),
    r"'cats/broken\.png' is no image": lambda: packed({**PETS, "cats/broken.png": b"GIF89a"}),
    r"'torn\.png' is damaged": lambda: brought({"a.png": ONE, "torn.png": ONE[:-900]}),
    r"'a\.png' is there twice": lambda: [*brought({"a.png": ONE}), *brought({"a.png": ONE})],
    "one zip alone": lambda: [*packed(PETS), *brought({"a.png": ONE})],
    "holds no images": lambda: brought({"a.exe": b"MZ"}),
    "holds no points": list,
    "one or two numbers": lambda: [[0, 1], [2]],
    "one or two numbers ": lambda: [["a", "b"]],
    r"the drawing: point 2 is \[0\.0, 99\.0\]": lambda: [[0, 1], [0, 99]],
    r"'p\.csv' holds no points": lambda: brought({"p.csv": b""}),
    r"'p\.npy' is not a whole": lambda: brought({"p.npy": b"\x80\x04cos\nsystem\n"}),
    "as a list, or files": lambda: {"0": 1},
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_cannot_be_taken_gets_a_sentence_and_leaves_nothing(tmp_path, words):
    (tmp_path / ".data").mkdir()
    refused(REFUSED[words](), tmp_path, words.strip())
    assert {path.name for path in tmp_path.iterdir()} == {".data"}


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        (Bounds(files=5), "holds 6 images; at most 5"),
        (Bounds(pixels=599), "claims more than 599 pixels"),
        (Bounds(decoded=1000), "too many pixels in all"),
        (Bounds(unpacked=5000), "at most 5,000 are taken"),
        (Bounds(folder=3000), "remove some that nobody needs"),
        (Bounds(sets=0), "0 datasets already"),
    ],
)
def test_limits_hold(tmp_path, bounds, words):
    (tmp_path / ".data").mkdir()
    refused(packed(PETS), tmp_path, words, bounds=bounds)


@pytest.mark.parametrize("resolution", [0, 33, 10**9, "32", None])
def test_only_a_few_resolutions_are_offered(tmp_path, resolution):
    (tmp_path / ".data").mkdir()
    refused(packed(PETS), tmp_path, "must be one of 16, 32, 64", resolution=resolution)


def test_a_zip_of_a_million_names_costs_no_memory(tmp_path):
    (tmp_path / ".data").mkdir()
    entry = b"PK\x01\x02" + bytes(42)
    directory = entry * 150_000
    end = b"PK\x05\x06" + struct.pack("<4H2IH", 0, 0, 0xFFFF, 0xFFFF, len(directory), 0, 0)
    file = io.BytesIO(directory + end)
    tracemalloc.start()
    refused([("x.zip", file)], tmp_path, "too many entries")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 << 20


def test_large_stored_images_are_read_whole(tmp_path):
    large = encoded(np.random.default_rng(1).integers(0, 256, (1300, 1300, 3), dtype=np.uint8), "BMP")
    assert len(large) > archives.DIRECTORY
    assert intake(packed({"a.bmp": large}, 0), tmp_path)["count"] == 1


def test_class_names_keep_only_letters_and_digits(tmp_path):
    files = {
        f"{folder}/{k}.png": encoded(NOISE[k]) for k, folder in enumerate(["<b>&", "a.b:c", "§$%", "Ärzte", "__x"])
    }
    found = intake(packed(files), tmp_path)
    assert found["class_names"] == sorted(["b", "a_b_c", "class 3", "Ärzte", "x"])
    assert opened(found).class_names == tuple(found["class_names"])


def test_folders_with_whole_numbers_for_names_are_classes_in_that_order(tmp_path):
    found = intake(packed({f"{k}/a.png": ONE for k in range(1, 13)}), tmp_path)
    assert found["class_names"] == [str(k) for k in range(1, 13)]
    assert opened(found).class_names == tuple(found["class_names"])
    refused(packed({f"{k}/a.png": ONE for k in ("1", "01")}), tmp_path / "other", "'01' and '1' are one number")


@pytest.mark.parametrize("identity", ["", "..", "../x", "0" * 15, "0" * 16, "A" * 16, "0" * 16 + "\n", None, 7, ["a"]])
def test_an_id_is_nothing_but_an_id(tmp_path, identity):
    intake(SQUARE, tmp_path)
    with pytest.raises(ValueError, match="there is no dataset"):
        sets.path_of(tmp_path, identity)


def test_links_are_no_sets(tmp_path):
    found = intake(SQUARE, tmp_path)
    os.symlink(tmp_path / ".data" / found["id"], tmp_path / ".data" / ("f" * 16))
    with pytest.raises(ValueError, match="there is no dataset"):
        sets.path_of(tmp_path, "f" * 16)


def test_a_set_goes_when_nobody_needs_it(tmp_path):
    found = intake(SQUARE, tmp_path, owner="anna")
    intake(SQUARE, tmp_path, owner="ben")
    with pytest.raises(ValueError, match="somebody else's"):
        sets.remove(tmp_path, found["id"], "eve")
    sets.remove(tmp_path, found["id"], "anna")
    assert sets.listed(tmp_path, "anna") == [] and len(sets.listed(tmp_path, "ben")) == 1
    run = runs.start(points(data=found["fields"]), tmp_path, "cpu", "needs-it")
    with pytest.raises(ValueError, match="'needs-it' is of the dataset"):
        sets.remove(tmp_path, found["id"])
    runs.stop(run)
    runs.delete(run)
    sets.remove(tmp_path, found["id"], "ben")
    assert left(tmp_path) == []


def test_what_a_crash_has_left_is_swept_away_later(tmp_path):
    for name, age in ((".new-a", 2 * sets.STALE), (".gone-b", 2 * sets.STALE), (".new-c", 0)):
        (tmp_path / ".data" / name).mkdir(parents=True)
        os.utime(tmp_path / ".data" / name, (time.time() - age,) * 2)
    found = intake(SQUARE, tmp_path)
    assert left(tmp_path) == [".new-c", found["id"]]
