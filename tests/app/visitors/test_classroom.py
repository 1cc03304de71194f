"""Who may do what: rules, and a class over real HTTP."""

import asyncio
import io
import json
import stat
import subprocess
import sys
import time
import uuid
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from types import SimpleNamespace

import httpx
import numpy as np
import pytest

from app.__main__ import main
from app.uploads import sets
from app.visitors import limits
from app.visitors.delays import Busy, Delays
from app.visitors.limits import Allowance
from app.visitors.names import NAMES_FILE
from app.visitors.passwords import generated
from app.visitors.room import Room
from app.visitors.time_keeper import overdue
from edm import runs
from edm.runs import Run
from edm.training.settings import Training
from tests import loop
from tests.app.conftest import CLASS, TEACHER
from tests.edm.runs import points, tiny

SMALL = Allowance(minutes=1, images=1000, parameters=100_000, batch=64, at_once=1, runs=2)


def opened(tmp_path, **options):
    return Room(tmp_path, local=False, password=CLASS, classroom=True, teacher_password=TEACHER, **options)


def enters(room, name, password=CLASS):
    return loop.run(room.entrance.login(name, password))


def visitor(room, name):
    return room.visitor(SimpleNamespace(username=name))


def inside(room, name, password=CLASS):
    assert enters(room, name, password)
    return visitor(room, name)


def run_of(owner, state="running", name="r", **more):
    return Run(name, None, state, owner=owner, **more)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("app.visitors.entrance.WRONG_SECONDS", 0.01)


def test_on_this_machine_everybody_is_the_owner(tmp_path):
    room = Room(tmp_path)
    someone = visitor(room, None)
    room.check_start(someone, points(images=10**10), [run_of("anna")])
    room.check_control(someone, run_of("anna"))
    assert room.check_upload(someone) == limits.UPLOAD_BYTES
    assert not room.entrance.asks
    told = room.described(someone)
    assert (told["starting"], told["teacher"], told["name"], told["limits"]) == (True, True, None, {})


def test_where_others_can_come_nothing_can_be_started_and_a_sentence_says_how(tmp_path):
    room = Room(tmp_path, local=False, password="secret")
    assert enters(room, "edm", "secret")
    assert not enters(room, "edm", "Secret")
    assert not enters(room, "eve", "secret")
    someone = visitor(room, "edm")
    for check in (
        lambda: room.check_start(someone, points(), []),
        lambda: room.check_control(someone, run_of(None)),
        lambda: room.check_resume(someone, run_of(None), {}, []),
        lambda: room.check_upload(someone),
    ):
        with pytest.raises(ValueError, match="--classroom"):
            check()
    told = room.described(someone)
    assert not told["starting"] and "--classroom" in told["sentence"]


def test_a_teacher_is_told_by_the_password_and_not_by_the_name(tmp_path):
    room = opened(tmp_path)
    kim, ben = inside(room, "Kim", TEACHER), inside(room, "Ben")
    assert kim.teacher and not ben.teacher
    for name in ("Kim", "kim", " KIM ", "Ｋｉｍ", "Kim (teacher)"):
        assert not enters(room, name)
    assert not enters(room, "ben", TEACHER)  # or a student who is in would become one
    assert not visitor(room, "Kim (teacher)").teacher
    assert not visitor(room, "ben").teacher
    assert visitor(room, "nobody").name is visitor(room, None).name is None


def test_after_a_restart_a_student_with_the_teacher_s_name_owns_nothing_of_the_teacher_s(tmp_path):
    kim = inside(opened(tmp_path), "Kim", TEACHER)
    room = opened(tmp_path)
    student = inside(room, "Kim")
    with pytest.raises(ValueError, match="somebody else's"):
        room.check_control(student, run_of(kim.name))


@pytest.mark.parametrize("name", ["", " ", "x" * 41, "a/b", "../..", "<b>", "a:b", "-a", "_", "a\u202eb"])
def test_names_are_letters_and_digits(tmp_path, name):
    assert not enters(opened(tmp_path), name)


@pytest.mark.parametrize("name", ["Anna", "Zoë O'Neil", "李明", "group 3", "j.-p. b"])
def test_names_may_be_of_any_language(tmp_path, name):
    assert inside(opened(tmp_path), name).name == name.lower()


@pytest.mark.parametrize("password", ["", "chalk", CLASS + "x", CLASS[:-1], "édition", " " + CLASS, TEACHER + " x"])
def test_no_other_password_opens(tmp_path, password):
    assert not enters(opened(tmp_path), "Anna", password)


