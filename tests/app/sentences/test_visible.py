"""What leaves for a visitor names no folder of the server, whoever has written the text."""

import io
import json
import shlex
import time
import zipfile
from pathlib import Path

import pytest

from app.sentences.visible import Names, Veil, without_folders
from app.training.board import AGE
from app.work import snippets
from edm import checkpoints, runs
from edm.base.resources import CODE as ROOT
from edm.runs import places
from edm.training.loop import train
from edm.training.recording import record
from tests import loop
from tests.app.conftest import TEACHER
from tests.asking import Visitor
from tests.edm.runs import points


@pytest.fixture(scope="module")
def kim(classroom):
    client = classroom.login("kim", TEACHER)
    yield client
    client.close()


@pytest.fixture(scope="module")
def brought(kim):
    """What the server says of an upload."""
    answer = kim.post("/explorer-uploads", json={"points": [[k % 5, k % 3] for k in range(40)]})
    return answer.json()["dataset"]


@pytest.fixture(scope="module")
def learned(classroom, brought):
    """The folder of a run of uploaded data; all that it has written holds whole paths."""
    data = {"dataset": "points", "path": str(classroom.folder / ".data" / brought["id"] / "points.npy")}
    settings = points(data=data)
    path = runs.start(settings, classroom.folder, "cpu", "of-an-upload", owner="kim (teacher)")
    places.create(places.request(path, 1, "taken"), {"machine": "gone", "uptime": 0, "time": 0})
    for _ in record(train(settings), path):
        pass
    said = f'$ {runs.read(path).command}\n  File "{ROOT}/edm/models.py", line 3\n  {Path.home()}/x: {data["path"]}\n'
    (path / "log.txt").write_text(said)
    sentence = f"the data cannot be read: {data['path']} is not a whole .npy file, see {ROOT}/README.md"
    places.write(path / "status.json", {"number": 1, "state": "failed", "reason": "data", "sentence": sentence})
    assert str(classroom.folder) in runs.read(path).command
    time.sleep(2 * AGE)  # until the server looks again
    return path


def secrets(folder):
    return {f"{folder}", f"{folder.parent}", f"{ROOT}", f"{Path.home()}/", "/usr/lib/", "/srv/"}


def leaks(folder, answer: str | bytes | object) -> list[str]:
    text = answer if isinstance(answer, str | bytes) else json.dumps(answer)
    text = text.encode() if isinstance(text, str) else text
    return [secret for secret in secrets(folder) if secret.encode() in text]


def test_what_a_page_hears_names_no_folder(classroom, kim, brought, learned):
    name, own = learned.name, f"own:{brought['id']}"
    page = Visitor(client=kim)
    heard = {
        "upload": brought,
        "poll": page.told("poll", clock="", runs={name: {}}, models="", datasets=None),
        "plan": page.told("plan", values={"data": own, "images": "640"}),
        "start": page.told("act", do="start", values={"data": own, "images": "640", "name": name}),
        "of another": page.told("plan", values={"data": "own:/srv/secret/points.npy"}),
        "resume": page.told("act", do="resume", run=name, changes={"images": "/srv/secret"}),
        "forget": page.told("act", do="forget", data=own),
        "gone": page.told("act", do="stop", run="nothing"),
        "config": kim.get("/config").content,
        "page": kim.get("/").content,
    }
    ((row,),) = [[row for row in heard["poll"][0]["rows"] if row["name"] == name]]
    file = f"runs/.data/{brought['id']}/points.npy"
    assert f"--path={file}" in row["command"], "it is told, but as seen from the runs folder"
    assert row["command"].endswith("--out=runs/of-an-upload")
    assert row["sentence"] == f"the data cannot be read: {file} is not a whole .npy file, see README.md"
    assert heard["poll"][0]["runs"][name]["log"][1:] == ['  File "edm/models.py", line 3', f"  ~/x: {file}"]
    assert f"--path={file}" in heard["plan"][0]["command"]
    assert heard["of another"][0]["error"]
    for what in ("start", "resume", "forget", "gone"):
        assert heard[what][1], "refused"
    assert {what: found for what, answer in heard.items() if (found := leaks(classroom.folder, answer))} == {}


