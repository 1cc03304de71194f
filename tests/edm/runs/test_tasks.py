"""Work on a run's checkpoint, in the queue of runs: it waits, begins, is stopped, killed and gone on with like one."""

import json
import shutil

import pytest

import edm
from edm import runs
from edm.__main__ import main
from edm.data.folders import ImageFolder
from edm.evaluation import evaluation_of
from edm.experiments.many import Many
from edm.files import checkpoints, saved
from edm.runs import clocks, launchers, places, processes, reading, tasks
from edm.runs.kinds import KINDS, Evaluating
from edm.training import recording
from tests.edm.runs import Memory, points, tiny
from tests.edm.runs.stubs import say, until

SAMPLE = {"count": 40, "sampling": {"steps": 1}}
EVALUATE = {"count": 24, "reference": 30, "sampling": {"steps": 1}, "computing": {"batch": 8}}
GONE = {"host": clocks.host(), "machine": clocks.machine(), "pid": 2**22 + 1, "began": "never"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder of runs: digits, and points, which have both finished."""
    folder = tmp_path_factory.mktemp("trained")
    for name, settings in [
        ("digits", tiny(images=16, tick=16, checkpoint=16, validation=1, samples=1)),
        ("points", points(images=64, tick=64, checkpoint=64)),
    ]:
        for _ in recording.record(edm.train(settings), folder / name):
            pass
        places.write(folder / name / "config.json", settings.document(complete=True))
    return folder


@pytest.fixture
def folder(tmp_path, trained):
    return shutil.copytree(trained, tmp_path / "runs")


@pytest.fixture
def memory(monkeypatch):
    launcher = Memory()
    monkeypatch.setitem(launchers.LAUNCHERS, launchers.LOCAL, launcher)
    return launcher


def done(path, number=1):
    """Do a task as a launcher lets it be done, but in this process; returns how it has ended."""
    places.create(places.request(path, number, "taken"), {})
    assert main([tasks.read(path).kind, f"--run={path}", f"--beginning={number}"]) == 0
    return tasks.read(path)


def contents(place):
    return {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}


def test_a_task_waits_for_the_device_of_a_run_and_a_run_for_that_of_a_task(folder, memory):
    first = tasks.start(folder / "digits", "sample", SAMPLE, owner="anna")
    second = runs.start(points(), folder, "cpu", "second")
    assert [task.state for task in tasks.of(folder / "digits")] == ["queued"]
    assert runs.advance(folder) == [first]
    assert runs.advance(folder) == []
    assert memory.submitted == [("sample-1", "cpu")]
    assert (tasks.read(first).state, runs.read(second).state) == ("running", "queued")
    memory.living[0] = False
    third = tasks.start(folder / "points", "evaluate", EVALUATE)
    assert runs.advance(folder) == [second], "which has waited longer"
    memory.living[1] = False
    assert runs.advance(folder) == [third]
    assert {run.name for run in runs.all_runs(folder)} == {"digits", "points", "second"}, "a task is no run"


def test_what_a_task_does_stands_in_its_folder(folder):
    path = tasks.start(folder / "digits", "sample", SAMPLE, "cpu", owner="anna")
    task = tasks.read(path)
    assert (task.name, task.kind, task.run, task.images, task.owner) == ("sample-1", "sample", "digits", 16, "anna")
    assert (task.done, task.total, task.result, task.settings) == (0, 40, None, Many.parse(SAMPLE))
    assert reading.read(path).command == f"python -m edm sample --run={path} --device=cpu"
    assert tasks.start(folder / "digits", "sample", SAMPLE, "cpu", name="mine").name == "mine"
    assert [task.name for task in tasks.of(folder / "digits")] == ["mine", "sample-1"]


@pytest.mark.parametrize("zipped", [False, True])
def test_many_images_lie_in_the_tasks_folder_though_the_checkpoint_is_gone(folder, zipped):
    path = tasks.start(folder / "digits", "sample", {**SAMPLE, "zip": zipped}, "cpu")
    (folder / "digits" / "checkpoints" / "00000000016.safetensors").unlink()  # its run may go on without it
    task = done(path)
    assert (task.state, task.done, task.total) == ("finished", 40, 40)
    assert task.result == {"images": 40, "first": 0, "place": "images.zip" if zipped else "images"}
    assert ImageFolder(path / task.result["place"], channels=1).size == 40
    assert not (path / tasks.MODEL).exists(), "nobody needs it any more"
    assert not task.resumable


def test_an_evaluation_leaves_the_report_of_the_library(folder):
    task = done(tasks.start(folder / "points", "evaluate", EVALUATE, "cpu"))
    assert (task.state, task.done, task.total) == ("finished", 24, 24)
    denoiser = checkpoints.load(saved.newest(folder / "points"))
    report = edm.last(evaluation_of(Evaluating.parse(EVALUATE), denoiser, points().data, batch=8))
    same = {name: value for name, value in report.document().items() if name != "seconds"}
    assert {name: value for name, value in task.result.items() if name != "seconds"} == json.loads(json.dumps(same))
    assert not (task.folder / "kept").exists()


@pytest.mark.parametrize(("run", "kind", "settings"), [("digits", "sample", SAMPLE), ("points", "evaluate", EVALUATE)])
def test_stopped_and_resumed_it_ends_as_if_undisturbed(folder, run, kind, settings):
    whole = done(tasks.start(folder / run, kind, settings, "cpu"))
    path = tasks.start(folder / run, kind, settings, "cpu")
    places.create(places.request(path, 1, "stop"), {})
    task = done(path)
    assert (task.state, task.resumable) == ("stopped", True)
    tasks.resume(path)
    assert tasks.read(path).state == "queued"
    task = done(path, 2)
    assert task.state == "finished"
    if kind == "sample":
        assert contents(path / "images") == contents(whole.folder / "images")
    else:
        assert {**task.result, "seconds": 0} == {**whole.result, "seconds": 0}


def test_killed_it_is_gone_on_with(folder):
    path = tasks.start(folder / "digits", "sample", SAMPLE, "cpu")
    places.create(places.request(path, 1, "taken"), {})
    say(path, process=processes.Process(**GONE), images=16, total=40)
    task = tasks.read(path)
    assert (task.state, task.done) == ("interrupted", 16)
    assert task.sentence.endswith("killed, out of memory, or the machine went down; resume it")
    tasks.resume(path, "cpu")
    assert done(path, 2).state == "finished"


def test_a_task_that_is_asked_to_stop_and_does_not_is_ended_by_force(folder, memory):
    memory.listens = False
    path = tasks.start(folder / "digits", "sample", SAMPLE)
    runs.advance(folder)
    tasks.stop(path, grace=0)
    assert tasks.read(path).state == "stopping"
    until(lambda: runs.advance(folder) == [] and (0, True) in memory.ended)
    assert tasks.read(path).state == "stopped"
    assert places.read(places.request(path, 1, "term")) or memory.ended == [(0, True)]


def test_a_task_that_waits_is_stopped_at_once_and_another_may_be_deleted(folder):
    path = tasks.start(folder / "digits", "sample", SAMPLE)
    with pytest.raises(edm.Refused, match="'digits' has a task that is queued, 'digits/sample-1'; stop it first"):
        runs.delete(folder / "digits")
    tasks.stop(path)
    assert tasks.read(path).state == "stopped"
    tasks.delete(path)
    assert tasks.of(folder / "digits") == []
    tasks.start(folder / "digits", "sample", SAMPLE, name="last")
    tasks.stop(folder / "digits" / "tasks" / "last")
    runs.delete(folder / "digits")
    assert [run.name for run in runs.all_runs(folder)] == ["points"]


def test_why_a_task_has_ended_is_a_sentence(folder):
    path = tasks.start(folder / "digits", "evaluate", {**EVALUATE, "dataset": "scenes"}, "cpu")
    places.create(places.request(path, 1, "taken"), {})
    assert main(["evaluate", f"--run={path}", "--beginning=1"]) == 2
    task = tasks.read(path)
    assert (task.state, task.resumable) == ("failed", True)
    assert "the model makes samples of shape" in task.sentence


@pytest.mark.parametrize(
    ("name", "kind", "settings", "words"),
    [
        ("digits", "paint", {}, "no task 'paint'; there are evaluate, sample"),
        ("digits", "sample", {"count": 0}, "count = 0"),
        ("digits", "sample", {"label": "cat"}, "label = 'cat': must be one of '0', '1'"),
        ("digits", "evaluate", {"protocol": "mine"}, "protocol = 'mine'"),
        ("digits", "evaluate", {"inception": "nowhere.pkl"}, "inception = nowhere.pkl: there is no such file"),
        ("points", "sample", {}, "makes points, not images"),
        ("nobody", "sample", {}, "holds no checkpoints"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_made(folder, name, kind, settings, words):
    with pytest.raises(edm.Refused, match=words):
        tasks.start(folder / name, kind, settings)
    assert not any((folder / name).glob("tasks/*"))


def test_names_and_checkpoints_that_are_not_there_are_refused(folder):
    tasks.start(folder / "digits", "sample", SAMPLE, name="a")
    for named, words in [({"name": "a"}, "a task 'a' already"), ({"checkpoint": 5}, "no checkpoint of 5 images")]:
        with pytest.raises(edm.Refused, match=words):
            tasks.start(folder / "digits", "sample", SAMPLE, **named)
    with pytest.raises(edm.Refused, match="is no task of a run"):
        tasks.read(folder / "digits")
    with pytest.raises(edm.Refused, match="only one that has ended early"):
        tasks.resume(folder / "digits" / "tasks" / "a")
    with pytest.raises(edm.Refused, match="has no task 'b'"):
        runs.find(folder, "digits/b")
    with pytest.raises(edm.Refused, match="cannot be that of a run"):
        runs.find(folder, "digits/../../etc")


def test_a_command_puts_its_work_into_the_queue_and_runs_tells_of_it(folder, memory, capsys, monkeypatch):
    monkeypatch.setenv("EDM_RUNS", str(folder))
    model = str(folder / "points" / "checkpoints" / "00000000064.safetensors")
    assert main(["sample", "--model=run-digits_16", "--queue", "--seeds=8-11", "--steps=1", "--device=cpu"]) == 0
    assert main(["evaluate", model, "--queue", "--count=24", "--batch=8", "--steps=1", "--reference=30"]) == 0
    (first,), (newest,) = tasks.of(folder / "digits"), tasks.of(folder / "points")
    assert (first.settings.count, first.settings.first, first.state) == (4, 8, "running")
    assert (newest.settings.count, newest.settings.computing.batch, newest.state) == (24, 8, "queued")
    assert main(["runs", "stop", "points/evaluate-1"]) == 0
    assert main(["runs", "resume", "points/evaluate-1"]) == 0
    assert done(newest.folder, 2).state == "finished"
    capsys.readouterr()
    assert main(["runs", "list"]) == 0
    listed = capsys.readouterr().out
    assert "digits/sample-1" in listed
    assert "24 / 24" in listed
    assert main(["runs", "show", "points/evaluate-1"]) == 0
    assert "sliced Wasserstein distance" in capsys.readouterr().out
    assert main(["runs", "delete", "points/evaluate-1"]) == 0
    assert tasks.of(folder / "points") == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sample", "--model=digits_edm", "--queue"], "'digits_edm' is none; leave it out, or name a run"),
        (["sample", "--model=run-digits_16", "--queue", "--out=a/"], "leave out --out"),
        (["evaluate", "digits", "--queue", "--json"], "leave out --own, --keep, --save-stats, --json"),
        (["runs", "resume", "digits/a", "--lr=1"], "digits/a is a task, which goes on as it was asked for"),
        (["sample", "--run=digits/tasks/a", "--steps=3"], "--run does a task as its folder says"),
        (["evaluate", "--run=digits/tasks/a"], "it is to sample: python -m edm sample --run"),
        (["evaluate"], "name a model"),
    ],
)
def test_what_a_queue_cannot_do_is_refused_with_what_it_can(folder, arguments, words, monkeypatch, capsys):
    monkeypatch.setenv("EDM_RUNS", str(folder))
    monkeypatch.chdir(folder)
    tasks.start(folder / "digits", "sample", SAMPLE, name="a")
    assert main(arguments) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("kind", KINDS)
def test_the_settings_of_every_kind_are_a_document_and_its_total_is_known(kind):
    known = KINDS[kind]
    assert known.settings.parse(known.settings().document(complete=True)) == known.settings()
    assert known.total(known.settings()) == {"sample": 50_000, "evaluate": 2000}[kind]
    assert Evaluating(protocol="paper").count is None
    assert KINDS["evaluate"].total(Evaluating(protocol="paper")) == 150_000
