"""Inputs of any making, for everything that reads some: each ends in an answer, or in a sentence of Refused.

A kind is a maker of inputs: dice -> (what it is, a function that gives the program the input). The same dice make the
same inputs. What a function returns is an answer; Refused is a refusal; anything else that is raised is a defect, and
so is a sentence that is too long, or an input that takes longer than anybody waits.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
import struct
import time
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from types import SimpleNamespace

import numpy as np

from app import archives, links
from app.instruments import INSTRUMENTS
from app.messages import Figure
from app.tabs import sampler, train
from app.tabs.wiring import Wiring
from app.training.form import Former
from app.training.history import History
from edm import checkpoints, convert, flat, render, runs
from edm.__main__ import main
from edm.commands import options
from edm.data import points
from edm.data.folders import ImageFolder
from edm.errors import LONGEST, Refused
from edm.settings import Experiment, Sampling
from edm.training.settings import Training

SECONDS = 5.0  # that one input may take; the machine may be busy
SHARES = {"settings": 25, "links": 20, "events": 20, "files": 25, "commands": 10}  # per cent
NESTED = ["[" * 100_000, '{"a":' * 50_000, "[" * 40 + "]" * 40, "- " * 5000, "&a [*a, *a]", "(" * 900]
TEXTS = [
    "", " ", "0", "-1", "1e400", "1e-400", "nan", "inf", "-Infinity", "0x10", "1_0", "٣", "½", "true", "null", "none",
    "auto", "self", "__class__", "a,b", "1,2;3", "1,2,3", ";", ",", "%s{0}", "../../etc/passwd", "\0", "\x1b[2J", "\ud800",
    r"\ud800", "é" * 300, "🎲", "‮", "a" * 5000, "9" * 400, "9" * 5000, "<script>", "model", "spiral", "digits_edm", "drawn",
    "heun", "own:" + "0" * 16, *NESTED,
]  # fmt: skip
VALUES = [
    None, True, False, 0, 1, -1, 3, 18, 0.5, -0.0, 1e308, 1e-320, float("inf"), float("nan"), 2**31, 2**63, -(2**64),
    10**400, [], {}, [[]], [None], {"a": 1}, {"self": 1}, {"path": "/etc/hostname"}, [1, 2, 3], [[1, 2], [3, 4]], ["a"],
    [[0.1] * 2] * 2000, list(range(3000)), dict.fromkeys(map(str, range(500)), 1),
]  # fmt: skip
NAMES = [
    "self",
    "cls",
    "",
    "a.b",
    "sampling",
    "data",
    "design",
    "architecture",
    "__init__",
    "steps ",
    "STEPS",
    "x" * 300,
]


@dataclass
class Found:
    """What came of inputs. failures: (kind, input, what it did)."""

    answers: Counter = field(default_factory=Counter)
    refusals: Counter = field(default_factory=Counter)
    failures: list = field(default_factory=list)
    slowest: dict = field(default_factory=dict)


def fuzz(dice: random.Random, count: int, folder, kinds=tuple(SHARES)) -> Found:
    """Try `count` inputs, the kinds in their shares. folder: for files, new for each call."""
    found, whole = Found(), sum(SHARES[kind] for kind in kinds)
    folder.mkdir(parents=True)
    for kind in kinds:
        for _ in range(round(count * SHARES[kind] / whole)):
            what, attempt = KINDS[kind](dice, folder)
            began = time.perf_counter()
            try:
                attempt()
                found.answers[kind] += 1
            except Refused as refusal:
                found.refusals[kind] += 1
                if not 0 < len(str(refusal)) <= LONGEST or not str(refusal).isprintable():
                    found.failures.append((kind, what, f"a sentence of {len(str(refusal))} letters"))
            except Exception as error:
                found.failures.append((kind, what, f"{type(error).__name__}: {error}"[:300]))
            took = time.perf_counter() - began
            found.slowest[kind] = max(found.slowest.get(kind, 0.0), took)
            if took > SECONDS:
                found.failures.append((kind, what, f"{took:.1f} s"))
    return found


# ---- values and documents ----


def nest(dice, depth):
    value = dice.choice(TEXTS[:20])
    for _ in range(depth):
        value = [value] if dice.random() < 0.5 else {dice.choice(TEXTS[:20]): value}
    return value


def value(dice):
    pick = dice.random()
    if pick < 0.45:
        return dice.choice(TEXTS)
    if pick < 0.9:
        return dice.choice(VALUES)
    return nest(dice, dice.choice([1, 3, 30, 100, 900]))


def names_of(kind) -> list[str]:
    return [*sorted(flat.names(kind)), *flat.groups(kind)]


def mutated(dice, document, names, depth=0):
    """A document with some values replaced, names added and names taken away."""
    document = dict(document)
    for _ in range(dice.choice([0, 1, 1, 2, 5])):
        name = dice.choice([*document, *names, *NAMES])
        inner = document.get(name)
        if isinstance(inner, dict) and depth < 3 and dice.random() < 0.7:
            document[name] = mutated(dice, inner, names, depth + 1)
        elif dice.random() < 0.15:
            document.pop(name, None)
        else:
            document[name] = value(dice)
    return document


@cache
def _valid(kind) -> dict:
    return kind().document(complete=True)


def settings(dice, folder):
    kind = dice.choice([Experiment, Experiment, Sampling, Training, *(one.settings for one in INSTRUMENTS.values())])
    base = dice.choice([{}, _valid(kind)])
    document = mutated(dice, base, names_of(kind))
    if dice.random() < 0.5:
        return (kind.__name__, document), lambda: kind.parse(flat.unflatten(document, kind))
    text = damaged(dice, json.dumps(document).encode())
    return (kind.__name__, text), lambda: kind.parse(text)


# ---- addresses ----


def links_(dice, folder):
    first = ["", "", "", "pin.", "view.", "train.", "amp;", "utm_", *(f"{name}." for name in INSTRUMENTS)]
    inner = [
        *names_of(Experiment),
        *sorted(links.form.NAMES),
        *NAMES,
        *_valid(next(iter(INSTRUMENTS.values())).settings),
    ]
    pairs = [(dice.choice(first) + dice.choice(inner), str(value(dice))) for _ in range(dice.choice([1, 2, 4, 12]))]
    if dice.random() < 0.5:
        known = [*INSTRUMENTS, "train", "compare", "loss", "sampler", "figure3", "table1"]
        pairs.append((dice.choice(["show", "tab", "figure"]), dice.choice([*known, *TEXTS])))
    pairs = [(name[:2000], text[:20_000]) for name, text in pairs]

    def attempt():
        opened = links.opened_from(pairs, lambda values: Former(folder).plan(values, costs=False))
        Experiment.parse(opened["values"])
        json.dumps(opened).encode()
        notice = opened["notice"]
        assert notice is None or (len(notice) <= LONGEST and notice.isprintable()), "its notice"

    return pairs, attempt


# ---- what the page and scripts send ----


class _Stage:
    """Instead of the page: takes the handler of each event."""

    def __init__(self):
        self.handlers = {}

    def __getattr__(self, event):
        return lambda handler, *_, **__: self.handlers.__setitem__(event, handler)


@cache
def _handlers() -> dict:
    """Every event's own handler, with answers that take no time where a message is good."""
    stage = _Stage()
    wiring = Wiring(stage)
    for event, kind in {**sampler.EVENTS, **train.EVENTS, **dict.fromkeys(INSTRUMENTS, Figure)}.items():
        wiring.on(event, event, kind, lambda message, guard: iter([("{}", True)]), output=True)
    wiring.halt()
    return stage.handlers