def test_what_a_visitor_takes_away_names_no_folder(classroom, kim, learned, tmp_path):
    taken = {what: kim.get(f"/explorer-runs/{learned.name}/{what}") for what in ("model", "card", "log", "tensorboard")}
    assert {answer.status_code for answer in taken.values()} == {200}
    for what, answer in taken.items():
        assert leaks(classroom.folder, answer.content) == [], what
    with zipfile.ZipFile(io.BytesIO(taken["tensorboard"].content)) as archive:
        assert archive.namelist()
        for name in archive.namelist():
            assert leaks(classroom.folder, name.encode() + archive.read(name)) == []
    assert "--path=points.npy" in taken["card"].text, "whoever has the file can train it again"
    (tmp_path / "taken.safetensors").write_bytes(taken["model"].content)
    header = checkpoints.read_header(tmp_path / "taken.safetensors")
    assert header.training["data"]["path"] == "points.npy"
    assert '  File "edm/models.py", line 3' in taken["log"].text
    assert int(taken["log"].headers["content-length"]) == len(taken["log"].content)


def test_refusals_name_no_folder(classroom, kim, learned):
    newest = max((learned / "checkpoints").glob("*.safetensors"))
    whole = newest.read_bytes()
    for path in (learned / "checkpoints").glob("*.safetensors"):
        path.write_bytes(whole[:1000])
    try:
        answers = [kim.get(f"/explorer-runs/{name}/model") for name in (learned.name, "nothing", "../etc")]
        answers += [kim.post("/explorer-uploads", json={"points": [["/srv/x/y"]]})]
    finally:
        newest.write_bytes(whole)
    for answer in answers:
        assert answer.status_code >= 400
        assert leaks(classroom.folder, answer.content) == []


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("'--path=/srv/my class/runs/.data/a/set.zip' --x", "'--path=my runs/.data/a/set.zip' --x"),
        ("see /srv/my class/my runs.", "see my runs."),
        ("/srv/my class/my runs", "my runs"),
        ("/srv/my class/my runs-2/x", "/srv/my class/my runs-2/x"),
        (f"{ROOT}/edm/x.py:3", "edm/x.py:3"),
        (f"({ROOT})", "(.)"),
        (f"--a={Path.home()}/b", "--a=~/b"),
        (f"a{Path.home()}/b", f"a{Path.home()}/b"),
    ],
)
def test_known_folders_are_called_by_their_names(text, seen):
    text = text.replace("my class/runs", "my class/my runs")
    names = Names("/srv/my class/my runs")
    assert names.known(text) == seen
    for line in (text, f"first\n{text}", f"first\t{text}"):
        once = json.dumps({"text": line, "more": json.dumps([line])})
        found = json.loads(names.body(once.encode()))
        assert found == {"text": line.replace(text, seen), "more": json.dumps([line.replace(text, seen)])}


@pytest.mark.parametrize("folder", ["/srv/runs", "/srv/my class/runs", "/srv/it's/runs", "/srv/läufe"])
def test_what_the_owner_of_the_machine_pastes_keeps_the_folder_that_it_needs(folder):
    setting, command = snippets.head(folder), f"EDM_RUNS={shlex.quote(folder)} python -m edm sample"
    model = f"edm.models.register({folder + '/a.safetensors'!r}, 'a')"
    for text in (setting, command, model):
        once = json.dumps({"text": text, "more": json.dumps([text])})
        for made in (text, once, json.dumps(once), once.replace("'", r"\u0027")):
            assert Names(folder, own=True).body(made.encode()) == made.encode()
            assert folder.encode() not in Names(folder).body(made.encode())
            assert Names(folder, own=True).known(f"{made} {folder}/b").endswith(f" {Path(folder).name}/b")


