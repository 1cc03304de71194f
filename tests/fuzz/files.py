"""Files of every kind that is read anywhere, damaged in every way."""

from __future__ import annotations

import io
import json
import shutil
import struct
import zipfile
import zlib

import numpy as np

from app.training import about
from app.training.history import History
from edm import checkpoints, render, runs
from edm.commands import options
from edm.data import bring, points
from edm.data.brought import Limits
from edm.data.folders import ImageFolder
from edm.experiments.experiment import Experiment
from edm.files import convert
from edm.runs import places
from edm.runs.launchers import launcher_of
from edm.runs.reading import is_starting, workers
from edm.training.settings import Training
from tests.fuzz.values import damaged, mutated, names_of, valid, value


def _chunk(name, data) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(text: bytes) -> bytes:
    """A picture of one pixel with `text` in the chunk where our settings are."""
    head, pixel = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0), zlib.compress(b"\0\0")
    body = _chunk(b"IHDR", head) + _chunk(b"iTXt", b"edm\0\0\0\0\0" + text) + _chunk(b"IDAT", pixel)
    return b"\x89PNG\r\n\x1a\n" + body + _chunk(b"IEND", b"")


def safetensors(header: bytes, tensors: bytes = b"\0" * 4) -> bytes:
    said = json.dumps(
        {"__metadata__": {"edm": header.decode("latin-1")}, "a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}
    )
    return struct.pack("<Q", len(said)) + said.encode() + tensors


def _npy() -> bytes:
    file = io.BytesIO()
    np.save(file, np.zeros((3, 2)))
    return file.getvalue()


def _zip(*files) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in files:
            archive.writestr(name, data)
    return file.getvalue()


def _text(dice) -> bytes:
    """A document as JSON, that of an experiment or of a training."""
    kind = dice.choice([Experiment, Training])
    document = dice.choice([mutated(dice, dice.choice([{}, valid(kind)]), names_of(kind)), value(dice)])
    return json.dumps(document).encode()


def _run(path):
    folder = path.with_suffix("")
    (folder / "requests").mkdir(parents=True)
    data = path.read_bytes()
    for name in (
        "config.json",
        "status.json",
        "metrics.jsonl",
        "history.json",
        "log.txt",
        "requests/0001.start.json",
        "requests/0001.taken.json",
    ):
        (folder / name).write_bytes(data)
    runs.read(folder)
    history = History(folder)
    history.read()
    json.dumps(history.since(""))
    about.row(runs.read(folder))
    leader, fellows = workers(folder)
    for handle in (leader, *fellows):
        launcher_of(folder).alive(handle)
    is_starting(places.read(folder / "requests/0001.taken.json"))
    runs.all_runs(folder.parent)
    shutil.rmtree(folder)


def _labels(path):
    folder = path.with_suffix("")
    folder.mkdir()
    (folder / "a.png").write_bytes(png(b"{}"))
    (folder / "dataset.json").write_bytes(path.read_bytes())
    ImageFolder(folder)


def _unpacked(path):
    with open(path, "rb") as file:
        found = bring([(path.name, file)], limits=Limits(files=10, unpacked=1 << 20))
        found.source(8, crop=True).read(range(found.count))


_TICK = {"images": 5, "state": "running", "sigmas": [1, 2], "validation": [1, 2], "number": 1, "process": {}}
_MORE = ["time", "heartbeat", "remedies", "rate", "uptime", "options", "others", "reason"]


def _tick(dice) -> bytes:
    """A line of metrics, which is a status and a request too."""
    return json.dumps(mutated(dice, _TICK, _MORE)).encode() + b"\n"


def _blocks(data) -> bytes:
    """Data of a GIF, in blocks of at most 255 bytes."""
    parts = [data[at : at + 255] for at in range(0, len(data), 255)]
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


_READERS = {
    ".yaml": (_text, lambda path: options.read(path, Experiment, "experiment")),
    ".json": (_text, lambda path: options.read(path, Training, "training")),
    ".PNG": (lambda dice: png(damaged(dice, _text(dice))), render.read_document),
    ".gif": (lambda dice: b"GIF89a\1\0\1\0\0\0\0!\xfe" + _blocks(b"edm " + _text(dice)) + b",", render.read_document),
    ".svg": (lambda dice: b'<svg><metadata id="edm">' + _text(dice) + b"</metadata></svg>", render.read_document),
    ".safetensors": (lambda dice: safetensors(damaged(dice, _text(dice))), checkpoints.load),
    ".npy": (lambda dice: _npy(), points.read),
    ".csv": (lambda dice: b"x,y\n0.5,-1\n1e-3;2\n", points.read),
    ".zip": (lambda dice: _zip(("a/1.png", png(b"")), ("b/1.png", png(b""))), _unpacked),
    ".set.zip": (lambda dice: _zip(("a/1.png", png(b"")), ("dataset.json", b'{"labels": null}')), ImageFolder),
    ".labels": (lambda dice: json.dumps({"labels": [["a.png", value(dice)]]}).encode(), _labels),
    ".pkl": (lambda dice: b"\x80\x04}\x94\x8c\x03ema\x94]\x94s.", convert.convert),
    ".run": (_tick, _run),
}  # fmt: skip


def files(dice, folder):
    ending = dice.choice(list(_READERS))
    make, read = _READERS[ending]
    data = damaged(dice, make(dice))
    path = folder / f"{dice.randrange(1 << 60):x}{ending}"

    def attempt():
        path.write_bytes(data)
        try:
            read(path)
        finally:
            path.unlink()

    return (ending, data), attempt
