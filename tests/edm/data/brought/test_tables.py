"""Tables of points: what is read of files as people have them, and what is said of it."""

import io
import json

import numpy as np
import pandas as pd
import pytest

from edm import data
from edm.data.brought import tables

THREE = [[1.5, 2], [3, 4], [5, 7]]
CLOUD = np.random.default_rng(0).normal(0.2, 0.5, (40, 2)).round(3)


def read(content, name="a.csv", columns=None):
    content = content.encode() if isinstance(content, str) else content
    return tables.read(io.BytesIO(content), name, columns)


def saved(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def array(values):
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


WRITTEN = {
    "commas": "x,y\n1.5,2\n3,4\n5,7\n",
    "semicolons and decimal commas": "x;y\n1,5;2\n3;4\n5;7\n",
    "as Excel writes it in Germany": "\ufeffx;y\r\n1,50;2,00\r\n3,00;4,00\r\n5,00;7,00\r\n",
    "tabs": "x\ty\n1.5\t2\n3\t4\n5\t7",
    "bars": "| x | y |\n|---|---|\n| 1.5 | 2 |\n| 3 | 4 |\n| 5 | 7 |\n",
    "blanks of any width": "  x    y\n 1.5   2\n  3 \t 4\n 5  7 \n",
    "quoted": '"x","y"\n"1.5","2"\n"3","4"\n"5","7"\n',
    "decimal commas in quotes": 'x,y\n"1,5",2\n"3,0",4\n"5,0",7\n',
    "empty rows at the end": "x;y;;\n1,5;2;;\n3;4;;\n5;7;;\n;;;\n;;;\n",
    "separators at the end": "x,y,\n1.5,2,\n3,4,\n5,7,\n",
    "old line ends": "x,y\r1.5,2\r3,4\r5,7",
    "no names": "1.5,2\n3,4\n5,7\n",
    "comments": "# measured in May\n% by hand\n// twice\nx,y\n1.5,2\n# a pause\n3,4\n5,7\n",
    "names in a comment": "# x y\n1.5 2\n3 4\n5 7\n",
    "remarks": "1.5 2 # first\n3 4\n5 7 # last\n",
    "units below the names": "x,y\nm,s\n1.5,2\n3,4\n5,7\n",
    "units in brackets": "x;y\n[mm];[a.u.]\n1,5;2\n3;4\n5;7\n",
    "titles above": "Experiment 7\n\nmade by,hand,today\nx,y\n1.5,2\n3,4\n5,7\n",
    "an index of pandas": ",x,y\n0,1.5,2\n1,3,4\n2,5,7\n",
    "row names of R": '"x" "y"\n"1" 1.5 2\n"2" 3 4\n"3" 5 7\n',
    "numbers for names": ",0,1\n0,1.5,2\n1,3,4\n2,5,7\n",
    "an id": "id,x,y\n17,1.5,2\n4,3,4\n11,5,7\n",
    "a column that counts": "n_of_it,x,y\n1,1.5,2\n2,3,4\n3,5,7\n",
    "dates": "when,x,y\n2024-01-31,1.5,2\n2024-02-01,3,4\n2024-02-02,5,7\n",
    "a constant": "x,setting,y\n1.5,3,2\n3,3,4\n5,3,7\n",
    "words": "name,x,y\nanna,1.5,2\nbert,3,4\ncarl,5,7\n",
    "units at the numbers": "x,y\n1.5 m,2 s\n3 m,4 s\n5 m,7 s\n",
    "unicode's minus and plus": "x,y\n+1.5,2\n3,4\n5,+7\n",
    "exponents": "x,y\n1.5e0,2D+00\n0.3E1,4\n50e-1,7\n",
}


@pytest.mark.parametrize("how", WRITTEN)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le"])
def test_a_table_in_text_is_read_however_it_is_written(how, encoding):
    assert read(WRITTEN[how].encode(encoding)).points.tolist() == THREE


@pytest.mark.parametrize(
    ("content", "points"),
    [
        ("x\n0,5\n1,25\n3\n", [[0.5], [1.25], [3]]),
        ("length\n0,5\n1,5\n", [[0.5], [1.5]]),
        ("0,5\n0,05\n1,25\n", [[0.5], [0.05], [1.25]]),
        ("x,y\n0,5,1,5\n2,5,3,25\n", [[0.5, 1.5], [2.5, 3.25]]),
        ("x;y\n1.234,5;2\n0,5;1.000\n", [[1234.5, 2], [0.5, 1000]]),
        ('x\ty\n1,234.5\t2\n0.5\t"1,000"\n', [[1234.5, 2], [0.5, 1000]]),
        ('x,y\n"1,234",5\n567,6\n12,7\n', [[1234, 5], [567, 6], [12, 7]]),
        ("x;y\n1'234.5;2\n-0.5;3\n", [[1234.5, 2], [-0.5, 3]]),
        ("x;y\n1 234,5;2\n−0,5;3\n", [[1234.5, 2], [-0.5, 3]]),
        ("x;y\n1.234;2.345\n0.5;3\n", [[1.234, 2.345], [0.5, 3]]),
    ],
)
def test_decimal_commas_and_thousands_are_what_the_file_shows(content, points):
    assert read(content).numbers.tolist() == points


def test_what_can_be_read_in_two_ways_is_said():
    assert read("1,2\n3,4\n").points.tolist() == [[1, 2], [3, 4]]
    assert "'1,2' was read as two numbers, 1 and 2" in read("1,2\n3,4\n").notes[0]
    assert any("'1,234' was read as 1.234" in note for note in read("x;y\n1,234;2,345\n3,456;4,567\n").notes)
    assert any("half as many names" in note for note in read("x,y\n0,5,1,5\n2,5,3,25\n").notes)


def test_letters_of_windows_are_read_and_said():
    table = read("Größe;Breite\n1,5;2\n3;4\n".encode("cp1252"))
    assert table.columns == ("Größe", "Breite") and "Windows-1252" in table.notes[0]


def test_words_become_classes_and_whole_numbers_where_their_name_says_so():
    flowers = read("sepal,petal,species\n5.1,1.4,setosa\n6.3,6,virginica\n4.9,1.5,setosa\n")
    assert flowers.class_names == ("setosa", "virginica") and flowers.labels.tolist() == [0, 1, 0]
    numbers = read("a,b,label\n1,2,10\n3,4,9\n5,6,10\n")
    assert numbers.class_names == ("9", "10") and numbers.labels.tolist() == [1, 0, 1]
    assert read("x1,x2,y\n1,2,0\n3,4,1\n5,6,1\n").class_names == ("0", "1")
    assert read("x,y\n1,0\n3,1\n5,1\n").class_names == ()
    assert read("x,y,remark\n1,0,good\n3,1,bad\n5,1,ugly\n").class_names == ()


def test_names_of_classes_keep_their_letters():
    names = read("x,art\n1,Ka\u0308tzchen\n2,बिल्ली\n3,C++\n4,C++\n5,Ka\u0308tzchen\n").class_names
    assert names == ("C++", "Kätzchen", "बिल्ली")


@pytest.mark.parametrize("missing", ["", "NA", "NaN", "null", "-", "?", "n/a", "#N/A", "None"])
def test_rows_that_lack_a_number_are_left_out_and_counted(missing):
    table = read(f"x,y\n1,2\n3,{missing}\n{missing},4\n5,6\n")
    assert table.points.tolist() == [[1, 2], [5, 6]]
    assert table.left_out == (("row 2", "y is missing"), ("row 3", "x is missing"))


def test_a_row_of_nothing_but_missing_numbers_is_counted():
    assert read("x,y\n1,2\n#N/A,N/A\n5,6\n").left_out == (("row 2", "x is missing"),)


def test_a_row_that_lacks_a_number_of_another_column_is_taken():
    assert read("x,y,z\n1,2,\n3,4,5\n6,7,8\n").left_out == ()


def test_rows_that_are_none_are_left_out_with_their_reason():
    table = read("x,y,class\n1,2,a\n3,oops,b\n4,5\n6,inf,a\n7,8,\nx,y,class\n9,9,b\n1,1,a\n")
    assert [one.name for one in table.left_out] == ["row 2", "row 3", "row 4", "row 5", "row 6"]
    said = [
        "'oops', and no number",
        "2 values where others have 3",
        "infinite",
        "class is missing",
        "repeats the names",
    ]
    assert all(words in one.reason for words, one in zip(said, table.left_out, strict=True))
    assert table.points.tolist() == [[1, 2], [9, 9], [1, 1]]


def test_of_many_columns_the_first_two_are_taken_and_the_others_offered():
    table = read("a,b,c,d\n1,2,3,4\n5,6,7,9\n3,1,4,1\n")
    assert table.columns == ("a", "b") and table.others == ("c", "d")
    assert ["a", "c"] in [choice.value for choice in table.choices] and "'a', 'b' were taken" in " ".join(table.notes)


@pytest.mark.parametrize("columns", ["d,b", ["d", "b"], "4,2", ["D", "B"], [4, 2]])
def test_columns_can_be_named_or_numbered(columns):
    table = read("a,b,c,d\n1,2,3,4\n5,6,7,9\n", columns=columns)
    assert table.columns == ("d", "b") and table.points.tolist() == [[4, 2], [9, 6]]


def test_a_third_column_that_is_named_is_the_classes():
    table = read("a,b,c\n1,2,0\n5,6,1\n7,7,1\n", columns="a,b,c")
    assert table.class_names == ("0", "1")


def test_a_name_with_a_comma_is_one_name():
    assert read('"a, in m";b;c\n1;2;3\n4;5;7\n', columns='"a, in m",c').columns == ("a, in m", "c")


def test_a_column_that_is_not_there_or_no_number_is_told_with_those_there_are():
    with pytest.raises(ValueError, match=r"columns = 'q': .* there are 'a', 'b'"):
        read("a,b\n1,2\n3,4\n", columns="a,q")
    with pytest.raises(ValueError, match=r"'b' in 'a.csv' holds words; those of numbers are 'a'"):
        read("a,b\n1,u\n3,v\n", columns="b")


@pytest.mark.parametrize(
    ("points", "scaled"),
    [
        (CLOUD, False),
        (CLOUD * [1, 0.001] + [0, 48.1], True),
        (CLOUD * 640, True),
        (CLOUD * 1e9, True),
        (CLOUD * 1e-9, True),
        (CLOUD * [1e-6, 1e6], True),
        (CLOUD * 1e-5 + 9, True),
    ],
)
def test_numbers_of_another_size_are_centred_and_scaled_and_come_back(points, scaled):
    table = read("x,y\n" + "".join(f"{x!r},{y!r}\n" for x, y in points.tolist()))
    assert table.units.scaled is scaled and np.array_equal(table.numbers, points)
    assert np.abs(table.points).max() <= (1.02 if scaled else 10) and (table.points.std(0) > 0.1).any()
    np.testing.assert_allclose(table.units.restored(table.points), points, rtol=1e-9, atol=1e-9 * np.abs(points).max())
    assert any("centred and scaled" in note for note in table.notes) is scaled


def test_shapes_stay_where_both_coordinates_are_about_as_wide():
    table = read("lat,lon\n48.1351,11.5820\n48.1372,11.5756\n48.1400,11.60\n")
    assert table.units.scale[0] == table.units.scale[1] and table.units.names == ("lat", "lon")


def test_of_very_many_points_the_same_ones_are_always_taken():
    many = array(np.stack([np.arange(12_000) % 97 / 10, np.arange(12_000) % 89 / 10], 1))
    one, again = read(many, "a.npy"), read(many, "a.npy")
    assert len(one.points) == tables.MOST and np.array_equal(one.points, again.points)
    assert "of 12,000 points 10,000 were taken" in " ".join(one.notes)


RECORDS = [
    {"x": 1.5, "y": 2, "c": "a"},
    {"x": 3, "y": None, "c": "b"},
    {"x": 5, "y": 7, "c": "a"},
    {"x": 6, "y": 8, "c": "b"},
]
TABLE = pd.DataFrame(RECORDS)


@pytest.mark.parametrize("orient", ["records", "columns", "index", "split", "table"])
def test_json_is_read_as_pandas_writes_it(orient):
    table = read(TABLE.to_json(orient=orient), "a.json")
    assert table.columns == ("x", "y") and table.class_names == ("a", "b")
    assert table.numbers.tolist() == [[1.5, 2], [5, 7], [6, 8]] and table.left_out == (("row 2", "y is missing"),)


@pytest.mark.parametrize(
    "content",
    [
        THREE,
        {"x": [1.5, 3, 5], "y": [2, 4, 7]},
        {"points": THREE, "name": "a"},
        [{"at": {"x": x, "y": y}} for x, y in THREE],
        [{"at": [x, y]} for x, y in THREE],
        [["x", "y"], *THREE],
    ],
)
def test_json_of_any_shape_gives_points(content):
    assert read(json.dumps(content), "a.json").points.tolist() == THREE
    assert read(json.dumps(content, indent=1), "a.txt").points.tolist() == THREE, "whatever its name"


def test_a_record_a_line_is_json_too():
    assert read("".join(json.dumps({"x": x, "y": y}) + "\n" for x, y in THREE), "a.jsonl").points.tolist() == THREE


def test_points_of_geojson_are_read_with_their_properties():
    features = [
        {"type": "Feature", "properties": {"kind": kind}, "geometry": {"type": "Point", "coordinates": [x, y, 0]}}
        for (x, y), kind in zip(THREE, "aba", strict=True)
    ]
    table = read(json.dumps({"type": "FeatureCollection", "features": features}), "a.geojson")
    assert table.points.tolist() == THREE and table.class_names == ("a", "b") and table.columns[0] == "longitude"


def test_a_spreadsheet_is_read_with_title_units_dates_and_empty_rows():
    cells = [["Versuch 7"], [], ["t", "x", "y", "when", "c"], ["s", "mm", "mm", "", ""]]
    stamp = pd.Timestamp("2024-01-31")
    cells += [[1, 1.5, 2, stamp, "a"], [2, 3, 4, stamp, "b"], [], [3, None, 9, stamp, "b"], [4, 5, "7,0", stamp, "a"]]
    file = io.BytesIO()
    with pd.ExcelWriter(file, engine="openpyxl") as book:
        pd.DataFrame([["nothing here"]]).to_excel(book, sheet_name="about", header=False, index=False)
        pd.DataFrame([row + [None] * (5 - len(row)) for row in cells]).to_excel(
            book, sheet_name="data", header=False, index=False
        )
    table = read(file.getvalue(), "a.xlsx", "x,y")
    assert table.numbers.tolist() == THREE and table.class_names == ("a", "b")
    assert table.left_out == (("row 3", "x is missing"),) and "'data' was read" in " ".join(table.notes)


def test_parquet_is_read():
    file = io.BytesIO()
    TABLE.to_parquet(file)
    table = read(file.getvalue(), "a.parquet")
    assert table.class_names == ("a", "b") and table.left_out == (("row 2", "y is missing"),)


@pytest.mark.parametrize(
    ("arrays", "classes"),
    [
        ({"arr_0": np.array(THREE)}, ()),
        ({"x": np.array([1.5, 3, 5]), "y": np.array([2, 4, 7.0])}, ()),
        ({"X": np.array(THREE), "y": np.array([0, 1, 1])}, ("0", "1")),
        ({"data": np.array(THREE), "target": np.array([1, 0, 1]), "target_names": np.array(["b", "a"])}, ("b", "a")),
        ({"points": np.array(THREE), "labels": np.array(["v", "u", "v"])}, ("u", "v")),
    ],
)
def test_numpy_s_archives_are_read_with_their_labels(arrays, classes):
    table = read(saved(**arrays), "a.npz")
    assert table.points.tolist() == THREE and table.class_names == classes


def test_what_a_table_is_written_as_reads_the_same():
    first = read("lat;long;art\n48,1;11,5;Kätzchen\n48,2;11,7;C++\n48,3;11,9;Kätzchen\n")
    file = io.BytesIO()
    first.write(file)
    again = read(file.getvalue(), "points.npz")
    assert np.array_equal(first.points, again.points) and np.array_equal(first.labels, again.labels)
    assert (first.columns, first.class_names, first.units) == (again.columns, again.class_names, again.units)


@pytest.mark.parametrize("values", [np.array([1.5, 3, 5]), np.array([[1.5], [3], [5]])])
def test_numbers_in_a_row_are_points_on_a_line(values):
    assert read(array(values), "a.npy").points.tolist() == [[1.5], [3], [5]]


def test_of_an_array_with_more_coordinates_the_first_two_are_taken_and_said():
    deep = np.random.default_rng(0).normal(size=(30, 5))
    table = read(array(deep), "a.npy")
    assert np.array_equal(table.numbers, deep[:, :2]) and table.others == ("3", "4", "5")
    assert np.array_equal(read(array(deep), "a.npy", "5,3").numbers, deep[:, [4, 2]])
    lying = read(array(CLOUD.T), "a.npy")
    assert np.array_equal(lying.numbers, CLOUD) and "[2, 40] was read as 40 points" in lying.notes[0]
    holes = np.where(np.arange(60).reshape(30, 2) == 4, np.nan, deep[:, :2])
    assert read(array(holes), "a.npy").left_out == (("row 3", "1 is missing"),)


REFUSED = {
    "complex numbers; .*a.real, a.imag": ("a.npy", array(CLOUD + 1j)),
    "Python's objects .*astype": ("a.npy", array(np.array([[object()]]))),
    "structured array with the fields 'x', 'y'.*np.stack": ("a.npy", array(np.zeros(3, [("x", "f8"), ("y", "f8")]))),
    "days or times": ("a.npy", array(np.array(["2024-01-01"], "M8[D]"))),
    "holds text": ("a.npy", array(np.array([["a", "b"]]))),
    "holds true and false": ("a.npy", array(np.array([[True, False]]))),
    r"shape \[2, 2, 2\]": ("a.npy", array(np.zeros((2, 2, 2)))),
    "3 points that are all equal .1, 2": ("a.csv", "x,y\n1,2\n1,2\n1,2\n"),
    "one point alone": ("a.csv", "x,y\n1,2\n"),
    "no column has numbers": ("a.csv", "who,what\nanna,sings\nbert,paints\n"),
    "no column has numbers ": ("a.csv", "x,y\n"),
    "file is empty": ("a.csv", ""),
    "file is empty ": ("a.csv", "\n \n"),
    "only counts the rows": ("a.csv", "id,name\n1,anna\n2,bert\n3,carl\n"),
    "'when' holds days": ("a.json", '[{"when": "2024-01-01"}, {"when": "2024-01-02"}]'),
    "a web page; download": ("a.csv", "<!DOCTYPE html>\n<html><body>1,2</body></html>"),
    "a picture": ("a.csv", b"\x89PNG\r\n\x1a\n"),
    "an old Excel file; save": ("a.csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    "a PDF": ("a.txt", b"%PDF-1.7"),
    "Git LFS": ("a.csv", "version https://git-lfs.github.com/spec/v1\noid sha256:1\n"),
    "a pickle": ("a.dat", b"\x80\x04\x95"),
    "not text": ("a.csv", bytes(range(256)) * 4),
    "not a whole .xlsx": ("a.xlsx", "x,y\n1,2"),
    "not a whole Parquet": ("a.parquet", b"PAR1 and no more"),
    "not valid JSON": ("a.json", "[1, 2"),
    "as many of each": ("a.json", '{"x": [1, 2, 3], "y": [1, 2]}'),
    "its list is empty": ("a.json", "[]"),
}


@pytest.mark.parametrize("words", REFUSED)
def test_anything_else_gets_a_true_sentence(words):
    name, content = REFUSED[words]
    with pytest.raises(ValueError, match=words.strip()) as refusal:
        read(content, name)
    assert name in str(refusal.value)


def test_a_zip_that_is_called_a_table_is_told_as_one():
    import zipfile

    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a/b.txt", "1,2")
    with pytest.raises(ValueError, match=r"is a zip with 'a/b.txt', and no table; unpack it"):
        read(file.getvalue(), "a.csv")


def test_what_is_brought_says_all_of_it(tmp_path, capsys):
    from edm.__main__ import main

    (tmp_path / "flowers.csv").write_text("id,lat,lon,art\n1,48.1,11.5,a\n2,48.2,,b\n3,48.4,11.9,b\n4,48.3,11.4,a\n")
    found = data.bring(tmp_path / "flowers.csv")
    assert (found.kind, found.count, found.shape, found.classes) == ("points", 3, (2,), 2)
    assert main(["data", str(tmp_path / "flowers.csv"), "--json", "--columns", "lon,lat"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["columns"] == ["lon", "lat"] and told["left_out"] == [{"name": "row 2", "reason": "lon is missing"}]
    assert told["units"]["centre"] and told["class_names"] == ["a", "b"]
    assert main(["data", str(tmp_path / "flowers.csv"), "--columns", "height"]) == 2
    assert "there are 'id', 'lat', 'lon', 'art'" in capsys.readouterr().err
