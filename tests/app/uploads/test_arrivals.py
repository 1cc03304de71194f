"""Uploads over real HTTP that are slow, many, or much work: they hold up nobody else."""

import contextlib
import errno
import io
import socket
import struct
import threading
import time
import zipfile
import zlib

import httpx
import numpy as np
import pytest
import uvicorn
from fastapi import FastAPI
from PIL import Image

from app.routes import uploads
from app.transport import presence
from app.uploads import arrivals, sets
from app.uploads.arrivals import Arrivals, Budget, Pace
from app.visitors.room import Room, Visitor
from edm.base.errors import Refused
from edm.data import images

SQUARE = {"points": [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]}
FILE = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
QUICK = Pace(silence=0.3, grace=0.2, least=10_000, longest=2.0, at_once=3)


class Lesson(Room):
    """A classroom in which everybody is who the header "who" says."""

    def __init__(self, folder):
        super().__init__(folder, password="chalk", classroom=True, teacher_password="red pencil")

    def visitor(self, request):
        return Visitor(request.username, False)


def named(request):
    return request.headers.get("who")


@contextlib.contextmanager
def serving(folder, own=False, **named_arrivals):
    app, folder = FastAPI(), folder / "runs"
    folder.mkdir(exist_ok=True)
    uploads.add(app, Room(folder) if own else Lesson(folder), named, Arrivals(**named_arrivals))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield lambda who: httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"who": who}, timeout=20)
    finally:
        server.should_exit = True
        thread.join()


def begun(client, who, length=90_000, body=b"--x\r\n"):
    """A connection on which an upload has begun."""
    place = client.base_url
    half = socket.create_connection((place.host, place.port), timeout=10)
    half.sendall(
        f"POST /explorer-uploads HTTP/1.1\r\nHost: {place.host}\r\nwho: {who}\r\nExpect: 100-continue\r\n"
        f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {length}\r\n\r\n".encode()
    )
    assert b"100 Continue" in half.recv(1000)
    half.sendall(body)
    return half


def said(half):
    half.settimeout(10)
    text = b""
    while b"}" not in text and (piece := half.recv(4000)):
        text += piece
    return text.decode()


def zipped(count, side=2000):
    """A small zip of large images."""
    file, picture = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (side, side), "teal").save(picture, "PNG")
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(count):
            archive.writestr(f"{number}.png", picture.getvalue())
    return {"files": ("large.zip", file.getvalue())}


def dripping(half, stop):
    with contextlib.suppress(OSError):
        while not stop.is_set():
            half.sendall(b"x")
            time.sleep(0.03)


def test_an_upload_that_drips_is_refused_by_its_rate_and_others_go_on_meanwhile(tmp_path):
    stop = threading.Event()
    with serving(tmp_path, pace=QUICK) as client:
        slow = [begun(client("x"), f"slow{k}") for k in range(3)]
        for half in slow:
            threading.Thread(target=dripping, args=(half, stop), daemon=True).start()
        for number in range(4):
            assert client(f"quick{number}").post("/explorer-uploads", json=SQUARE).json()["ok"]
        answers = [said(half) for half in slow]
        stop.set()
    assert all("too slow" in answer or "was the slowest" in answer for answer in answers), answers
    assert any("at least 10 are needed" in answer for answer in answers)


def test_an_upload_has_so_long_in_all_and_may_not_stand_still(tmp_path):
    for pace in (Pace(silence=0.2), Pace(silence=5, longest=0.3)):
        with serving(tmp_path, pace=pace) as client, begun(client("x"), "ada") as half:
            assert "408" in (answer := said(half)) and "stood still, or took too long" in answer


def test_when_places_are_taken_the_slowest_gives_way(tmp_path, monkeypatch):
    monkeypatch.setattr(arrivals, "YOUNG", 0.0)
    with serving(tmp_path, pace=Pace(at_once=2)) as client:
        quicker = begun(client("x"), "ben", body=FILE + bytes(5000))
        slowest = begun(client("x"), "ada")
        assert client("carl").post("/explorer-uploads", json=SQUARE).json()["ok"]
        assert "others needed the place" in said(slowest)
        quicker.settimeout(0.2)
        with pytest.raises(TimeoutError):
            quicker.recv(1)
        quicker.close()


def test_a_visitor_has_one_upload_on_its_way(tmp_path, monkeypatch):
    with serving(tmp_path) as client:
        half = begun(client("x"), "ada")
        assert client("ada").post("/explorer-uploads", json=SQUARE).status_code == 429
        monkeypatch.setattr(arrivals, "YOUNG", 0.0)
        assert client("ada").post("/explorer-uploads", json=SQUARE).json()["ok"], (
            "it takes the place of one that stands"
        )
        assert "429" in said(half)


def test_on_a_machine_of_one_s_own_an_address_is_a_visitor(tmp_path):
    with serving(tmp_path, own=True) as client, begun(client("x"), "one"):
        assert client("another").post("/explorer-uploads", json=SQUARE).status_code == 429


def test_reading_large_images_holds_up_nobody_and_ends_once_the_sender_has_left(tmp_path, monkeypatch):
    decoded, begin, honest = [], threading.Event(), images.square

    def square(data, *arguments):
        if len(data) > 5000:
            decoded.append(time.monotonic())
            begin.set()
            time.sleep(0.05)
        return honest(data, *arguments)

    monkeypatch.setattr(sets.images, "square", square)
    monkeypatch.setattr(presence, "LOOK", 0.02)
    small = io.BytesIO()
    Image.new("RGB", (40, 40)).save(small, "PNG")
    with serving(tmp_path) as client:
        request = client("ada").build_request("POST", "/explorer-uploads", files=zipped(200))
        body = request.read()
        with begun(client("x"), "ada", len(body)) as half:
            half.close()
        place = client("x").base_url
        sender = socket.create_connection((place.host, place.port))
        sender.sendall(
            f"POST /explorer-uploads HTTP/1.1\r\nHost: {place.host}\r\nwho: eve\r\nContent-Length: {len(body)}\r\n"
            f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
            + body
        )
        assert begin.wait(10)
        before = len(decoded)
        answer = client("ben").post("/explorer-uploads", files={"files": ("small.png", small.getvalue())})
        assert answer.json()["ok"] and len(decoded) < before + 100
        sender.close()
        deadline = time.monotonic() + 10
        while client("eve").post("/explorer-uploads", json=SQUARE).status_code == 429:
            assert time.monotonic() < deadline, "the upload of who has left is still being read"
            time.sleep(0.02)
        after = len(decoded)
        time.sleep(0.15)
        assert len(decoded) == after < 200


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


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), 507, "could not be stored (No space left on device)"),
        (Refused("such an image is not read"), 400, "such an image is not read"),
        (OSError("secret"), 500, "Something went wrong here"),
        (ValueError("secret"), 500, "Something went wrong here"),
    ],
    ids=str,
)
def test_what_goes_wrong_with_an_upload_is_told_as_what_it_is(tmp_path, monkeypatch, caplog, error, status, said):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(sets, "intake", fail)
    with serving(tmp_path) as client:
        answer = client("ada").post("/explorer-uploads", json={"points": [[0, 1]]})
    assert answer.status_code == status and said in answer.json()["sentence"]
    assert [record.exc_info[1] for record in caplog.records] == [error] * (status == 500)
