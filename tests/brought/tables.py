"""Tables of points, as spreadsheets, R, MATLAB, pandas, gnuplot and the web export them."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import numpy as np

from tests.brought.arrays import npy, npz
from tests.brought.case import Case, alone


def lines(rows, separator=",", header=None, decimal=".", form="{:.6g}", end="\n", quoted=False) -> str:
    """Rows of numbers and texts as text."""

    def cell(value):
        if isinstance(value, str):
            return f'"{value}"' if quoted else value
        return form.format(value).replace(".", decimal)

    told = [separator.join(f'"{name}"' if quoted else name for name in header)] if header else []
    return end.join([*told, *(separator.join(map(cell, row)) for row in rows)]) + end


def cases(dice) -> Iterator[Case]:
    points = np.array([[dice.gauss(0, 1), dice.gauss(0, 1)] for _ in range(30)]).round(4)
    kinds = [("setosa", "virginica")[k % 2] for k in range(30)]

    def table(name, content, file="points.csv", **expected):
        return Case(
            name, alone(file, content), **{"kind": "points", "count": 30, "shape": (2,), "values": points, **expected}
        )

    numbered = [(k + 1, *row) for k, row in enumerate(points)]
    named = [(str(k + 1), *row) for k, row in enumerate(points)]
    yield table("numbers with commas", lines(points))
    yield table("with a header", lines(points, header=("x", "y")))
    yield table("a German Excel's", lines(points, ";", ("x", "y"), ",", end="\r\n"))
    yield table("the same with a BOM", "\ufeff" + lines(points, ";", ("Länge", "Breite"), ",", end="\r\n"))
    yield table("the same in Latin-1", lines(points, ";", ("Länge", "Höhe"), ",", end="\r\n").encode("latin-1"))
    yield table("with sep=; for Excel", "sep=;\r\n" + lines(points, ";", ("x", "y"), ",", end="\r\n"))
    yield table(
        "Excel's Unicode text (UTF-16)", lines(points, "\t", ("x", "y"), ",", end="\r\n").encode("utf-16"), "points.txt"
    )
    yield table(
        "decimal commas, quoted",
        lines(
            [(f"{a:.4f}".replace(".", ","), f"{b:.4f}".replace(".", ",")) for a, b in points],
            ",",
            ("x", "y"),
            quoted=True,
        ),
    )
    yield table("tabs", lines(points, "\t", ("x", "y")), "points.tsv")
    yield table("blanks", lines(points, "  "), "points.txt")
    yield table("MATLAB's save -ascii", lines(points, "  ", form="{:16.7e}"), "points.txt", values=None)
    yield table("MATLAB's writematrix", lines(points, ",", form="{:.15g}", end="\n"), "points.txt")
    yield table("MATLAB's writetable", lines(points, ",", ("Var1", "Var2"), end="\r\n"))
    yield table("R's write.csv", lines(named, ",", ("", "x", "y"), quoted=True))
    yield table("R's write.csv2", lines(named, ";", ("", "x", "y"), ",", quoted=True))
    yield table("R's write.table", '"x" "y"\n' + lines(named, " ", quoted=True), "points.txt")
    yield table(
        "pandas' to_csv with its index", lines([(k, *row) for k, row in enumerate(points)], ",", ("", "x", "y"))
    )
    yield table("an id column", lines(numbered, ",", ("id", "x", "y")))
    yield table(
        "pandas' to_csv twice",
        lines([(k, k, *row) for k, row in enumerate(points)], ",", ("Unnamed: 0", "Unnamed: 0.1", "x", "y")),
        values=None,
    )
    yield table(
        "Kaggle's iris",
        lines(
            [
                (k + 1, *row, dice.random(), dice.random(), f"Iris-{kind}")
                for k, (row, kind) in enumerate(zip(points, kinds, strict=True))
            ],
            ",",
            ("Id", "SepalLengthCm", "SepalWidthCm", "PetalLengthCm", "PetalWidthCm", "Species"),
        ),
        classes=("Iris-setosa", "Iris-virginica"),
        offered=("columns",),
    )
    yield table(
        "the other columns",
        lines(
            [(*row, a, b) for row, (a, b) in zip(np.ones((30, 2)) * 7 + points[:, ::-1], points, strict=True)],
            ",",
            ("a", "b", "x", "y"),
        ),
        given={"columns": ["x", "y"]},
    )
    yield table(
        "a label column",
        lines([(*row, kind) for row, kind in zip(points, kinds, strict=True)], ",", ("x", "y", "class")),
        classes=("setosa", "virginica"),
    )
    yield table(
        "a label column of numbers",
        lines([(*row, k % 3) for k, row in enumerate(points)], ",", ("x", "y", "label")),
        classes=("0", "1", "2"),
    )
    yield table("comments and a units line", "# by an instrument\n# 2024\n" + "x,y\n[mm],[mm]\n" + lines(points))
    yield table("% comments", "% t (s)\n" + lines(points, " "), "points.dat")
    yield table("gnuplot's, blocks apart", lines(points[:15], " ") + "\n\n" + lines(points[15:], " "), "points.dat")
    yield table("carriage returns alone", lines(points, ",", ("x", "y"), end="\r"))
    yield table("a comma behind each line", lines(points, ",", ("x", "y")).replace("\n", ",\n"))
    yield table("blank lines at its end", lines(points, ",", ("x", "y")) + "\n\n  \n")
    yield table(
        "a sheet's empty rows and columns", lines(points, ";", ("x", "y"), ",").replace("\n", ";;;\n") + ";;;;\n" * 5
    )
    missing = lines(points, ",", ("x", "y")).splitlines()
    missing[3], missing[7], missing[9] = "NA,1", "2,", "nan,nan"
    rest = np.delete(points, (2, 6, 8), 0)
    yield table("missing values", "\n".join(missing), count=27, left_out=3, values=rest)
    missing[3], missing[7], missing[9] = "?,1", "2,-", "#N/A,N/A"
    yield table("missing values of other kinds", "\n".join(missing), count=27, left_out=3, values=rest)
    wide = points * 1e9 + 3e9
    yield table("wide numbers", lines(wide, ",", ("x", "y"), form="{:.8e}"), values=wide.round(1))
    gps = points * [0.01, 0.02] + [47.37, 8.54]
    yield table("GPS", lines(gps, ",", ("lat", "lon"), form="{:.6f}"), values=gps.round(6))
    yield table(
        "thousands with commas",
        lines([(f"{a * 1e6:,.1f}", f"{b * 1e6:,.1f}") for a, b in points], ",", ("x", "y"), quoted=True),
        values=(points * 1e6).round(1),
    )
    yield table(
        "thousands with dots, decimal commas",
        lines(
            [
                (f"{a * 1e6:,.1f}".translate({44: ".", 46: ","}), f"{b * 1e6:,.1f}".translate({44: ".", 46: ","}))
                for a, b in points
            ],
            ";",
            ("x", "y"),
        ),
        values=(points * 1e6).round(1),
    )
    yield table(
        "dates beside",
        lines([(f"2024-05-{k % 28 + 1:02}", *row) for k, row in enumerate(points)], ",", ("date", "x", "y")),
    )
    yield table("one column", lines(points[:, :1], ",", ("x",)), shape=(1,), values=points[:, :1])
    yield table("one column without a header", lines(points[:, :1]), shape=(1,), values=points[:, :1])
    yield table(
        "one column of decimal commas", lines(points[:, :1], ";", ("x",), ","), shape=(1,), values=points[:, :1]
    )
    yield table(
        "½ written 0,5",
        lines(np.abs(points[:, :1]) + 0.1, ";", None, ","),
        "points.txt",
        shape=(1,),
        values=None,
        said=("comma",),
    )
    many = np.array([[dice.gauss(0, 1), dice.gauss(0, 1)] for _ in range(12_000)])
    yield table(
        "more than 10,000", lines(many, form="{:.4f}"), count=10_000, values=None, left_out=None, noted=("12,000",)
    )
    yield table("JSON, rows", json.dumps(points.tolist()), "points.json")
    yield table("JSON, records", json.dumps([{"x": a, "y": b} for a, b in points.tolist()]), "points.json")
    yield table("JSON, columns", json.dumps({"x": points[:, 0].tolist(), "y": points[:, 1].tolist()}), "points.json")
    yield table(
        "JSON, a record a line", "\n".join(json.dumps({"x": a, "y": b}) for a, b in points.tolist()), "points.jsonl"
    )
    features = [
        {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": row}}
        for row in points.tolist()
    ]
    yield table("GeoJSON", json.dumps({"type": "FeatureCollection", "features": features}), "points.geojson")
    yield table(".npy [n, 2]", npy(points), "points.npy")
    yield table(".npy [n, 1]", npy(points[:, :1]), "points.npy", shape=(1,), values=points[:, :1])
    yield table(".npy [n]", npy(points[:, 0]), "points.npy", shape=(1,), values=points[:, :1])
    yield table(
        ".npy of whole numbers", npy((points * 100).astype(int)), "points.npy", values=(points * 100).astype(int)
    )
    yield table(".npz of points", npz(points=points), "points.npz")
    yield table(".npz of X and y", npz(X=points, y=np.arange(30) % 3), "points.npz", classes=3)
    yield table("complex numbers", npy(points[:, 0] + 1j * points[:, 1]), "points.npy", refused=("complex",))
    yield table(
        "objects", npy(np.array([[1, "a"], [2, "b"]], object), allow_pickle=True), "points.npy", refused=("object",)
    )
    structured = np.array([tuple(row) for row in points], [("x", float), ("y", float)])
    yield table("structured", npy(structured), "points.npy", refused=(), said=("structured",))
    yield from _sheets(points, kinds, table)


def _sheets(points, kinds, table):
    import openpyxl
    import pyarrow
    from pyarrow import parquet

    def book(*rows, sheets=1, before=0):
        made = openpyxl.Workbook()
        for row in [[]] * before + list(rows):
            made.active.append(list(row))
        for k in range(1, sheets):
            made.create_sheet(f"Notes {k}").append(["nothing"])
        made.save(file := io.BytesIO())
        return file.getvalue()

    rows = points.tolist()
    yield table("Excel's", book(("x", "y"), *rows), "points.xlsx")
    yield table("Excel's without a header", book(*rows), "points.xlsx")
    yield table("Excel's of several sheets", book(("x", "y"), *rows, sheets=3), "points.xlsx", noted=("sheet",))
    yield table(
        "Excel's with classes",
        book(("x", "y", "Art"), *((*row, kind) for row, kind in zip(rows, kinds, strict=True))),
        "Mappe1.xlsx",
        classes=("setosa", "virginica"),
    )
    yield table("Excel's with numbers as text", book(("x", "y"), *((str(a), str(b)) for a, b in rows)), "points.xlsx")
    yield table("Excel's below empty rows", book(("x", "y"), *rows, before=3), "points.xlsx")
    yield table("Excel's called .csv", book(("x", "y"), *rows), "points.csv")

    def stored(**columns):
        parquet.write_table(pyarrow.table(columns), file := io.BytesIO())
        return file.getvalue()

    yield table("parquet", stored(x=points[:, 0], y=points[:, 1]), "points.parquet")
    yield table(
        "parquet with pandas' index",
        stored(__index_level_0__=np.arange(30), x=points[:, 0], y=points[:, 1]),
        "points.parquet",
    )
    yield table("an old Excel file", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "points.xls", refused=("excel",))
    yield table(
        "LibreOffice's",
        b"PK\3\4" + bytes(26) + b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
        "points.ods",
        refused=("points.ods",),
    )
