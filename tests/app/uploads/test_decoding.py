"""Images that are made to take long, and how much reading a visitor may cost."""

import io
import struct
import threading
import time
import zlib

import numpy as np
import pytest
from PIL import Image

from app.uploads import arrivals
from app.uploads.arrivals import Arrivals, Budget
from edm.base.errors import Refused
from edm.data import images
from tests.app.uploads.arriving import serving, zipped


def test_many_small_images_do_not_wait_for_a_large_one_of_others_each_time(monkeypatch):
    monkeypatch.setattr(arrivals, "CORES", 2)
    desk, stop, large, read_small = Arrivals(), threading.Event(), [], []

    def attack():
        with desk.reader(desk.enter("eve")) as read:
            while not stop.is_set():
                read(lambda: (large.append(time.sleep(0.03)), 1))

    eve = threading.Thread(target=attack)
    eve.start()
    while not large:
        time.sleep(0.001)
    with desk.reader(desk.enter("ada")) as read:
        before = len(large)
        for _ in range(100):
            time.sleep(0.001)  # what is done between two images
            read(lambda: (read_small.append(1), 1))
        meanwhile = len(large) - before
    stop.set()
    eve.join()
    assert len(read_small) == 100 and meanwhile < 30


def segments(count, kind=b"\xff\xfe"):
    """A JPEG with so many comments, or so many bytes of nothing, before its pixels."""
    file = io.BytesIO()
    Image.new("L", (64, 64)).save(file, "JPEG")
    return file.getvalue()[:2] + kind * count + file.getvalue()[2:]


def scans(count):
    """A JPEG of 5700 × 5700 pixels of which each further scan is 50 bytes and says nothing new."""

    def segment(kind, body):
        return bytes([0xFF, kind]) + struct.pack(">H", len(body) + 2) + body

    tables = segment(0xC4, bytes([0x00, 1, *bytes(15), 0])) + segment(0xC4, bytes([0x10, 1, *bytes(15), 0xE0]))
    frame = segment(0xC2, struct.pack(">BHHB", 8, 5700, 5700, 1) + bytes([1, 0x11, 0]))
    first = segment(0xDA, bytes([1, 1, 0, 0, 0, 0])) + bytes(713 * 713 // 8 + 1)
    bits = "011111111111111" * 16
    further = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\x00")
    further = segment(0xDA, bytes([1, 1, 0, 1, 63, 0])) + further
    return b"\xff\xd8" + segment(0xDB, bytes([0, *[16] * 64])) + frame + tables + first + further * count + b"\xff\xd9"


def chunks(count):
    """A PNG with so many empty chunks before its pixels."""
    file, empty = io.BytesIO(), struct.pack(">I4sI", 0, b"prVt", zlib.crc32(b"prVt"))
    Image.new("L", (64, 64)).save(file, "PNG")
    return file.getvalue()[:33] + empty * count + file.getvalue()[33:]


def runs_of_one(side):
    """A BMP of which each pixel is packed by itself."""
    body = (b"\x01\x05" * side + bytes(2)) * side
    head = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, len(body), 0, 0, 256, 0) + bytes(1024)
    return b"BM" + struct.pack("<IHHI", 14 + len(head) + len(body), 0, 0, 14 + len(head)) + head + body


@pytest.mark.parametrize(
    ("made", "few", "many"),
    [
        (lambda count: segments(count, b"\xff\xfe\x00\x02"), 1000, 30_000),
        (lambda count: segments(count, b"\xff"), 1000, 30_000),
        (scans, 20, 10_000),
        (chunks, 10_000, 30_000),
        (runs_of_one, 64, 1200),
    ],
)
def test_images_that_are_made_to_take_long_are_refused_before_they_are_decoded(monkeypatch, made, few, many):
    assert images.square(made(few), "it", 32)[0].shape == (3, 32, 32)
    monkeypatch.setattr(images, "pixels", None)
    with pytest.raises(Refused, match="it is "):
        images.square(made(many), "it", 32)


@pytest.mark.parametrize("budget", [Budget(pixels=10_000_000), Budget(seconds=1e-6)])
def test_images_that_cost_too_much_are_refused_for_their_sender_only(tmp_path, budget):
    with serving(tmp_path, budget=budget) as client:
        answer = client("ada").post("/explorer-uploads", files=zipped(4, 1900))
        assert answer.status_code == 400 and "take too long to read" in answer.json()["sentence"]
        assert not list((tmp_path / "runs" / ".data").iterdir())
        if budget.seconds > 1:
            assert client("ben").post("/explorer-uploads", files=zipped(2, 1900)).json()["ok"]


def test_what_images_have_cost_is_forgotten_with_time(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(arrivals.time, "monotonic", lambda: now[0])
    desk = Arrivals(budget=Budget(seconds=1e9, pixels=100, window=60))
    with desk.reader(desk.enter("ada")) as read:
        assert read(lambda: ("one", 90)) == "one"
        with pytest.raises(Refused, match="in 1 minutes"):
            read(lambda: ("two", 20))
        now[0] += 60
        assert read(lambda: ("three", 80)) == "three"


def test_a_photograph_is_decoded_at_a_part_of_its_size_and_looks_the_same():
    noise = np.random.default_rng(0).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    photograph, file = Image.fromarray(noise).resize((1600, 1200), Image.Resampling.BICUBIC), io.BytesIO()
    photograph.save(file, "JPEG", quality=95)
    quick, decoded = images.square(file.getvalue(), "it", 32)
    with images.opened(file, "it") as whole:
        slow = images.pixels(whole, "it", True, (3, 32, 32))
    assert decoded == 200 * 150
    assert np.abs(quick.astype(int) - slow).max() <= 2
