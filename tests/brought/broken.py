"""Files that are broken, empty, hostile, or something else: each gets a sentence, and soon."""

from __future__ import annotations

import io
import pickle
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator

import numpy as np

from tests.brought.archives import raw, tarred, zipped
from tests.brought.arrays import npy
from tests.brought.case import Case, alone, encoded, pets, picture, together
from tests.brought.pictures import png


def cases(dice) -> Iterator[Case]:
    def refused(name, content, file, *words):
        return Case(name, alone(file, content), refused=words or (file,))

    files = pets(dice)
    whole = zipped(files)
    table = "x,y\n" + "".join(f"{dice.random():.4f},{dice.random():.4f}\n" for _ in range(20))
    yield refused("a zip cut off", whole[: len(whole) // 2], "pets.zip")
    yield refused("a zip of nothing", zipped({}), "pets.zip")
    yield refused("a zip of text", zipped({"a.md": "a", "b.md": "b"}), "pets.zip")
    yield refused(
        "a zip with a password", raw({k.encode(): v for k, v in files.items()}, flags=1), "pets.zip", "password"
    )
    yield refused(
        "a zip that points out of itself", zipped({"../../evil.png": encoded(picture(dice))}), "pets.zip", "evil.png"
    )
    yield refused("a zip of absolute names", zipped({"/etc/cat.png": encoded(picture(dice))}), "pets.zip")
    yield refused("a zip of zips", zipped({"a.zip": whole, "b.zip": whole}), "pets.zip", "a.zip")
    yield Case(
        "a zip in a zip beside images",
        alone("pets.zip", zipped({**files, "more.zip": whole})),
        count=6,
        classes=("cat", "dog"),
        left_out=1,
    )
    bomb = png(np.zeros((2, 2), int), 8, 0)[:-12]
    bomb = (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + b"IHDR"
        + struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
        + bytes(4)
        + bomb
    )
    yield Case(
        "a PNG that claims 60,000 × 60,000",
        together({"a.png": encoded(picture(dice)), "b.png": bomb, "c.png": encoded(picture(dice))}),
        refused=("b.png",),
    )
    yield refused("a zip bomb of a table", zipped({"a.csv": b"1,2\n" * 200_000}), "bomb.zip")
    yield refused("a gzip of zeros as idx", zlib.compress(bytes(50_000_000)), "train-images-idx3-ubyte.gz")
    link = tarfile.TarInfo("pets/evil.png")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with tarfile.open(fileobj=(tar := io.BytesIO()), mode="w") as archive:
        archive.addfile(link)
    yield refused("a tar of a link", tar.getvalue(), "pets.tar")
    yield refused(
        "a tar that points out of itself", tarred({"../evil.png": encoded(picture(dice))}), "pets.tar", "evil.png"
    )
    yield refused("a tar.gz cut off", tarred(files, "w:gz")[:-200], "pets.tar.gz")
    yield refused("a RAR", b"Rar!\x1a\7\1\0" + bytes(100), "pets.rar", "rar")
    yield refused("a 7z", b"7z\xbc\xaf\x27\x1c" + bytes(100), "pets.7z", "7z")
    yield refused("an empty file", b"", "points.csv", "empty")
    yield Case("an empty folder", lambda folder: folder, refused=("no ",))
    yield Case("nothing there", lambda folder: folder / "nothing.zip", refused=("nothing.zip",))
    bad = {f"{k}.png": encoded(picture(dice)) for k in range(10)}
    bad |= {f"bad{k:02}.png": encoded(picture(dice))[:60] for k in range(12)}
    yield Case("twelve broken images", together(bad), refused=("12", "bad00.png", "leave"))
    yield Case(
        "twelve broken images, left out",
        together(bad),
        count=10,
        shape=(3, 12, 12),
        left_out=12,
        given={"leave_out": True},
    )
    yield Case(
        "a broken JPEG",
        together(
            {"a.jpg": encoded(picture(dice), "JPEG"), "b.jpg": encoded(picture(dice), "JPEG")[:300], "c.jpg": b""}
        ),
        refused=("b.jpg", "c.jpg"),
    )
    yield Case(
        "a text called .png",
        together({"a.png": encoded(picture(dice)), "b.png": "no image", "c.png": encoded(picture(dice))}),
        refused=("b.png",),
    )
    yield Case(
        "a web page called .jpg",
        together(
            {
                "a.jpg": encoded(picture(dice), "JPEG"),
                "b.jpg": "<!DOCTYPE html>",
                "c.jpg": encoded(picture(dice), "JPEG"),
            }
        ),
        refused=("b.jpg",),
    )
    yield Case(
        "only broken images, left out",
        together({"a.png": b"x", "b.png": b""}),
        given={"leave_out": True},
        refused=("a.png",),
    )
    yield Case(
        "dataset.json that is no JSON", together({**files, "dataset.json": "{labels"}), refused=("dataset.json",)
    )
    yield Case(
        "dataset.json of other files",
        together({**files, "dataset.json": '{"labels": [["x.png", 0]]}'}),
        refused=("dataset.json",),
    )
    yield Case(
        "metadata.csv without names",
        together(
            {"a.png": encoded(picture(dice)), "b.png": encoded(picture(dice)), "metadata.csv": "name,label\na.png,1\n"}
        ),
        count=2,
        classes=None,
        left_out=None,
        said=("file_name",),
    )
    yield refused("a header alone", "x,y\n", "points.csv")
    yield refused("words alone", "name,town\nAnna,Bern\nBea,Chur\n", "points.csv", "number")
    yield refused("equal points", "x,y\n" + "1,2\n" * 9, "points.csv")
    yield refused("one point", "x,y\n1,2\n", "points.csv")
    yield refused("infinite numbers", "x,y\n" + "inf,1\n" * 5, "points.csv")
    yield refused("NUL bytes", table.encode() + bytes(100) + b"\xff\xfe", "points.csv")
    yield refused("a picture called .csv", encoded(picture(dice)), "points.csv")
    yield refused("a web page called .csv", "<!DOCTYPE html><html><body>login</body></html>", "points.csv", "web page")
    yield refused("a pickle called .npy", pickle.dumps(np.zeros((3, 2))), "points.npy", "pickle")
    yield refused(".npy cut off", npy(np.zeros((500, 2)))[:200], "points.npy")
    yield refused(
        ".npz cut off", zipped({"points.npy": npy(np.zeros((50, 2)))}, zipfile.ZIP_STORED)[:100], "points.npz"
    )
    yield refused("JSON cut off", "[[1, 2], [3,", "points.json")
    yield refused("JSON of words", '{"name": "x"}', "points.json")
    yield refused("a spreadsheet cut off", zipped({"xl/workbook.xml": "<x/>"})[:60], "points.xlsx")
    yield refused("no spreadsheet", zipped({"a.txt": "x"}), "points.xlsx")
    yield refused("parquet cut off", b"PAR1" + bytes(40), "points.parquet")
    yield refused("an unknown ending", bytes(range(256)), "points.xyz9")
    yield refused("a program", b"\x7fELF\2\1\1" + bytes(200), "data.bin")
    yield refused("a network", b"GGUF\3\0\0\0" + bytes(60), "model.gguf")
