"""Uploads over real HTTP that are slow, many, or much work: they hold up nobody else."""

import contextlib
import errno
import socket
import threading
import time

import pytest

from app.transport import presence
from app.uploads import arrivals, sets
from app.uploads.arrivals import Pace
from edm.base.errors import Refused
from edm.data import images
from tests.app.uploads.arriving import serving, zipped
from tests.app.uploads.sets import PETS, packed

SQUARE = {"points": [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]}


FILE = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'


QUICK = Pace(silence=1.0, grace=0.2, least=10_000, longest=2.0, at_once=3)


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

    def square(data, *arguments, **named):
        if len(data) > 5000:
            decoded.append(time.monotonic())
            begin.set()
            time.sleep(0.05)
        return honest(data, *arguments, **named)

    monkeypatch.setattr(images, "square", square)
    monkeypatch.setattr(presence, "LOOK", 0.02)
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
        answer = client("ben").post("/explorer-uploads", files={"files": packed(PETS)[0]})
        assert answer.json()["ok"] and len(decoded) < before + 100
        sender.close()
        deadline = time.monotonic() + 10
        while client("eve").post("/explorer-uploads", json=SQUARE).status_code == 429:
            assert time.monotonic() < deadline, "the upload of who has left is still being read"
            time.sleep(0.02)
        after = len(decoded)
        time.sleep(0.15)
        assert len(decoded) == after < 200


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
