"""Archives as Finder, Explorer, .NET, 7-Zip, Python and tar make them."""

from __future__ import annotations

import io
import json
import struct
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests.brought.case import Case, encoded, pets, picture

CATS = ("cat", "dog")
SHAPE = (3, 12, 12)


def zipped(files: Mapping[str, bytes | str], method=zipfile.ZIP_DEFLATED, change=None, folders=False) -> bytes:
    """A zip. change(info): of each member; folders: with members for folders, as most programs write them."""
    with zipfile.ZipFile(file := io.BytesIO(), "w", method) as archive:
        seen = set()
        for name, content in files.items():
            for k in range(1, name.count("/") + 1) if folders else ():
                folder = "/".join(name.split("/")[:k]) + "/"
                if folder not in seen:
                    seen.add(folder)
                    archive.writestr(zipfile.ZipInfo(folder), b"")
            info = zipfile.ZipInfo(name, (2024, 5, 17, 12, 0, 0))
            info.compress_type = method
            if change:
                change(info)
            archive.writestr(info, content)
    return file.getvalue()


def raw(files: Mapping[bytes, bytes], flags=0, streamed=False, made_by=3) -> bytes:
    """A zip whose names are these bytes, with these flags; streamed: sizes stand behind the data, as Finder does."""
    body, centre = bytearray(), bytearray()
    for name, content in files.items():
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        packed = packer.compress(content) + packer.flush()
        sums = struct.pack("<III", zlib.crc32(content), len(packed), len(content))
        bits, at = flags | (8 if streamed else 0), len(body)
        head = struct.pack("<HHHHH", 20, bits, 8, 0, 0x58B1)
        body += b"PK\3\4" + head + (bytes(12) if streamed else sums) + struct.pack("<HH", len(name), 0) + name + packed
        body += b"PK\7\10" + sums if streamed else b""
        centre += b"PK\1\2" + struct.pack("<BB", 21, made_by) + head + sums
        centre += struct.pack("<HHHHHII", len(name), 0, 0, 0, 0, 0o100644 << 16, at) + name
    end = struct.pack("<HHHHIIH", 0, 0, len(files), len(files), len(centre), len(body), 0)
    return bytes(body + centre) + b"PK\5\6" + end


def tarred(files: Mapping[str, bytes], mode="w", format=tarfile.PAX_FORMAT, change=None) -> bytes:
    with tarfile.open(fileobj=(file := io.BytesIO()), mode=mode, format=format) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            if change:
                change(info)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def _file(name: str, content: Callable[[], bytes]):
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content())
        return folder / name

    return make