def test_a_folder_with_letters_of_any_kind_is_known():
    names, path = Names("/srv/größe/läufe"), "/srv/größe/läufe/a"
    for made in (path, json.dumps(path), json.dumps(json.dumps({"x": path}))):
        assert b"srv" not in names.body(made.encode())
    assert names.body(b"\xff /srv/gr\xc3\xb6\xc3\x9fe/l\xc3\xa4ufe \xfe") == "\udcff läufe \udcfe".encode(
        errors="surrogateescape"
    )


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("/mnt/a/b.npy is not whole", "b.npy is not whole"),
        ("'/mnt/my set/b c.npy' is not whole", "'b c.npy' is not whole"),
        ("'--path=/mnt/my set/b.zip'", "'--path=b.zip'"),
        ("--path=/mnt/b.zip --out=/tmp/x/", "--path=b.zip --out=x"),
        ('File "/usr/lib/python3/threading.py", line 3', 'File "threading.py", line 3'),
        ("[Errno 28] No space left: /tmp/a/b", "[Errno 28] No space left: b"),
        ("files are sent to /explorer-uploads", "files are sent to /explorer-uploads"),
        ("'/explorer-uploads' or '/'", "'/explorer-uploads' or '/'"),
        ("at http://127.0.0.1:7860/explorer-runs/a/log", "at http://127.0.0.1:7860/explorer-runs/a/log"),
        ("700 images/s, 3 / 4 and 1/2/3, ../a/b, runs/a/b", "700 images/s, 3 / 4 and 1/2/3, ../a/b, runs/a/b"),
    ],
)
def test_other_files_are_told_by_their_last_name(text, seen):
    assert without_folders(text) == seen


def test_a_long_log_takes_no_longer_for_being_strange():
    for text in ("'/a" * 300_000, "'" + "/a" * 300_000, "/" * 600_000, " /a" * 200_000, f" {ROOT}" * 20_000):
        assert str(ROOT) not in Names("/srv/runs").text(text)


def sent(messages, folder="/srv/runs"):
    """What a server behind the veil sends."""

    async def app(scope, receive, send):
        for message in messages:
            await send(message)

    found = []

    async def keep(message):
        found.append(message)

    loop.run(Veil(app, folder)({"type": "http"}, None, keep))
    return found


def answer(kind, *bodies, status=200, length=True):
    headers = [(b"content-type", kind.encode()), (b"etag", b"x")]
    headers += [(b"content-length", str(sum(map(len, bodies))).encode())] if length else []
    pieces = [{"type": "http.response.body", "body": body, "more_body": True} for body in bodies]
    pieces[-1]["more_body"] = False
    return [{"type": "http.response.start", "status": status, "headers": headers}, *pieces]


def test_the_veil_measures_anew_what_it_changes():
    (start, body) = sent(answer("application/json; charset=utf-8", b'{"a": "/srv/ru', b'ns/b"}'))
    assert body["body"] == b'{"a": "runs/b"}'
    assert dict(start["headers"]) == {b"content-type": b"application/json; charset=utf-8", b"etag": b"x",
                                      b"content-length": b"15"}  # fmt: skip
    head = [answer("text/html", b"x" * 90)[0], {"type": "http.response.body", "body": b""}]
    assert sent(head) == head


def test_streams_and_other_things_go_through_as_they_come():
    stream = answer("text/event-stream", b"data: /srv/runs/a\n\n", b"data: b\n\n", length=False)
    assert [message.get("body") for message in sent(stream)[1:]] == [b"data: runs/a\n\n", b"data: b\n\n"]
    for kind in ("application/octet-stream", "image/png", "text/javascript"):
        picture = answer(kind, b"/srv/runs", b"/a")
        assert sent(picture) == picture