_MESSAGES = {
    "ask": {"serial": 1, "values": {"model": "spiral", "steps": "9"}, "field": {"aspect": 1.5, "follow": True}},
    "probe": {"serial": 1, "values": {}, "field": None, "position": [0.1, 0.2], "level": 3},
    "loss": {"serial": 1, "values": {}, "yours": {"steps": "5"}},
    "poll": {"serial": 1, "clock": "a:1", "runs": {"x": {"cursor": "", "sample": 3}}, "models": "", "datasets": None},
    "film": {"serial": 1, "run": "x", "images": [0, 64]},
    "plan": {"serial": 1, "values": {"size": "small"}},
    "act": {"serial": 1, "do": "resume", "run": "x", "changes": {"images": "5"}},
    "halt": {"serial": 1, "lane": "ask"},
}


def events(dice, folder):
    if dice.random() < 0.3:
        document = mutated(
            dice, dice.choice([{}, {"model": "spiral", "steps": 9}, _valid(Experiment)]), names_of(Experiment)
        )
        document = dice.choice([document, document, value(dice)])
        return ("sample", document), lambda: sampler.asked(document)
    event = dice.choice(list(_MESSAGES))
    message = dice.choice([mutated(dice, _MESSAGES[event], ["self", "serial"]), value(dice)])

    def attempt():
        answers = _handlers()[event](SimpleNamespace(_data=message), SimpleNamespace(session_hash="fuzz"))
        for answer in answers or ():
            told = json.loads(answer).get("error")
            assert told is None or "in the server's log" not in told, told
            if told is not None:
                raise Refused(told)

    return (event, message), attempt


