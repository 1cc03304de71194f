"""A step that does not fit into memory is tried again with half as many images at once, and that is said."""

import json

import pytest
import torch
from safetensors import safe_open

from edm import runs
from edm.__main__ import main
from edm.base import flat
from edm.base.errors import during
from edm.runs import causes, launchers, places, retries
from edm.runs.beginnings import read as beginning
from edm.runs.worker import Worker
from edm.training.events import BUILDING, DRAWING
from edm.training.loss import Loss
from tests.edm.runs import Memory, points
from tests.edm.runs.stubs import say, state

WORDS = "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.18 GiB"
LARGE = torch.OutOfMemoryError(WORDS)


@pytest.fixture
def small(monkeypatch):
    """Makes steps that take more than so many images at once fail, from an image on."""
    plain = Loss.__call__

    def make(most, first=0):
        def loss(self, denoiser, y, *more):
            if len(y) > most and int(more[-1][0]) >= first:
                raise torch.OutOfMemoryError(WORDS)
            return plain(self, denoiser, y, *more)

        monkeypatch.setattr(Loss, "__call__", loss)

    return make


def trained(path, **changes):
    return main(["train", *flat.options(points(**changes)), "--device=cpu", f"--out={path}"])


def weights(path):
    with safe_open(runs.read(path).checkpoint, framework="pt") as file:
        return {name: file.get_tensor(name).numpy().tobytes() for name in list(file.keys())}


def test_it_begins_anew_with_half_as_many_at_once_until_they_fit_and_says_so(tmp_path, small, capsys):
    short = {"images": 128, "tick": 128}
    assert trained(tmp_path / "whole", micro_batch=16, **short) == 0
    small(16)
    assert trained(tmp_path / "halved", **short) == 0
    found, said = runs.read(tmp_path / "halved"), capsys.readouterr().err
    assert (found.state, found.images) == ("finished", 128)
    for micro in (32, 16):
        sentence = f"a step did not fit into memory: it began anew with micro_batch = {micro}"
        assert sentence in found.sentence and sentence in said
    assert json.loads((tmp_path / "halved" / "config.json").read_text())["micro_batch"] == 16, "so does who resumes it"
    assert weights(tmp_path / "halved") == weights(tmp_path / "whole")


def test_it_goes_on_from_its_last_checkpoint(tmp_path, small, capsys):
    small(32, first=192)
    assert trained(tmp_path / "a", images=256, tick=64) == 0
    assert "it goes on from 00000000128.safetensors with micro_batch = 32" in capsys.readouterr().err
    lines = [json.loads(line)["images"] for line in (tmp_path / "a" / "metrics.jsonl").read_text().splitlines()]
    assert lines == [64, 128, 192, 256]
    assert runs.read(tmp_path / "a").state == "finished"


def test_one_image_is_the_least_and_then_it_fails_as_before(tmp_path, small, capsys):
    small(0)
    assert trained(tmp_path / "a", batch=4, images=4, tick=4) == 2
    found = runs.read(tmp_path / "a")
    assert (found.state, found.reason) == ("failed", "memory")
    assert [changes for _, changes in found.remedies] == [{"checkpointing": "true"}]
    assert capsys.readouterr().err.count("a step did not fit") == 2


def test_what_fewer_images_do_not_help_is_not_tried_again():
    settings = points()
    assert retries.smaller(LARGE, settings).micro_batch == 32
    assert retries.smaller(LARGE, settings, 32).micro_batch == 16, "of what one device takes"
    assert retries.smaller(LARGE, points(micro_batch=1)) is None
    assert retries.smaller(RuntimeError("CUDA error: an illegal memory access"), settings) is None
    for what in (BUILDING, DRAWING):
        with pytest.raises(torch.OutOfMemoryError) as caught, during(what):
            raise torch.OutOfMemoryError(WORDS)
        assert retries.smaller(caught.value, settings) is None


@pytest.fixture
def several(folder, monkeypatch):
    """A run of two processes, as torchrun has started them: its directory, and a launcher whose worker is torchrun."""
    launcher = Memory()
    monkeypatch.setitem(launchers.LAUNCHERS, "memory", launcher)
    path = runs.start(points(), folder, "cpu*2", "a", owner="Kim", launcher="memory")
    runs.advance(folder)

    def become(rank, restart, most=16):
        told = {"RANK": rank, "WORLD_SIZE": 2, "TORCHELASTIC_RESTART_COUNT": restart, "TORCHELASTIC_MAX_RESTARTS": most}
        for name, value in told.items():
            monkeypatch.setenv(name, str(value))

    return path, launcher, become


