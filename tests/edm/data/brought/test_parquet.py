"""Pictures in Parquet tables: Hugging Face's and others', with their classes and splits."""

import io
import json
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from edm.base.errors import Refused
from edm.data.brought import NotTaken
from edm.data.brought.reading import bring

IMAGES = np.random.default_rng(0).integers(0, 256, (12, 16, 16, 3), dtype=np.uint8)
LABELS = [k % 3 for k in range(12)]
NAMES = ["Kätzchen", "C++", "बिल्ली"]


def encoded(image) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


FILES = [{"bytes": encoded(image), "path": None} for image in IMAGES]
FEATURES = {"image": {"_type": "Image"}, "label": {"_type": "ClassLabel", "names": NAMES}}


def table(path, columns, features=None):
    made = pa.table(columns)
    if features:
        made = made.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pq.write_table(made, path)
    return path


def colours(brought):
    return brought.source().read(np.arange(brought.count))[0].numpy().transpose(0, 2, 3, 1)


def test_a_table_of_hugging_faces_is_a_set_with_classes(tmp_path):
    brought = bring(table(tmp_path / "a.parquet", {"image": FILES, "label": LABELS}, FEATURES))
    assert (brought.kind, brought.count, brought.shape) == ("images", 12, (3, 16, 16))
    assert (brought.classes, brought.class_names, brought.left_out) == (3, tuple(NAMES), ())
    source = brought.source()
    assert np.array_equal(colours(brought), IMAGES) and source.labels.tolist() == LABELS
    assert source.names[10] == "row 11" and len(set(source.marks.tolist())) == 12


@pytest.mark.parametrize(("labels", "names"), [([str(k) for k in LABELS], "012"), ([k + 5 for k in LABELS], "567")])
def test_bytes_alone_are_pictures_too_and_text_and_numbers_classes(tmp_path, labels, names):
    columns = {"id": LABELS, "picture": [one["bytes"] for one in FILES], "class": labels}
    brought = bring(table(tmp_path / "a.parquet", columns))
    assert brought.class_names == tuple(names) and brought.source().labels.tolist() == LABELS
    assert np.array_equal(colours(brought), IMAGES)


def test_tables_of_several_files_are_one_set_with_its_splits(tmp_path):
    shards = {"train-00000-of-00002": (0, 6), "train-00001-of-00002": (6, 8), "test-00000-of-00001": (8, 12)}
    for name, (first, last) in shards.items():
        columns = {"image": FILES[first:last], "label": LABELS[first:last]}
        table(tmp_path / f"{name}.parquet", columns, FEATURES)
    (tmp_path / "README.md").write_text("text")
    brought = bring(tmp_path)
    assert (brought.count, brought.held_out, brought.class_names) == (12, 4, tuple(NAMES))
    assert brought.notes == ("4 of test are held out, to validate on, and never trained on",)
    assert [tuple(one) for one in brought.left_out] == [("README.md", "holds no pictures")]
    names = [brought.source().names[k] for k in brought.source().held]
    assert all(name.startswith("test-") for name in names)
    assert np.array_equal(colours(brought)[brought.source().held], IMAGES[8:])


def test_rows_without_a_picture_or_class_are_left_out_and_broken_ones_are_told(tmp_path):
    files = [*FILES[:4], None, {"bytes": None, "path": "x.png"}, *FILES[6:]]
    labels = [*LABELS[:8], None, *LABELS[9:]]
    brought = bring(table(tmp_path / "a.parquet", {"image": files, "label": labels}))
    told = {"row 5": "has no picture in it", "row 6": "has no picture in it", "row 9": "has no class, as others have"}
    assert dict(brought.left_out) == told and brought.count == 9
    files = [{"bytes": FILES[0]["bytes"][:90], "path": "x.png"} if k in (1, 10) else one for k, one in enumerate(FILES)]
    path = table(tmp_path / "b.parquet", {"image": files})
    with pytest.raises(NotTaken, match=r"2 of 12 images .*'row 2'.*'row 11'"):
        bring(path)
    assert [one.name for one in bring(path, leave_out=True).left_out] == ["row 2", "row 11"]


def test_tables_that_are_no_pictures_or_no_tables_are_told(tmp_path, monkeypatch):
    elsewhere = [{"bytes": None, "path": f"{k}.png"} for k in range(12)]
    with pytest.raises(Refused, match="only name files elsewhere; bring those as a folder"):
        bring(table(tmp_path / "a.parquet", {"image": elsewhere, "label": LABELS}, FEATURES))
    path = table(tmp_path / "b.parquet", {"image": FILES})
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(Refused, match=r"b.parquet is damaged or cut off \(.*; get it anew"):
        bring(path)
    for name in ("pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(
        Refused, match=r"b.parquet, a Parquet table, needs pyarrow.*or in a checkout pip install pyarrow"
    ):
        bring(path)