# ---- files ----


def damaged(dice, data: bytes) -> bytes:
    """Bytes that were cut, changed, or had something put into them."""
    pick, place = dice.random(), dice.randrange(len(data) + 1)
    if pick < 0.2:
        return data
    if pick < 0.4:
        return data[:place]
    if pick < 0.6:
        return data[:place] + dice.choice([*TEXTS, *NESTED]).encode("utf-8", "surrogatepass") + data[place:]
    if pick < 0.7:
        return data.decode("latin-1").encode(dice.choice(["utf-16", "utf-8-sig", "utf-16-le", "utf-32"]))
    if pick < 0.75:
        return dice.choice([b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\0" * 64, b"null", b"[]", b'"x"', b"NaN"])
    changed = bytearray(data)
    for _ in range(dice.choice([1, 3, 20])):
        if changed:
            changed[dice.randrange(len(changed))] = dice.randrange(256)
    return bytes(changed)


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
    document = dice.choice([mutated(dice, dice.choice([{}, _valid(kind)]), names_of(kind)), value(dice)])
    return json.dumps(document).encode()


def _run(path):
    folder = path.with_suffix("")
    (folder / "requests").mkdir(parents=True)
    data = path.read_bytes()
    for name in (
        "config.json",
        "status.json",
        "metrics.jsonl",
        "log.txt",
        "requests/0001.start.json",
        "requests/0001.taken.json",
    ):
        (folder / name).write_bytes(data)
    runs.read(folder)
    history = History(folder)
    history.read()
    json.dumps(history.since(""))
    train.about.row(runs.read(folder))


def _labels(path):
    folder = path.with_suffix("")
    folder.mkdir()
    (folder / "a.png").write_bytes(png(b"{}"))
    (folder / "dataset.json").write_bytes(path.read_bytes())
    ImageFolder(folder)


def _unpacked(path):
    with open(path, "rb") as file:
        for _, _, read in archives.images_of(file, path.name, 10, 1 << 20):
            read()


_READERS = {
    ".yaml": (_text, lambda path: options.read(path, Experiment, "experiment")),
    ".json": (_text, lambda path: options.read(path, Training, "training")),
    ".PNG": (lambda dice: png(damaged(dice, _text(dice))), render.read_document),
    ".safetensors": (lambda dice: safetensors(damaged(dice, _text(dice))), checkpoints.load),
    ".npy": (lambda dice: _npy(), points.read),
    ".csv": (lambda dice: b"x,y\n0.5,-1\n1e-3;2\n", points.read),
    ".zip": (lambda dice: _zip(("a/1.png", png(b"")), ("b/1.png", png(b""))), _unpacked),
    ".set.zip": (lambda dice: _zip(("a/1.png", png(b"")), ("dataset.json", b'{"labels": null}')), ImageFolder),
    ".labels": (lambda dice: json.dumps({"labels": [["a.png", value(dice)]]}).encode(), _labels),
    ".pkl": (lambda dice: b"\x80\x04}\x94\x8c\x03ema\x94]\x94s.", convert.convert),
    ".run": (lambda dice: json.dumps(mutated(dice, {"images": 5, "state": "running", "sigmas": [1, 2], "validation": [1, 2], "number": 1, "process": {}, "others": []}, ["heartbeat", "remedies", "rate", "uptime", "options"])).encode() + b"\n", _run),
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


# ---- the command line ----


def commands(dice, folder):
    verb = dice.choice(["sample", "sample", "train", "info", "runs", "models", "export", "convert", ""])
    kind = Training if verb == "train" else Experiment
    words = [verb, "--dry-run"] if verb in ("sample", "train") else [verb]
    if verb == "runs":
        words += [dice.choice(["list", "show", "stop", "gc", "resume", "nothing"]), f"--runs={folder / 'runs'}"]
    for _ in range(dice.choice([0, 1, 2, 4])):
        word = str(value(dice)).replace("\0", "")[:20_000]
        name = dice.choice([*names_of(kind), "preset", "config", "out", "resume", "keep", "device", "help-me"])
        words.append(dice.choice([word, f"--{name}={word}", f"--{name}"]))

    def attempt():
        said = io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            try:
                code = main([word for word in words if word])
            except SystemExit as end:  # of argparse
                code = end.code
        assert code in (0, 2), said.getvalue()[-300:]
        if code == 2:
            raise Refused(said.getvalue().splitlines()[-1])

    return words, attempt


KINDS = {"settings": settings, "links": links_, "events": events, "files": files, "commands": commands}