def test_a_word_of_ones_own_keeps_the_name(tmp_path):
    room = opened(tmp_path)
    assert enters(room, "Anna", CLASS + " plum")
    for later in (room, opened(tmp_path)):
        assert enters(later, "anna", CLASS + "  plum ")
        assert not enters(later, "Anna", CLASS + " pear")
        assert not enters(later, "Anna")
    assert enters(room, "Ben")
    assert not enters(room, "Ben", CLASS + " mine")  # whoever comes later cannot lock Ben out
    assert enters(opened(tmp_path), "Ben")
    kept = tmp_path / NAMES_FILE
    assert "plum" not in kept.read_text() and stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_right_passwords_never_wait_for_wrong_ones(tmp_path, monkeypatch):
    monkeypatch.setattr("app.visitors.entrance.WRONG_SECONDS", 30)  # no wrong try is answered while this test runs
    monkeypatch.setattr("app.visitors.delays.LONGEST", 1e9)
    room = opened(tmp_path)

    async def storm():
        guesses = [asyncio.create_task(room.entrance.login(f"n{k}", "guess", "10.0.0.1")) for k in range(190)]
        guesses += [asyncio.create_task(room.entrance.login("Anna", CLASS[:-1], "10.0.0.1")) for _ in range(10)]
        await asyncio.sleep(0)
        assert await room.entrance.login("Anna", CLASS + " plum", "10.0.0.1")
        assert await room.entrance.login("Kim", TEACHER, "10.0.0.1")
        for name in ("n0", "other"):  # a wrong try too many is told so, and not that it is wrong
            with pytest.raises(Busy):
                await room.entrance.login(name, "guess", "10.0.0.2")
        assert await room.entrance.login("Ben", CLASS, "10.0.0.1")
        assert not any(guess.done() for guess in guesses)
        for guess in guesses:
            guess.cancel()
        await asyncio.gather(*guesses, return_exceptions=True)
        monkeypatch.setattr("app.visitors.entrance.WRONG_SECONDS", 0)
        assert not await room.entrance.login("other", "guess", "10.0.0.2")  # they are forgotten once they are over

    loop.run(storm())


def test_wrong_answers_come_one_after_another_for_each_name_and_each_address(monkeypatch):
    waits = []

    async def sleep(seconds):
        waits.append(round(seconds, 1))

    monkeypatch.setattr("app.visitors.delays.asyncio.sleep", sleep)
    delays = Delays()

    def wrong(address, name):
        with suppress(StopIteration):  # nothing in it waits
            delays.wrong(0.5, {("address", address): 0.1, ("name", name): 0.5}).send(None)
        return waits[-1]

    assert [wrong("a", "anna") for _ in range(4)] == [0.5, 1.0, 1.5, 2.0]
    assert [wrong("b", "anna"), wrong("a", "ben"), wrong("b", "carl")] == [2.5, 0.5, 0.5]
    assert [wrong("c", f"n{k}") for k in range(8)] == [0.5] * 5 + [0.6, 0.7, 0.8]
    with pytest.raises(Busy):
        for _ in range(30):
            wrong("d", "anna")
    assert max(waits) <= 10
    for k in range(12_000):
        wrong(f"a{k}", f"n{k}")
    assert len(delays) == 10_000


def test_a_word_that_waits_for_a_processor_is_not_called_wrong(tmp_path, monkeypatch):
    monkeypatch.setattr("app.visitors.entrance.MOST_ASKED", 20)
    room = opened(tmp_path)
    assert enters(room, "Anna", CLASS + " plum")

    async def storm():
        guesses = [room.entrance.login("Anna", f"{CLASS} guess{k}", "10.0.0.1") for k in range(70)]
        answers = await asyncio.gather(*guesses, return_exceptions=True)
        assert answers[:20] == [False] * 20 and all(isinstance(answer, Busy) for answer in answers[20:])
        return await room.entrance.login("Anna", CLASS + " plum", "10.0.0.1")

    assert loop.run(storm())


def test_passwords_are_compared_as_they_are_read(tmp_path):
    decomposed = Room(tmp_path, local=False, password="cafe\u0301 \u2603")
    assert enters(decomposed, "edm", "caf\u00e9 \u2603") and not enters(decomposed, "edm", "cafe \u2603")
    assert not enters(decomposed, "edm", "\ud800") and not enters(decomposed, "edm", "x" * 10**6)
    room = Room(tmp_path, local=False, password="ä", classroom=True, teacher_password="ö ü")
    assert enters(room, "Anna", "a\u0308 \u00df") and enters(room, "anna", "ä ß") and not enters(room, "anna", "ä ss")