def cases(dice) -> Iterator[Case]:
    def pack(name, content, file="pets.zip", **expected):
        expected = {"count": 6, "shape": SHAPE, "classes": CATS, **expected}
        return Case(name, _file(file, lambda: content), **expected)

    files = pets(dice)
    both = dict(files)
    mac = {f"__MACOSX/pets/{name.replace('/', '/._')}": b"\0\5\x16\7" + bytes(80) for name in files}
    finder = {f"pets/{name}": content for name, content in files.items()} | {"pets/.DS_Store": b"\0\0\0\1Bud1"} | mac
    yield pack("stored, by Python", zipped(both, zipfile.ZIP_STORED))
    yield pack("deflated, by Python", zipped(both))
    yield pack("bzip2, by 7-Zip", zipped(both, zipfile.ZIP_BZIP2))
    yield pack("LZMA, by 7-Zip", zipped(both, zipfile.ZIP_LZMA), said=("LZMA",))
    yield pack("with folders as members, by Explorer", zipped(both, folders=True))
    yield pack(
        "Finder's, with __MACOSX and sizes behind", raw({k.encode(): v for k, v in finder.items()}, streamed=True)
    )
    yield pack(
        "an old .NET's, with backslashes", raw({k.replace("/", "\\").encode(): v for k, v in both.items()}, made_by=0)
    )
    yield pack(
        "PowerShell's, below one folder",
        raw({("pets\\" + k.replace("/", "\\")).encode(): v for k, v in both.items()}, made_by=0),
    )
    yield pack("with ./ before each name", zipped({f"./{k}": v for k, v in both.items()}))
    yield pack("below two common folders", zipped({f"a/b/{k}": v for k, v in both.items()}))
    yield pack(
        "below three, with folders as members", zipped({f"home/me/pets/{k}": v for k, v in both.items()}, folders=True)
    )
    yield pack("with a comment and something before it", b"#!/bin/sh\n" + zipped(both))

    def dated(info):
        info.extra = struct.pack("<HHBI", 0x5455, 5, 1, 1715941800)

    yield pack("with dates, as Info-ZIP has them", zipped(both, change=dated))
    yield pack("called .ZIP", zipped(both), "PETS.ZIP")
    yield pack("a zip without an ending", zipped(both), "download")
    letters = {"Kätzchen": "ä", "बिल्ली": "i", "C++": "+"}
    named = pets(dice, sorted(letters), 2)
    order = sorted(letters)
    yield pack("letters of all kinds, flagged", zipped(named), classes=None, count=6)
    yield pack("UTF-8 without its flag", raw({k.encode(): v for k, v in named.items()}), count=6, classes=order)
    apart = {unicodedata.normalize("NFD", k).encode(): v for k, v in named.items()}
    yield pack("letters in parts (NFD), by Finder", raw(apart, 0x800, streamed=True), count=6, classes=order)
    german = pets(dice, ("Hund", "Kätzchen"), 2)
    yield pack(
        "a DOS code page (cp437)",
        raw({k.encode("cp437"): v for k, v in german.items()}, made_by=0),
        count=4,
        classes=("Hund", "Kätzchen"),
    )
    yield pack(
        "spaces, quotes and an emoji",
        zipped(pets(dice, ('a "b" <i>', "🐱 cat's"), 2)),
        count=4,
        classes=('a "b" <i>', "🐱 cat's"),
    )
    yield pack("classes with numbers for names", zipped(pets(dice, ("1", "2", "10"), 2)), classes=("1", "2", "10"))
    splits = {f"{split}/{name}": encoded(picture(dice)) for split in ("train", "val") for name in files}
    yield pack("train and val", zipped(splits), count=12, held_out=6)
    three = {f"data/{split}/{name}": encoded(picture(dice)) for split in ("train", "val", "test") for name in files}
    yield pack(
        "train, val and test below a folder", zipped(three, folders=True), count=18, held_out=12, noted=("test",)
    )
    two = {f"{split}/{name}": encoded(picture(dice)) for split in ("Train", "Test") for name in files}
    yield pack("Train and Test", zipped(two), count=12, held_out=6)
    shards = {f"{k // 1000 * 1000:05}/{k:05}.png": encoded(picture(dice)) for k in (0, 1, 2, 1000, 1001, 2000)}
    yield pack("shards, as FFHQ's", zipped(shards), classes=())
    shards = {f"{k // 1000:05}/img{k:08}.png": encoded(picture(dice)) for k in (0, 1, 2, 1000, 1001, 2000)}
    index = json.dumps({"labels": None})
    yield pack(
        "EDM's dataset_tool, without labels", zipped({**shards, "dataset.json": index}, zipfile.ZIP_STORED), classes=()
    )
    index = json.dumps({"labels": [[name, k % 2] for k, name in enumerate(shards)]})
    yield pack(
        "EDM's dataset_tool, with labels", zipped({**shards, "dataset.json": index}, zipfile.ZIP_STORED), classes=2
    )
    yield pack(
        "the same one folder down",
        zipped({f"cifar/{k}": v for k, v in {**shards, "Dataset.JSON": index}.items()}),
        classes=2,
    )
    masks = {f"{part}/{k}.png": encoded(picture(dice)) for part in ("images", "masks") for k in range(6)}
    yield pack("images and masks", zipped(masks), classes=(), left_out=None, noted=("mask",))
    cats = {f"train/{animal}.{k}.jpg": encoded(picture(dice), "JPEG") for animal in CATS for k in range(3)}
    yield pack("Kaggle's cats and dogs", zipped(cats), classes=(), offered=("labels",))
    yield pack("the same with labels of names", zipped(cats), given={"labels": "names"})
    table = "file_name,label\n" + "".join(f"{k}.png,{CATS[k % 2]}\n" for k in range(6))
    yield pack(
        "Hugging Face's metadata.csv",
        zipped({**{f"{k}.png": encoded(picture(dice)) for k in range(6)}, "metadata.csv": table}),
    )
    lines = "".join(json.dumps({"file_name": f"{k}.png", "label": k % 2}) + "\n" for k in range(6))
    yield pack(
        "Hugging Face's metadata.jsonl",
        zipped({**{f"{k}.png": encoded(picture(dice)) for k in range(6)}, "metadata.jsonl": lines}),
        classes=None,
    )
    white = encoded(picture(dice, (1500, 1500)) * 0 + 255, "BMP")
    yield pack(
        "a white BMP, deflated to almost nothing",
        zipped({"a.bmp": white, "b.bmp": white[:-3] + b"abc"}),
        count=2,
        classes=(),
        shape=(3, 1500, 1500),
    )
    yield pack(
        "a README and a licence",
        zipped({**both, "README.md": "# pets", "LICENSE": "MIT", "paper.pdf": b"%PDF-1.5"}),
        left_out=3,
    )
    yield pack("a tar", tarred(both), "pets.tar")
    yield pack("a tar.gz", tarred(both, "w:gz"), "pets.tar.gz")
    yield pack("a tgz", tarred(both, "w:gz"), "pets.tgz")
    yield pack("a tar.xz", tarred(both, "w:xz"), "pets.tar.xz")
    yield pack("a tar.bz2, of GNU's old kind", tarred(both, "w:bz2", tarfile.GNU_FORMAT), "pets.tar.bz2")
    yield pack("a tar of ./ names", tarred({f"./{k}": v for k, v in both.items()}, "w:gz"), "pets.tar.gz")
    apple = tarred({**{f"pets/{k}": v for k, v in both.items()}, "pets/cat/._0.png": b"\0\5\x16\7" + bytes(60)}, "w:gz")
    yield pack("macOS' tar, with ._ files", apple, "pets.tar.gz")
    yield pack("a tar called .zip", tarred(both), "pets.zip")
    deep = "x" * 90 + "/" + "y" * 90
    yield pack(
        "long names in a ustar",
        tarred({f"{deep}/{k}": v for k, v in both.items()}, format=tarfile.USTAR_FORMAT),
        "long.tar",
    )
