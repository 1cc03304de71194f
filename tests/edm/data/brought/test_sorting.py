"""What folders, files that tell classes, and names say of images; which are broken; and what is held out."""

import json
import unicodedata

import numpy as np
import pytest

import edm
from edm.data.brought import Limits, NotTaken
from edm.data.settings import Data
from edm.data.sources import open_source
from edm.data.split import Split
from tests.edm.data.brought.test_archives import encoded

ONE = encoded()


def folder(path, names, files):
    files = dict.fromkeys(names, ONE) | files
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def each(*parts):
    """Every path of one of each of these, and two images in each."""
    paths = [""]
    for part in parts:
        paths = [f"{path}{name}/" for path in paths for name in part]
    return [f"{path}{number}.png" for path in paths for number in range(2)]


def brought(path, names, how=None, **files):
    return edm.data.bring(folder(path, names, files), **(how or {}))


SPLIT = {
    "above classes": (each(["train", "val", "test"], ["cat", "dog"]), 12, 8),
    "below classes": (each(["cat", "dog"], ["train", "test"]), 8, 4),
    "in any case, under a top": (each(["set"], ["Train", "Validation"], ["cat", "dog"]), 8, 4),
    "as COCO calls them": (each(["train2017", "val2017"], ["cat", "dog"]), 8, 4),
    "as `valid`, with images in a folder of theirs": (each(["train", "valid"], ["images"], ["cat", "dog"]), 8, 4),
}


@pytest.mark.parametrize("case", SPLIT, ids=list(SPLIT))
def test_splits_are_no_classes_and_val_and_test_are_held_out(tmp_path, case):
    names, count, held = SPLIT[case]
    found = brought(tmp_path, names)
    assert (found.count, found.class_names, found.held_out) == (count, ("cat", "dog"), held)
    source = found.source()
    split = Split(source, None)
    assert set(split.held) == set(source.held) and not set(split.training(np.arange(40), 0)) & set(source.held)
    assert set(split.validation(100)) == set(source.held)
    assert set(split.validation(100)) == {n for n, name in enumerate(source.names) if "rain" not in name}


def test_a_number_of_images_to_hold_out_is_taken_from_those_first(tmp_path):
    source = brought(tmp_path, each(["train", "val"], ["cat", "dog"])).source()
    assert set(Split(source, 3).held) < set(source.held) < set(Split(source, 5).held)
    assert len(Split(source, 0).held) == 0


def test_images_of_a_split_without_classes_are_left_out_where_others_have_some(tmp_path):
    found = brought(tmp_path, [*each(["train"], ["cat", "dog"]), *each(["test"])])
    assert (found.count, found.class_names, found.held_out) == (4, ("cat", "dog"), 0)
    assert {one.name for one in found.left_out} == {"test/0.png", "test/1.png"}


NO_CLASSES = {
    "a split alone": (each(["set"], ["test"]), 2),
    "splits of which none is to train on": (each(["val", "test"]), 4),
    "shards as EDM's tool makes them": ([f"0000{n // 3}/img0000000{n}.png" for n in range(9)], 9),
    "shards of thousands": (each(["00000", "01000", "12000"]), 6),
    "images beside folders": ([*each(["a", "b"]), "loose.png"], 5),
    "one folder": (each(["photos"]), 2),
}


@pytest.mark.parametrize("case", NO_CLASSES, ids=list(NO_CLASSES))
def test_these_folders_are_no_classes(tmp_path, case):
    names, count = NO_CLASSES[case]
    found = brought(tmp_path, names)
    assert (found.count, found.classes, found.held_out) == (count, 0, 0)


def test_masks_belong_to_images_and_are_left_out(tmp_path):
    found = brought(tmp_path, each(["images", "masks"]))
    assert (found.count, found.classes, len(found.left_out)) == (2, 0, 2)
    assert all("mask" in one.reason for one in found.left_out) and "'masks'" in found.notes[0]


def test_classes_are_ordered_as_numbers_and_keep_their_letters(tmp_path):
    assert brought(tmp_path / "1", each(["10", "9", "2"])).class_names == ("2", "9", "10")
    apart = unicodedata.normalize("NFD", "Kätzchen")
    found = brought(tmp_path / "2", each([apart, "बिल्ली", "C++"]))
    assert found.class_names == ("C++", "Kätzchen", "बिल्ली") == tuple(found.document()["class_names"])


def told(names, **more):
    return json.dumps({"labels": [[name, n % 2] for n, name in enumerate(names)], **more}).encode()