def test_a_refused_student_does_not_take_a_name(tmp_path):
    room = opened(tmp_path)
    assert enters(room, "Kim", CLASS + " plum")
    room = opened(tmp_path)  # after a restart
    assert not enters(room, "Kim", CLASS + " pear")
    assert enters(room, "Kim", TEACHER)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"images": 1001}, "images = 1,001: a student's run has at most 1,000"),
        ({"batch": 128}, "batch = 128"),
        ({"samples": 65}, "samples = 65"),
        ({"tick": 1}, r"tick = 1: in a classroom at least 2"),
        ({"checkpoint": 1}, "checkpoint = 1"),
        ({"compile": True}, "compiling is off"),
        ({"architecture": {"channels": 256}}, r"parameters, and a student's at most 100,000; lower channels"),
        ({"data": {"dataset": "mnist", "download": True}}, "nothing can be downloaded"),
        ({"data": {"dataset": "mnist", "path": "/etc"}}, "no paths can be given"),
        ({"data": {"dataset": "folder", "path": "../../etc"}}, "no paths can be given"),
    ],
)
def test_a_student_s_run_has_limits(tmp_path, changes, words):
    room = opened(tmp_path, allowance=SMALL)
    anna = inside(room, "Anna")
    room.check_start(anna, points(), [])
    with pytest.raises(ValueError, match=words):
        room.check_start(anna, points(**changes), [])


def test_a_teacher_has_no_limits_but_for_paths(tmp_path):
    room = opened(tmp_path, allowance=SMALL)
    kim = inside(room, "Kim", TEACHER)
    room.check_start(kim, points(images=10**9, batch=4096), [run_of(kim.name), run_of(kim.name)])
    with pytest.raises(ValueError, match="no paths"):
        room.check_start(kim, points(data={"dataset": "points", "path": "/etc/passwd.csv"}), [])


def test_uploads_can_be_trained_on_and_nothing_beside_them(tmp_path):
    room = opened(tmp_path)
    anna = inside(room, "Anna")
    brought = sets.intake(np.eye(2).tolist(), tmp_path, owner=anna.name)
    room.check_start(anna, points(data=brought["fields"]), [])
    for path in (brought["path"] + "/../points.npy", brought["path"] + "/../../x.npy", "points.npy"):
        with pytest.raises(ValueError, match="no paths"):
            room.check_start(anna, points(data={"dataset": "points", "path": path}), [])


def test_runs_are_counted_by_their_owner(tmp_path):
    room = opened(tmp_path, allowance=SMALL)
    anna = inside(room, "Anna")
    room.check_start(anna, points(), [run_of("anna", "finished"), run_of("ben"), run_of(None), run_of("ben")])
    with pytest.raises(ValueError, match="1 run at once; stop 'r' first"):
        room.check_start(anna, points(), [run_of("anna", "queued")])
    with pytest.raises(ValueError, match="2 runs in all; delete one"):
        room.check_start(anna, points(), [run_of("anna", "finished")] * 2)


def test_students_control_their_own_runs_and_the_teacher_all(tmp_path):
    room = opened(tmp_path)
    anna, kim, stranger = inside(room, "Anna"), inside(room, "Kim", TEACHER), visitor(room, None)
    room.check_control(anna, run_of("anna"))
    for owner in ("ben", None, "", "anna (teacher)", kim.name):
        room.check_control(kim, run_of(owner))
        with pytest.raises(ValueError, match="somebody else's"):
            room.check_control(anna, run_of(owner))
    for check in (lambda: room.check_control(stranger, run_of(None)), lambda: room.check_upload(stranger)):
        with pytest.raises(ValueError, match="log in"):
            check()


def test_going_on_is_limited_like_starting(tmp_path):
    room = opened(tmp_path, allowance=SMALL)
    anna, kim = inside(room, "Anna"), inside(room, "Kim", TEACHER)
    folder = tmp_path / "r"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(points().document(complete=True)))
    mine = replace(run_of("anna", "stopped"), folder=folder)
    room.check_resume(anna, mine, {"images": "900"}, [mine])
    for changes, words in [
        ({"images": "2000"}, "images = 2,000"),
        ({"path": "/etc"}, "path cannot be changed"),
        ({"no_such": "1"}, "no such field"),
    ]:
        with pytest.raises(ValueError, match=words):
            room.check_resume(anna, mine, changes, [mine])
    with pytest.raises(ValueError, match="at once"):
        room.check_resume(anna, mine, {}, [mine, run_of("anna", name="other")])
    room.check_resume(kim, mine, {"images": "2000"}, [mine])


