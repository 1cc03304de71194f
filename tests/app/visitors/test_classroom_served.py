"""A classroom over real HTTP: who may do what, and what nobody can."""

import io
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx
import pytest

from edm import runs
from tests.app.conftest import CLASS, TEACHER
from tests.asking import Visitor


def test_without_logging_in_nothing_answers(classroom):
    classroom.waiting_run("closed-1", "anna")
    client = classroom.client()
    answers = [
        client.get("/config"),
        client.get("/gradio_api/info"),
        client.post("/gradio_api/queue/join", json={"data": [], "fn_index": 0, "session_hash": "x"}),
        client.post("/gradio_api/call/sample", json={"data": [{}]}),
        client.get("/explorer-runs/closed-1/log"),
        client.post("/explorer-uploads", json={"points": [[0, 1]]}),
    ]
    assert [answer.status_code for answer in answers] == [401] * 6
    assert "auth_required" in client.get("/").text
    wrong = client.post("/login", data={"username": "anna", "password": "guess"})
    assert wrong.status_code == 400


def test_seventy_guesses_at_once_keep_nobody_out(classroom):
    def guess(k):
        with classroom.client() as client, suppress(httpx.ReadTimeout):
            answer = client.post("/login", data={"username": f"guest{k % 7}", "password": f"guess{k}"}, timeout=2)
            return answer.status_code, answer.json()["sentence"]

    with ThreadPoolExecutor(70) as pool:
        guesses = [pool.submit(guess, k) for k in range(70)]
        for name, password in (("Anna", CLASS), ("Kim", TEACHER), ("Dora", CLASS + " plum")):
            classroom.login(name, password).close()
        assert not all(one.done() for one in guesses), "they came in while wrong answers waited"
        answers = [one.result() for one in guesses if one.result()]  # the others wait for longer than this test does
    assert {status for status, _ in answers} == {400}
    assert all("do not belong together" in sentence for _, sentence in answers)


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"json": {"username": "x"}}, 400),
        ({"data": {"username": "x"}}, 400),
        ({"data": {"username": "x", "password": "y" * 9000}}, 413),
        ({"files": {"username": b"x", "password": b"y"}}, 400),
        ({"content": b"--x", "headers": {"Content-Type": "multipart/form-data; boundary=x"}}, 400),
        ({"content": b"username=%ff&password=%ff", "headers": FORM}, 400),
    ],
)  # fmt: skip
def test_a_log_in_that_cannot_be_read_gets_a_sentence(classroom, sent, status):
    with classroom.client() as client:
        answer = client.post("/login", **sent)
    assert answer.status_code == status and answer.json()["sentence"]


def test_students_stop_their_own_runs_and_the_teacher_stops_all(classroom):
    one, two = classroom.waiting_run("anna-1", "anna"), classroom.waiting_run("ben-1", "ben")
    anna, ben = Visitor(client=classroom.login("Anna")), Visitor(client=classroom.login("Ben"))
    kim = Visitor(client=classroom.login("Kim", TEACHER))
    for do in ("stop", "delete", "resume"):
        _, error = anna.told("act", do=do, run="ben-1")
        assert "somebody else's" in error
    assert runs.read(two).state == "queued"
    assert ben.told("act", do="stop", run="ben-1")[1] is None
    assert runs.read(two).state == "stopped"
    assert kim.told("act", do="stop", run="anna-1")[1] is None
    assert runs.read(one).state == "stopped"
    assert kim.told("act", do="delete", run="ben-1")[1] is None
    assert not two.exists()


@pytest.mark.parametrize("name", ["../../etc", "..", "/etc", "%2e%2e%2fetc", "anna-1/../..", ".data", ""])
def test_names_from_the_page_never_leave_the_runs_folder(classroom, name):
    anna = classroom.login("Anna")
    _, error = Visitor(client=anna).told("act", do="delete", run=name)
    assert "cannot be that of a run" in error or "there is no run" in error
    answer = anna.get(f"/explorer-runs/{name}/log")
    assert answer.status_code == 404 and "root:" not in answer.text


def test_a_student_cannot_pass_for_the_teacher(classroom):
    kim = classroom.login("Kim", TEACHER)
    assert kim.get("/config").status_code == 200
    for name in ("Kim", "kim", "Kim (teacher)"):
        answer = classroom.client().post("/login", data={"username": name, "password": CLASS})
        assert answer.status_code == 400


def test_what_a_run_has_can_be_taken_away(classroom):
    path = classroom.waiting_run("taken-1", "ben")
    (path / "log.txt").write_text("one\ntwo\n")
    anna = classroom.login("Anna")
    assert anna.get("/explorer-runs/taken-1/log").text == "one\ntwo\n"
    missing = anna.get("/explorer-runs/taken-1/model")
    assert missing.status_code == 404 and "no checkpoint yet" in missing.json()["sentence"]
    assert "model, card, log" in anna.get("/explorer-runs/taken-1/config.json").json()["sentence"]
    command = [
        sys.executable,
        "-m",
        "edm",
        "train",
        f"--config={path / 'config.json'}",
        f"--out={path.parent / 'made'}",
    ]
    subprocess.run([*command, "--device=cpu"], check=True, capture_output=True, timeout=60)
    from edm import checkpoints

    model = anna.get("/explorer-runs/made/model")
    assert "made.safetensors" in model.headers["content-disposition"]
    (path.parent.with_name("model.safetensors")).write_bytes(model.content)
    header = checkpoints.read_header(path.parent.with_name("model.safetensors"))
    assert (header.kind, header.title) == ("model", "Run made")
    assert anna.get("/explorer-runs/made/card").text.startswith("# Run made")
    logs = zipfile.ZipFile(io.BytesIO(anna.get("/explorer-runs/made/tensorboard").content))
    assert any(name.startswith("events.out.tfevents") for name in logs.namelist())
    assert not (path.parent / "made" / "tensorboard").exists(), "taking away writes nothing"
    assert "not measured anything yet" in anna.get("/explorer-runs/taken-1/tensorboard").json()["sentence"]
