"""A run is its folder: whoever starts its worker says no more than where that is."""

import json

import pytest

from edm import runs
from edm.__main__ import main
from edm.files import saved
from edm.runs import beginnings, places
from edm.runs.beginnings import Beginning
from tests.edm.runs import points

QUICK = ["--dataset=two_moons", "--channels=16", "--blocks=1", "--images=256", "--batch=64", "--device=cpu"]
QUICK += ["--validation=8", "--samples=4", "--tick=128", "--checkpoint=128"]


def started(run, number=None):
    """Train a run as a launcher lets it be trained, but in this process; returns the exit code."""
    number = number or places.newest(run)
    places.create(places.request(run, number, "taken"), {})
    return main(["train", f"--run={run}", f"--beginning={number}"])


def test_what_a_terminal_trains_is_in_the_folder_as_if_a_queue_had_started_it(tmp_path):
    run = tmp_path / "run"
    assert main(["train", *QUICK, f"--out={run}", "--keep=2", "--keep-best"]) == 0
    there = beginnings.read(run, 1)
    assert (there.device, there.keep, there.best, there.accept_data) == ("cpu", 2, True, False)
    assert there.settings.images == 256
    assert main(["train", f"--resume={run}", "--images=384", "--lr=1e-4", "--device=cpu"]) == 0
    again = beginnings.read(run, 2)
    assert (again.settings.images, again.settings.lr, again.keep, again.best) == (384, 1e-4, None, False)
    assert again.settings == there.settings.changed(images=384, lr=1e-4)
    assert again.checkpoint == saved.checkpoints(run)[1], "from which it went on"


def test_a_beginning_that_is_written_is_read_back_as_it_was(tmp_path):
    wanted = Beginning(points(lr=3e-4), device="cpu", keep=4, best=True, accept_data=True)
    assert beginnings.read(tmp_path / "a", wanted.write(tmp_path / "a")) == wanted


def test_a_folder_with_settings_is_a_run_to_be_trained(tmp_path, capsys):
    (tmp_path / "config.json").write_text(json.dumps(points().document()))
    assert main(["train", f"--run={tmp_path}"]) == 0
    assert runs.read(tmp_path).state == "finished"
    assert main(["train", f"--run={tmp_path}", "--lr=1e-4"]) == 2
    assert "to go on with other settings use --resume" in capsys.readouterr().err
    assert main(["train", f"--run={tmp_path / 'no'}"]) == 2
    assert "no such folder" in capsys.readouterr().err


def test_a_run_that_waits_is_not_trained_in_a_terminal_too(tmp_path, capsys):
    run = runs.start(points(), tmp_path, "cpu", "a")
    assert main(["train", f"--run={run}"]) == 2
    assert "is queued; stop it first" in capsys.readouterr().err
    assert runs.read(run).state == "queued"


@pytest.mark.parametrize("resumed", [False, True], ids=["new", "resumed"])
def test_a_run_that_waits_since_before_is_started_as_it_was_asked_for(tmp_path, resumed):
    """Requests held all options of the command then, and no word of a launcher."""
    run = runs.start(points(images=128, checkpoint=64), tmp_path, "cpu", "a", keep=1)
    if resumed:
        assert started(run) == 0
        runs.resume(run, images="192", lr="1e-4", accept_data=True)
    number = places.newest(run)
    request = places.read(places.request(run, number, "start"))
    options = request["command"].split()[3:]
    assert ("--accept-data" in options) is resumed
    for name in ("launcher", "best", "accept_data"):
        request.pop(name, None)
    places.write(places.request(run, number, "start"), {**request, "options": options})
    there = beginnings.read(run, number)
    assert (there.keep, there.best, there.accept_data) == (1, True, resumed)
    assert started(run) == 0
    found = runs.read(run)
    assert (found.state, found.images) == ("finished", 192 if resumed else 128)
    assert there.settings.lr == (1e-4 if resumed else 1e-3)
