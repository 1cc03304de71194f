"""Uploads over real HTTP."""

import socket
import time
from urllib.parse import urlsplit

import numpy as np
import pytest

from app.transport.same_site import SameSite
from app.uploads import sets
from tests.app.uploads.sets import ONE, PETS, SQUARE, brought, encoded, left, packed


def send(client, given, **named):
    answer = client.post("/explorer-uploads", files=[("files", one) for one in given], **named)
    return answer.status_code, answer.json()


def nothing_new(classroom, before):
    return [path for path in (classroom.folder / ".data").glob("*") if path.name not in before] == []


def test_files_and_points_come_from_the_page(classroom):
    anna = classroom.login("Anna")
    status, answer = send(anna, packed(PETS), params={"resolution": 16, "title": "Pets of mine"})
    assert (status, answer["ok"], answer["dataset"]["title"]) == (200, True, "Pets of mine")
    assert sets.path_of(classroom.folder, answer["dataset"]["id"]).exists()
    assert [one["title"] for one in sets.listed(classroom.folder, "anna")] == ["Pets of mine"]
    drawn = anna.post("/explorer-uploads", json={"points": SQUARE}).json()
    assert drawn["dataset"]["fields"]["path"].endswith("points.npy")


def test_what_cannot_be_taken_is_answered_with_a_sentence(classroom):
    ben = classroom.login("Ben")
    ben.post("/explorer-uploads", json={"points": SQUARE})
    before = left(classroom.folder)
    big = brought({"big.png": encoded(np.random.default_rng(2).integers(0, 256, (500, 500, 3), dtype=np.uint8))})

    def endless():
        yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
        for _ in range(40):
            yield bytes(1 << 14)

    form = {"Content-Type": "multipart/form-data; boundary=x"}
    status, answer = send(ben, big)
    assert status == 413 and "at most 0.5 MB" in answer["sentence"]
    unmeasured = ben.post("/explorer-uploads", content=endless(), headers=form)
    assert unmeasured.status_code == 413 and "larger than 0.5 MB" in unmeasured.json()["sentence"]
    status, answer = send(ben, brought({"a.png": ONE[:-900]}))
    assert status == 400 and "'a.png' is damaged" in answer["sentence"]
    status, answer = send(ben, packed(PETS), params={"resolution": 1000})
    assert status == 400 and "must be one of" in answer["sentence"]
    for document in (b"{", b"[]", b'{"points": 1}', b"[" * 100_000):
        odd = ben.post("/explorer-uploads", content=document, headers={"Content-Type": "application/json"})
        assert odd.status_code == 400 and "points are sent as" in odd.json()["sentence"]
    torn = ben.post("/explorer-uploads", content=b"--x\r\nno", headers=form)
    assert torn.status_code == 400 and not torn.json()["ok"]
    assert ben.post("/explorer-uploads", content=b"?").status_code == 415
    assert ben.post("/gradio_api/upload", files=[("files", one) for one in packed(PETS)]).status_code == 404
    assert nothing_new(classroom, before)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:1"},
    ],
)
def test_other_web_pages_can_send_nothing_with_a_visitor_s_cookies(classroom, headers):
    anna = classroom.login("Anna")
    for path in ("/explorer-uploads", "/gradio_api/queue/join", "/login"):
        answer = anna.post(path, json={"points": SQUARE}, headers=headers)
        assert answer.status_code == 403 and "another web page" in answer.json()["sentence"]
    read = anna.get("/config", headers=headers)
    assert read.status_code == (403 if "Origin" in headers else 200)
    own = anna.post("/explorer-uploads", json={"points": SQUARE}, headers={"Origin": classroom.address})
    assert own.status_code == 200


@pytest.mark.parametrize("header", ["", "Origin: https://evil.example\r\n"])
def test_a_refusal_arrives_whatever_is_still_on_its_way(classroom, header):
    olga, place = classroom.login("Olga"), urlsplit(classroom.address)
    cookies = "; ".join(f"{name}={value}" for name, value in olga.cookies.items())
    head = (
        f"POST /explorer-uploads HTTP/1.1\r\nHost: {place.netloc}\r\nCookie: {cookies}\r\n{header}"
        "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 900000\r\n\r\n"
    )
    with socket.create_connection((place.hostname, place.port), timeout=10) as sender:
        sender.sendall(head.encode() + bytes(400_000))
        time.sleep(0.5)  # in which it is refused
        sender.sendall(bytes(500_000))
        answered = b""
        while b"sentence" not in answered and (part := sender.recv(10_000)):
            answered += part
    assert answered.startswith(b"HTTP/1.1 403" if header else b"HTTP/1.1 413") and b"sentence" in answered


def test_an_interrupted_upload_leaves_nothing_and_blocks_nobody(classroom):
    carl = classroom.login("Carl")
    carl.post("/explorer-uploads", json={"points": SQUARE})
    before, place = left(classroom.folder), urlsplit(classroom.address)
    cookies = "; ".join(f"{name}={value}" for name, value in carl.cookies.items())
    head = (
        f"POST /explorer-uploads HTTP/1.1\r\nHost: {place.netloc}\r\nCookie: {cookies}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 90000\r\nExpect: 100-continue\r\n\r\n"
    )
    with socket.create_connection((place.hostname, place.port), timeout=10) as half:
        half.sendall(head.encode())
        assert b"100 Continue" in half.recv(1000)  # the server has begun to read it
        half.sendall(b"--x\r\n")
        status, answer = send(carl, packed(PETS))
        assert status == 429 and "still on its way" in answer["sentence"]
    deadline = time.monotonic() + 10
    while status == 429 and time.monotonic() < deadline:
        status = carl.post("/explorer-uploads", json={"points": SQUARE}).status_code
    assert status == 200
    assert nothing_new(classroom, before)


@pytest.mark.parametrize(
    ("private", "host", "answered"),
    [
        (True, "127.0.0.1:7860", True),
        (True, "localhost", True),
        (True, "[::1]:7860", True),
        (True, "my.localhost:7860", True),
        (True, "evil.example:7860", False),
        (True, "127.0.0.1.evil.example", False),
        (True, "[::1", False),
        (True, "", False),
        (False, "class.example", True),
    ],
)
def test_where_nobody_logs_in_only_names_of_this_machine_are_answered(private, host, answered):
    scope = {"type": "http", "method": "GET", "headers": [(b"host", host.encode())]}
    sentence = SameSite(None, private).refusal(scope)
    assert sentence is None if answered else "--password" in sentence
