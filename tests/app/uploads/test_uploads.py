"""What visitors bring: what becomes a dataset, what is refused with a sentence, and that nothing is left of that."""

import base64
import io
import os
import time
import zipfile

import numpy as np
import pytest
from PIL import Image

from app.training import form
from app.uploads import places, sets
from app.uploads.sets import Bounds, intake
from edm import runs
from edm.data import sources
from edm.data.brought import Limits
from edm.data.settings import Data
from tests.app.uploads.sets import NOISE, ONE, PETS, SQUARE, brought, encoded, left, packed
from tests.edm.runs import points


def refused(given, folder, words, **options):
    with pytest.raises(ValueError, match=words):
        intake(given, folder, **options)
    assert left(folder) == []


def opened(found):
    return sources.open_source(Data.parse(found["fields"]))


def test_pictures_that_are_all_equal_are_taken_with_a_word(tmp_path):
    found = intake(brought({"a.png": ONE, "b.png": ONE}), tmp_path)
    assert found["count"] == 2 and "nothing to learn" in found["sheet"]["notes"][-1]


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
    assert sorted(os.listdir(tmp_path / ".data" / found["id"])) == ["about.json", "set.zip", "sheet.json"]
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


TWO = {"a.png": encoded(NOISE[1]), "b.png": ONE}
REFUSED = {
    r"'\.\./a\.png' .*points out": lambda: packed({"../a.png": ONE}),
    "is not a whole zip": lambda: [("x.zip", io.BytesIO(b"PK\x03\x04 and no more"))],
    "readme": lambda: packed({"readme.txt": b"?"}),
    "'cats/broken\\.png'": lambda: packed({**PETS, "cats/broken.png": b"GIF89a"}),
    r"'torn\.png'.* is damaged": lambda: brought({**TWO, "torn.png": ONE[:-900]}),
    r"'a\.png' is there twice": lambda: [*brought({"a.png": ONE}), *brought({"a.png": ONE})],
    "one picture is nothing to learn from": lambda: brought({"a.png": ONE}),
    "one picture is nothing to learn from ": lambda: packed({"a.png": ONE}),
    "one point is nothing to learn from": lambda: [[0.5, 0.5]],
    "4 points are all equal": lambda: [[0.5, 0.5]] * 4,
    "holds no points": list,
    "one or two numbers": lambda: [[0, 1], [2]],
    "one or two numbers ": lambda: [["a", "b"]],
    r"the drawing: point 2 is \[0\.0, 99\.0\]": lambda: [[0, 1], [0, 99]],
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
        (Bounds(Limits(files=5)), "holds 6 .*at most 5"),
        (Bounds(Limits(pixels=599)), "claims more than 599 pixels"),
        (Bounds(decoded=1000), "too many pixels in all"),
        (Bounds(Limits(unpacked=5000)), "at most 5,000 are taken"),
        (Bounds(folder=3000), "remove some that nobody needs"),
        (Bounds(sets=0), "0 datasets already"),
    ],
)
def test_limits_hold(tmp_path, bounds, words):
    (tmp_path / ".data").mkdir()
    refused(packed(PETS), tmp_path, words, bounds=bounds)


@pytest.mark.parametrize("resolution", [0, 33, True, 10**9, "32", None])
def test_only_a_few_resolutions_are_offered(tmp_path, resolution):
    (tmp_path / ".data").mkdir()
    refused(packed(PETS), tmp_path, "must be one of 16, 28, 32, 64, or 'as they are'", resolution=resolution)


def test_pictures_stay_as_they_are_where_they_are_square_equal_and_small(tmp_path):
    square = {f"{k}.png": encoded(NOISE[k, :20, :20]) for k in range(3)}
    found = intake(packed(square), tmp_path, resolution="as they are")
    assert found["shape"] == [3, 20, 20]
    assert np.array_equal(opened(found).read([1])[0][0].permute(1, 2, 0), NOISE[1, :20, :20])
    planned = form.Former(tmp_path).plan({"data": f"own:{found['id']}"}, costs=False)
    assert planned.settings.data.path == found["path"]
    for files, words in (
        (PETS, "these pictures are 30×20: .* square, .* choose a picture size, 16, 28, 32, 64"),
        ({**square, "large.png": encoded(NOISE[3, :8, :8])}, "not all of one size"),
        ({f"{k}.png": encoded(np.tile(NOISE[k, :20, :20], (4, 4, 1))) for k in range(2)}, "80×80"),
    ):
        with pytest.raises(ValueError, match=words) as refusal:
            intake(packed(files), tmp_path, resolution="as they are")
        assert {(one.name, one.value) for one in refusal.value.choices} >= {("resolution", "16"), ("resolution", "64")}


def test_a_sheet_shows_pictures_of_each_class_and_what_was_left_out(tmp_path):
    files = {f"{folder}/{k}.png": encoded(NOISE[k]) for k, folder in enumerate(["Kätzchen", "C++", "बिल्ली"] * 2)}
    found = intake(packed({**files, "C++/notes.txt": b"?"}), tmp_path, resolution=16)
    assert found["class_names"] == sorted(["Kätzchen", "C++", "बिल्ली"])
    assert list(opened(found).class_names) == found["class_names"]
    sheet = sets.sheet(tmp_path, found["id"])
    assert sheet == found["sheet"] and sheet["counts"] == [2, 2, 2] and sheet["omitted"] == 1
    assert sheet["left_out"][0]["name"] == "C++/notes.txt" and sheet["left_out"][0]["reason"]
    shown = sheet["pictures"]
    assert shown["shape"] == [3, 16, 16] and [(row["label"], row["count"]) for row in shown["rows"]] == [
        (0, 2), (1, 2), (2, 2)
    ]  # fmt: skip
    first = np.frombuffer(base64.b64decode(shown["rows"][1]["images"]), np.uint8).reshape(2, 3, 16, 16)
    source = opened(found)
    wanted = [k for k, label in enumerate(source.labels) if label == 1]
    assert np.array_equal(first, source.read(wanted)[0])
    with zipfile.ZipFile(found["path"]) as archive:
        assert {entry.filename for entry in archive.infolist()} == {f"{k:06}.png" for k in range(6)} | {"dataset.json"}


def test_broken_pictures_are_named_together_and_may_be_left_out(tmp_path):
    files = {**TWO, **{f"torn {k}.png": ONE[:-900] for k in range(12)}}
    with pytest.raises(ValueError, match=r"^12 of 14 .*torn 0\.png.*torn 7\.png.* and 2 more") as refusal:
        intake(packed(files), tmp_path)
    (offer,) = refusal.value.choices
    assert offer.name == "leave_out"
    found = intake(packed(files), tmp_path, leave_out=True)
    assert found["count"] == 2 and found["sheet"]["omitted"] == 12 and len(found["sheet"]["left_out"]) == 10


def test_folders_with_whole_numbers_for_names_are_classes_in_that_order(tmp_path):
    found = intake(packed({f"{k}/a.png": encoded(NOISE[k % 6]) for k in range(1, 13)}), tmp_path)
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
    for name, age in ((".new-a", 2 * places.STALE), (".gone-b", 2 * places.STALE), (".new-c", 0)):
        (tmp_path / ".data" / name).mkdir(parents=True)
        os.utime(tmp_path / ".data" / name, (time.time() - age,) * 2)
    found = intake(SQUARE, tmp_path)
    assert left(tmp_path) == [".new-c", found["id"]]