def test_dataset_json_is_found_below_the_top_in_any_case_and_may_name_the_classes(tmp_path):
    names = each(["a", "b"])
    found = brought(
        tmp_path, [f"set/{n}" for n in names], **{"set/Dataset.JSON": told(names, class_names=["K&", "C+"])}
    )
    assert found.class_names == ("K&", "C+") and found.source().labels.tolist() == [0, 1, 0, 1]
    assert not found.left_out
    without = brought(tmp_path / "2", names, **{"dataset.json": b'{"labels": null}'})
    assert without.classes == 0 and not without.left_out
    each_null = json.dumps({"labels": [[name, None] for name in names]}).encode()
    assert brought(tmp_path / "3", names, **{"dataset.json": each_null}).classes == 0
    for wrong in (["one"], ["a", "a"], "ab", [1, 2]):
        with pytest.raises(edm.Refused, match=r"dataset\.json"):
            brought(tmp_path / "4", names, **{"dataset.json": told(names, class_names=wrong)})


def test_a_table_of_labels_tells_the_classes(tmp_path):
    table = b'file_name,label,text\n0.png,10,a\n1.png,9,"b, c"\n2.png,10,\ngone.png,9,\n'
    found = brought(tmp_path / "1", [f"{n}.png" for n in range(4)], **{"metadata.csv": table})
    assert (found.count, found.class_names) == (3, ("9", "10")) and found.source().labels.tolist() == [1, 0, 1]
    assert found.left_out == (("3.png", "is not in metadata.csv"),) and any("gone.png" in note for note in found.notes)
    tables = {
        f"{split}/metadata.csv": b"file_name;class\n0.png;K\xc3\xa4tzchen\n1.png;C++\n" for split in ("train", "test")
    }
    found = brought(tmp_path / "2", each(["train", "test"]), **tables)
    assert (found.class_names, found.held_out, found.count) == (("C++", "Kätzchen"), 2, 4)
    lines = b'{"file_name": "a/0.png", "label": 3}\n{"file_name": "a/1.png", "label": 0}\n'
    assert brought(tmp_path / "3", each(["a"]), **{"metadata.jsonl": lines}).class_names == ("0", "3")
    found = brought(tmp_path / "4", each(["a", "b"]), **{"metadata.csv": b"file_name,text\na/0.png,hello\n"})
    assert (found.class_names, found.count) == (("a", "b"), 4) and "tells no classes" in found.notes[0]


@pytest.mark.parametrize("form", ["{}.{}.png", "{}_{:03}.png", "{} ({}).png", "{}-{}.png", "{}{}.png"])
def test_labels_in_file_names_are_offered_and_not_assumed(tmp_path, form):
    names = [form.format(pet, number) for pet in ("cat", "dog") for number in range(1, 3)]
    found = brought(tmp_path, names)
    assert found.classes == 0
    (choice,) = found.choices
    assert (choice.name, choice.value) == ("labels", "names") and "cat, dog" in choice.title
    assert edm.data.bring(tmp_path, labels="names").class_names == ("cat", "dog")
    source = open_source(Data(dataset="folder", path=str(tmp_path), labels="names"))
    assert source.labels.tolist() == [0, 0, 1, 1]


def test_names_that_tell_nothing_offer_nothing(tmp_path):
    assert not brought(tmp_path, [f"IMG_{n}.png" for n in range(4)]).choices
    with pytest.raises(edm.Refused, match="tell no classes"):
        edm.data.bring(tmp_path, labels="names")


def test_broken_files_are_refused_in_one_sentence_or_left_out(tmp_path):
    broken = {f"bad{n:02}.png": (ONE[:-40] if n % 2 else b"no image") for n in range(12)}
    path = folder(tmp_path, ["a.png", "b.png"], broken)
    with pytest.raises(NotTaken, match=r"12 of 14 images .*'bad00.png'.*'bad09.png'.* and 2 more") as refusal:
        edm.data.bring(path)
    assert len(refusal.value.left_out) == 12 and "bad10" not in str(refusal.value)
    assert refusal.value.choices[0][:2] == ("leave_out", True)
    with pytest.raises(NotTaken, match="--leave-out"):
        edm.data.bring(path, limits=Limits(looked=0))  # their ends tell
    found = edm.data.bring(path, leave_out=True)
    assert found.count == 2 and {one.name for one in found.left_out} == set(broken)
    assert open_source(Data(dataset="folder", path=str(path), leave_out=True)).size == 2
    with pytest.raises(edm.Refused, match=r"none of the 2 images .* can be read"):
        brought(tmp_path / "none", [], {"leave_out": True}, **{"1.png": b"", "2.png": b"x"})


def test_sides_that_differ_are_no_number_and_areas_are_known(tmp_path):
    found = brought(tmp_path, [], **{"1.png": encoded(size=(9, 12)), "2.png": encoded(size=(9, 16))})
    assert found.document()["shape"] == [3, 9, 0]
    assert found.source(resolution=8, crop=True).areas.tolist() == [108, 144]


def test_a_run_of_classes_does_not_go_on_without_them(tmp_path):
    from edm.data.identity import fitting

    source = brought(tmp_path, each(["photos"])).source()
    header = type("Header", (), {"shape": source.shape, "classes": 2, "class_names": ("a", "b")})
    with pytest.raises(edm.Refused, match="has learned 2 classes, and the data have none"):
        fitting(source, header)