def test_a_process_of_several_has_all_of_them_begin_anew_in_the_same_place(folder, several):
    path, launcher, become = several
    become(rank=1, restart=0)
    assert retries.number_of(path, 1) == 1
    say(path, process={"job": 0}, device="cpu*2")
    assert retries.hand_over(path, 1, points(micro_batch=16))
    assert retries.hand_over(path, 1, points(micro_batch=8)), "the other one is out of memory, too"
    assert retries.hand_over(path, 1, None), "one that has lost the others goes with them"
    assert places.newest(path) == 2
    found = runs.read(path)
    assert (found.state, found.owner, found.place, found.number) == ("running", "Kim", "cpu*2", 2)
    waiting = runs.start(points(), folder, "cpu", "b", launcher="memory")
    assert runs.advance(folder) == [], "it keeps its seat meanwhile"
    for rank in (0, 1):
        become(rank, restart=1)
        assert retries.number_of(path, 1) == 2
    what = beginning(path, 2)
    assert (what.settings.micro_batch, what.device, what.keep) == (16, "cpu", 3)
    assert what.note == "a step did not fit into memory: it began anew with micro_batch = 16"
    become(rank=0, restart=1)
    assert retries.hand_over(path, 2, points(micro_batch=8))
    become(rank=1, restart=2)
    assert retries.number_of(path, 1) == 3 and beginning(path, 3).settings.micro_batch == 8
    say(path, number=3, process={"job": 0}, state="finished")
    assert state(path) == "finished"
    assert runs.advance(folder) == [waiting]
    assert launcher.submitted == [("a", "cpu*2"), ("b", "cpu")]


def test_what_was_asked_of_a_run_meanwhile_holds_for_what_goes_on_for_it(several):
    path, _, become = several
    become(rank=0, restart=0)
    say(path, process={"job": 0})
    runs.stop(path, grace=7)
    assert retries.hand_over(path, 1, points(micro_batch=16))
    assert state(path) == "stopping" and places.read(places.request(path, 2, "stop"))["grace"] == 7


def test_processes_that_are_started_again_though_their_run_is_over_end(folder, several):
    path, _, become = several
    say(path, process={"job": 0}, state="failed", reason="diverged", sentence="it has diverged")
    become(rank=0, restart=1)
    assert retries.number_of(path, 1) is None
    assert main(["train", f"--run={path}", "--beginning=1"]) == 0
    runs.resume(path)
    runs.advance(folder)
    assert retries.number_of(path, 1) is None, "what somebody has resumed since is not theirs"
    assert state(path) == "running"


def test_where_nobody_would_start_them_again_it_is_told_instead(several, tmp_path):
    path, _, become = several
    become(rank=1, restart=0, most=0)
    assert not retries.hand_over(path, 1, points(micro_batch=16))
    become(rank=1, restart=16)
    assert not retries.hand_over(path, 1, points(micro_batch=16))
    become(rank=1, restart=0)
    assert not retries.hand_over(tmp_path / "terminal", 1, points(micro_batch=16)), "no queue has started it"


def test_what_ends_a_process_that_does_not_lead_is_what_ends_the_run(several):
    path, launcher, _ = several
    causes.tell(path, 1, LARGE, points(), 32)
    causes.tell(path, 1, RuntimeError("CUDA error: uncorrectable ECC error encountered"), points(), 32)
    lost = RuntimeError("[../gloo/pair.cc] Connection closed by peer")
    with pytest.raises(RuntimeError), Worker(path, 1, points(), 32, {"job": 0}, [{"job": 0}], device="cpu*2"):
        raise lost
    found = runs.read(path)
    assert (found.state, found.reason, dict(found.remedies[0][1])) == ("failed", "memory", {"micro_batch": "16"})
    (path / "status.json").unlink()
    launcher.living[0] = False  # the leader was ended by force before it could say anything
    found = runs.read(path)
    assert (found.state, found.reason, found.remedies[0][1]) == ("failed", "memory", {"micro_batch": "16"})


@pytest.mark.parametrize(
    ("line", "reason", "words"),
    [
        (
            "[rank1]: Watchdog caught collective operation timeout: WorkNCCL(SeqNum=7) ran for 600060 ms",
            "lost",
            "too long",
        ),
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB", "memory", "micro_batch"),
        ("terminate called: CUDA error: uncorrectable ECC error encountered", "device", "broken"),
        ("CUDA out of memory. Tried to allocate 2 GiB\nsendBytes failed: Broken pipe", "memory", "micro_batch"),
        ("UserWarning: CUDA initialization: The NVIDIA driver on your system is too old", None, "without a word"),
    ],
)
def test_a_worker_that_was_torn_down_is_explained_by_its_log(several, line, reason, words):
    path, launcher, _ = several
    say(path, process={"job": 0}, others=[{"job": 0}, {"job": 0}])
    (path / "log.txt").write_text(f"$ python\nCUDA error: device-side assert triggered\n$ python -m edm\n{line}\nbye\n")
    launcher.living[0] = False
    found = runs.read(path)
    assert (found.state, found.reason) == ("failed" if reason else "interrupted", reason)
    assert words in found.sentence
    if reason == "memory":
        assert found.remedies[0][1] == {"micro_batch": "16"}, "a device's share is half of the batch"