def test_settings_are_brought_within_the_limits(tmp_path):
    room = opened(tmp_path, allowance=SMALL)
    anna, kim = inside(room, "Anna"), inside(room, "Kim", TEACHER)
    wild = Training.parse({"images": 10**6, "batch": 4096, "tick": 1, "samples": 1000, "micro_batch": 1024})
    tame = room.clamped(anna, wild.changed(architecture={"channels": 16}))
    room.check_start(anna, tame, [])
    assert (tame.images, tame.batch, tame.micro_batch) == (1000, 64, None)
    assert room.clamped(kim, wild) == wild


def test_a_student_s_run_ends_when_its_time_is_over(tmp_path):
    room = opened(tmp_path, allowance=SMALL)
    ago = time.time() - 61
    assert overdue(room, run_of("anna", started=ago))
    assert overdue(room, run_of("anna", "paused", started=ago))  # it keeps its device
    assert not overdue(room, run_of("anna", started=time.time() - 59))
    assert not overdue(room, run_of("anna", "finished", started=ago))
    assert not overdue(room, run_of("kim (teacher)", started=ago))
    assert not overdue(Room(tmp_path), run_of("anna", started=ago))


@pytest.mark.parametrize("settings", [points(), tiny()])
def test_the_size_of_a_network_is_known_without_making_it(settings):
    from edm.networks import parameters
    from edm.training.loop import train

    assert limits.parameters(settings) == parameters(next(train(settings)).state.network)


def test_generated_passwords_can_be_read_out():
    assert all(len(p) == 14 and not set(p) & set("0O1Il") for p in (generated() for _ in range(50)))
    assert len({generated() for _ in range(50)}) == 50


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--host", "0.0.0.0"], "--classroom"),
        (["--classroom", "--password", "x", "--teacher-password", "x"], "another one for the teacher"),
        (["--classroom", "--password", "x", "--teacher-password", "x y"], "must not begin with"),
        (["--classroom", "--runs-at-once", "0"], "--runs-at-once 0: must be more than 0"),
        (["--classroom", "--run-minutes", "nan"], "--run-minutes nan"),
    ],
)
def test_a_classroom_that_cannot_be_gets_a_sentence(capsys, options, words):
    assert main(["--no-browser", *options]) == 2
    assert words in capsys.readouterr().err


# over real HTTP


def act(classroom, client, event, **payload):
    """Send an event of the page as a browser does; the answer's (body, error)."""
    config = client.get("/config").json()
    number = next(d["id"] for d in config["dependencies"] if any(t[1] == event for t in d["targets"]))
    session = uuid.uuid4().hex
    body = {"data": [], "fn_index": number, "session_hash": session, "event_data": {"serial": 1, **payload}}
    asked = client.post("/gradio_api/queue/join", json=body)
    assert asked.status_code == 200, asked.text
    found = None
    with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as stream:
        for line in stream.iter_lines():
            news = json.loads(line.removeprefix("data:")) if line.startswith("data:") else {}
            if news.get("msg") in ("process_generating", "process_completed"):
                found = _answer(news["output"].get("data")) or found
            if news.get("msg") == "process_completed":
                break
    return found.get("body"), found.get("error")


def _answer(data):
    """The message in an output, which Gradio may send as a difference to the last."""
    text = data[0] if data else None
    while isinstance(text, list) and text:
        text = text[-1]
    return json.loads(text) if isinstance(text, str) and text.startswith("{") else None


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
    anna, ben, kim = (
        classroom.login("Anna"),
        classroom.login("Ben"),
        classroom.login("Kim", TEACHER),
    )
    for do in ("stop", "delete", "resume"):
        _, error = act(classroom, anna, "act", do=do, run="ben-1")
        assert "somebody else's" in error
    assert runs.read(two).state == "queued"
    assert act(classroom, ben, "act", do="stop", run="ben-1")[1] is None
    assert runs.read(two).state == "stopped"
    assert act(classroom, kim, "act", do="stop", run="anna-1")[1] is None
    assert runs.read(one).state == "stopped"
    assert act(classroom, kim, "act", do="delete", run="ben-1")[1] is None
    assert not two.exists()


@pytest.mark.parametrize("name", ["../../etc", "..", "/etc", "%2e%2e%2fetc", "anna-1/../..", ".data", ""])
def test_names_from_the_page_never_leave_the_runs_folder(classroom, name):
    anna = classroom.login("Anna")
    _, error = act(classroom, anna, "act", do="delete", run=name)
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
