"""What writers that were killed leave behind is swept up; what else begins with a dot is somebody's own."""

import os
import time

import pytest

from edm import runs
from edm.runs import keeping, places
from edm.runs.worker import Worker
from edm.training import recording
from edm.training.loop import train
from tests.edm.runs import points

OURS = [
    "checkpoints/.00000000640.safetensors.k3_x0a9q",
    "checkpoints/.tmp0tgd0y",  # as safetensors itself writes
    "samples/.00000000640.png.abcdefgh",
    "samples/.00000000640.npz.abcdefgh",
    ".config.json.abcdefgh",
    ".data.npz.abcdefgh",
    ".metrics.jsonl.abcdefgh",
    ".history.json.abcdefgh",
    ".status.json.abcdefgh",
]
THEIRS = [
    "checkpoints/._00000000640.safetensors",
    "checkpoints/best.safetensors",
    "checkpoints/._.tmp0tgd0",
    "checkpoints/.DS_Store",
    "checkpoints/.tmpfolder/inside",
    "checkpoints/.best.safetensors.old",
    "checkpoints/.tmp-notes",
    "samples/._00000000640.png",
    "samples/.nfs000000000000001",
    ".config.json.swp",
    "._config.json",
    ".notes.json.bak",
    ".gitignore",
]
LATE = [  # others may be writing just now
    "requests/.0002.stop.json.abcdefgh",
    "requests/.moment.json.abcdefgh",
    "tensorboard/.new.abcdefgh/events",
]


def put(run, names, age=0.0):
    for path in (run / name for name in names):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
        for made in (path, path.parent):
            os.utime(made, (time.time() - age,) * 2)


def left(run, names):
    return [name for name in names if (run / name).exists()]


def trained(run, resume=None):
    settings = points()
    with Worker(run, None, settings) as worker:
        for _ in recording.record(worker.watch(train(settings, resume=resume)), run):
            pass


def test_a_run_that_begins_or_goes_on_sweeps_up_its_own(tmp_path):
    for number in range(2):
        put(tmp_path / "a", [*OURS, *THEIRS, *LATE])
        put(tmp_path / "b", OURS)
        trained(tmp_path / "a", resume=sorted((tmp_path / "a" / "checkpoints").glob("0*"))[0] if number else None)
        assert left(tmp_path / "a", OURS) == []
        assert left(tmp_path / "a", [*THEIRS, *LATE]) == [*THEIRS, *LATE]
        assert left(tmp_path / "b", OURS) == OURS, "another run's are its own writer's"


def test_gc_sweeps_up_after_runs_that_are_over_only(tmp_path):
    trained(tmp_path / "over")
    (tmp_path / "waits").mkdir()
    places.write(tmp_path / "waits" / "config.json", {})
    (tmp_path / "waits" / "requests").mkdir()
    places.create(places.request(tmp_path / "waits", 1, "start"), {"device": "cpu"})
    with Worker(tmp_path / "lives", None, points()):
        for name in ("over", "waits", "lives"):
            put(tmp_path / name, [*OURS, *THEIRS, *LATE])
        runs.gc(tmp_path)
        assert left(tmp_path / "over", OURS) == []
        assert left(tmp_path / "over", [*THEIRS, *LATE]) == [*THEIRS, *LATE]
        for name in ("waits", "lives"):
            assert left(tmp_path / name, [*OURS, *THEIRS]) == [*OURS, *THEIRS]
        put(tmp_path / "over", LATE, age=7200)
        put(tmp_path / "over", THEIRS, age=7200)
        runs.gc(tmp_path)
        assert left(tmp_path / "over", LATE) == []
        assert left(tmp_path / "over", THEIRS) == THEIRS


@pytest.mark.parametrize("shift", [3600.0, -3600.0])
def test_a_file_servers_clock_does_not_matter(tmp_path, shift):
    put(tmp_path, OURS, age=shift)
    found = keeping.halves(tmp_path, keeping.RECORD) + keeping.halves(tmp_path, keeping.STATUS)
    assert sorted(os.path.relpath(path, tmp_path) for path in found) == sorted(OURS)
