"""Folders as people have them on their disks."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

from tests.brought.case import Case, alone, chw, encoded, pets, picture, together, written

CATS = ("cat", "dog")
SHAPE = (3, 12, 12)


def cases(dice) -> Iterator[Case]:
    def of(name, files, **expected):
        return Case(name, together(files), **{"count": 6, "shape": SHAPE, "classes": CATS, **expected})

    def one():
        return encoded(picture(dice))

    flat = {f"IMG_{k:04}.JPG": encoded(picture(dice, (16, 12)), "JPEG") for k in range(4)}
    yield of("a camera's", flat, count=4, shape=(3, 16, 12), classes=())
    yield of("classes", pets(dice))
    yield of("classes below common folders", pets(dice, before="data/images/"))
    yield of(
        "what systems leave behind",
        {
            **pets(dice),
            ".DS_Store": b"x",
            "cat/Thumbs.db": b"x",
            "dog/desktop.ini": b"x",
            "cat/.ipynb_checkpoints/0-checkpoint.png": one(),
        },
    )
    pixels = [picture(dice) for _ in range(3)]
    files = {f"{k}.png": encoded(p) for k, p in enumerate(pixels)}
    yield of("bit for bit", files, count=3, classes=(), values=chw(*pixels))
    yield of("numbers", pets(dice, ("10", "9", "2")), count=9, classes=("2", "9", "10"))
    yield of("numbers with a word", pets(dice, ("class 10", "class 9")), classes=2)
    yield of("years are classes", pets(dice, ("1990", "2000")), classes=("1990", "2000"))
    yield of("train/val", {f"{s}/{k}": one() for s in ("train", "val") for k in pets(dice)}, count=12, held_out=6)
    yield of(
        "training/validation",
        {f"{s}/{k}": one() for s in ("training", "validation") for k in pets(dice)},
        count=12,
        held_out=6,
    )
    yield of(
        "train/test without classes",
        {f"{s}/{k}.png": one() for s in ("train", "test") for k in range(3)},
        classes=(),
        held_out=3,
    )
    yield of(
        "classes above splits",
        {f"{c}/{s}/{k}.png": one() for s in ("train", "val") for c in CATS for k in range(3)},
        count=12,
        held_out=6,
    )
    yield of("only train", pets(dice, before="train/"), held_out=0)
    yield of("a class called test", pets(dice, ("cat", "test")), classes=("cat", "test"))
    yield of(
        "train of classes, test of none (Kaggle)",
        {**pets(dice, before="train/"), **{f"test/{k}.png": one() for k in range(4)}},
        count=None,
        left_out=None,
        held_out=None,
    )
    yield of(
        "images and annotations",
        {
            f"{a}/{k}.{e}": one() if e == "png" else "<xml/>"
            for k in range(6)
            for a, e in (("images", "png"), ("annotations", "xml"))
        },
        classes=(),
        left_out=6,
    )
    yield of(
        "images and labels, as YOLO has them",
        {
            f"{s}/{d}/{k}.{e}": one() if e == "png" else "0 0.5 0.5 1 1"
            for s in ("train", "val")
            for k in range(3)
            for d, e in (("images", "png"), ("labels", "txt"))
        },
        classes=(),
        left_out=6,
        held_out=3,
    )
    yield of("a class that is empty of images", {**pets(dice), "bird/notes.txt": "none yet"}, left_out=1)
    yield of("names that repeat in classes", pets(dice, ("a", "b"), 3), classes=("a", "b"))
    index = {"labels": {f"{c}/{k}.png": i for i, c in enumerate(CATS) for k in range(3)}}
    listed = json.dumps({"labels": list(index["labels"].items())})
    yield of("dataset.json beside classes", {**pets(dice), "dataset.json": listed}, classes=None, count=6)
    yield of("dataset.json of null", {**pets(dice), "dataset.json": '{"labels": null}'}, classes=None)
    table = "file_name,label\ntrain/0.png,b\ntrain/1.png,a\ntest/0.png,a\n"
    yield of(
        "metadata.csv of splits",
        {**{f"{n}.png": one() for n in ("train/0", "train/1", "test/0")}, "metadata.csv": table},
        count=3,
        classes=("a", "b"),
        held_out=1,
    )
    table = "\ufefffile_name;label\n0.png;Kätzchen\n1.png;Hund\n"
    yield of(
        "metadata.csv by a German Excel",
        {"0.png": one(), "1.png": one(), "metadata.csv": table},
        count=2,
        classes=("Hund", "Kätzchen"),
    )
    yield of(
        "metadata.csv of captions alone",
        {"0.png": one(), "1.png": one(), "metadata.csv": "file_name,text\n0.png,a cat\n1.png,a dog\n"},
        count=2,
        classes=(),
    )
    yield of(
        "mixed sizes",
        {"a.png": encoded(picture(dice, (12, 12))), "b.png": encoded(picture(dice, (20, 12)))},
        count=2,
        shape=(3, 0, 12),
        classes=(),
    )
    yield of(
        "mixed kinds",
        {
            "a.png": one(),
            "b.bmp": encoded(picture(dice), "BMP"),
            "c.webp": encoded(picture(dice), "WEBP"),
            "d.gif": encoded(picture(dice), "GIF"),
            "e.tiff": encoded(picture(dice), "TIFF"),
            "f.avif": encoded(picture(dice), "AVIF"),
        },
        classes=(),
    )
    yield of("names of all letters", pets(dice, ("Kätzchen", "चीता", "C#", "a&b")), count=12, classes=None)
    yield of(
        "films and sounds among them",
        {**pets(dice), "a.mp4": b"\0\0\0\x18ftypmp42" + bytes(40), "b.wav": b"RIFF\0\0\0\0WAVE"},
        left_out=2,
    )
    yield of(
        "raw files beside their JPEGs",
        {
            "a.jpg": encoded(picture(dice), "JPEG"),
            "a.CR2": b"II*\0\x10\0\0\0CR\2\0" + bytes(40),
            "b.jpg": encoded(picture(dice), "JPEG"),
        },
        count=2,
        classes=(),
        left_out=1,
    )
    yield of(
        "an archive among them",
        {"a.png": one(), "b.png": one(), "more.zip": b"PK\5\6" + bytes(18)},
        count=2,
        classes=(),
        left_out=1,
    )
    yield of("one class only", pets(dice, ("cat",), 4), count=4, classes=())
    yield of(
        "images at the top and in a folder",
        {"a.png": one(), "b.png": one(), "more/c.png": one()},
        count=3,
        classes=None,
        left_out=None,
    )
    yield of("a link to a file inside", {"a.png": one(), "b.png": one()}, count=2, classes=())

    def linked(folder):
        written(folder, {"a.png": one(), "b.png": one()})
        os.symlink("/etc/passwd", folder / "c.png")
        return folder

    yield Case("a link that leads out", linked, count=2, shape=SHAPE, left_out=1, said=("c.png",))
    yield Case("one image alone", alone("cat.png", one()), count=1, shape=SHAPE, said=("one",))
