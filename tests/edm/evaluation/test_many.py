"""Evaluations of many samples: killed and resumed, on several processes, by the paper's protocol; the result is the
same to the last bit."""

import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

import edm
from edm import evaluation
from edm.data.settings import Data
from edm.evaluation import Progress, evaluate, kept, true_data
from edm.sampling.denoisers import on
from tests import pretended
from tests.edm.evaluation.reports import FEW, run, told

ROOT = Path(__file__).resolve().parents[3]
MODULE = sys.modules["edm.evaluation.evaluate"]

pytestmark = pytest.mark.usefixtures("quick")


class Killed(Exception):
    pass


def killed_after(events, parts, monkeypatch):
    """Run until so many parts have been written, and then until the next is to be, which fails."""
    write, written = kept.Kept.write, []

    def fails(self, part, rows):
        if len(written) == parts:
            raise Killed
        written.append(part)
        write(self, part, rows)

    with monkeypatch.context() as patched:
        patched.setattr(kept.Kept, "write", fails)
        with pytest.raises(Killed):
            edm.last(events)


@pytest.mark.parametrize("dataset", ["digits", "two_moons"])
def test_what_was_killed_goes_on_and_ends_with_the_same_bits(dataset, tmp_path, monkeypatch):
    model = edm.data.load(dataset).denoiser
    asked = {"count": 50, "reference": 100, "batch": 12}
    whole = run(model, dataset, FEW, **asked)
    killed_after(evaluate(model, dataset, FEW, **asked, keep=tmp_path), 2, monkeypatch)
    files = sorted(tmp_path.glob("*/*.npy"))
    assert [file.name for file in files] == ["00000000-00000011.npy", "00000012-00000023.npy"]
    stamps = [file.stat().st_mtime_ns for file in files]
    files[1].write_bytes(files[1].read_bytes()[:-1])  # and one that a disk has lost an end of
    first, *_, report = evaluate(model, dataset, FEW, **asked, keep=tmp_path)
    assert first == Progress(0, 50)
    assert told(report) == told(whole)
    assert files[0].stat().st_mtime_ns == stamps[0], "it was not computed again"
    assert len(sorted(tmp_path.glob("*/*.npy"))) == 5
    assert told(run(model, dataset, FEW, **asked, keep=tmp_path)) == told(whole)


def test_a_folder_keeps_evaluations_of_several_models_and_settings_apart(tmp_path, digits):
    class Off:
        shape, classes = digits.shape, digits.classes

        def __init__(self, error):
            self.error = torch.tensor(error)

        def __call__(self, x, sigma, labels=None):
            return digits(x, sigma, labels) + self.error

    asked = {"count": 8, "reference": 40, "batch": 8}
    for model in (digits, Off(0.0), Off(0.5)):
        for sampling in (FEW, FEW.changed(seed=1)):
            assert told(run(model, "digits", sampling, **asked, keep=tmp_path)) == told(
                run(model, "digits", sampling, **asked)
            )
    assert len([place for place in tmp_path.iterdir() if place.is_dir()]) == 6
    with pytest.raises(ValueError, match="no numbers by which its samples"):
        run(lambda x, sigma, labels=None: x, "two_moons", FEW, count=8, reference=20, keep=tmp_path)


def test_memory_does_not_grow_with_the_number_of_samples(digits, monkeypatch):
    """Rows are kept for precision and recall only, of as many samples as those ask for."""
    monkeypatch.setattr(true_data, "MOST", 30)
    report, held = run(digits, "digits", FEW, count=90, reference=60, batch=20), []
    precision_recall = evaluation.precision_recall
    monkeypatch.setattr(MODULE, "precision_recall", lambda *rows: held.append(rows) or (1, 1))
    again = run(digits, "digits", FEW, count=90, reference=60, batch=20)
    (rows,) = held
    assert [len(side) for side in rows] == [30, 30]
    assert (report.precision, report.recall) == precision_recall(*rows)
    assert again.frechet == report.frechet
    assert report.reference == 60


def test_parts_are_divided_alike_and_end_with_a_repeat():
    parts = kept.parts(50, 20, 3)
    assert [k for part in parts for k in part] == list(range(150))
    assert {len(part) for part in parts} == {20, 10}
    assert all(part.start // 50 == (part.stop - 1) // 50 for part in parts)


def test_the_papers_protocol_takes_three_sets_of_samples_and_the_least(digits, inception):
    report = run(digits, "digits", FEW, 30, protocol="paper", inception=inception, batch=30)
    assert report.frechet == min(report.repeats)
    assert len(set(report.repeats)) == 3
    assert report.reference == 1797
    assert report.repeats[0] == run(digits, "digits", FEW, 30, inception=inception, batch=30).frechet
    assert report.distance_name == report.measure == "FID"
    table = evaluation.markdown([("digits", [report])])
    assert f"{report.frechet:.3g} [{', '.join(f'{one:.3g}' for one in report.repeats)}]" in table
    assert "FID of 30 samples, the least of 3, to 1797 of digits; less is better." in table
    assert evaluation.PROTOCOLS["paper"].count == 50_000
    whole = next(evaluate(digits, "digits", FEW, protocol="paper", inception=inception))
    assert whole == Progress(0, 150_000)


def test_a_distance_is_called_fid_in_inceptions_features_only(digits):
    report = run(digits, "digits", FEW, 10, reference=20)
    assert report.document()["measure"] == "Fréchet distance in digits classifier (64 features)"
    assert "FID" not in evaluation.markdown([("digits", [report])])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"protocol": "mine"}, "protocol = 'mine'"),
        ({"data": None}, "it takes reference statistics, and Inception"),
        ({"inception": "/nowhere.pkl"}, "no file .*nowhere.pkl with Inception's weights"),
        ({"reference_stats": "/nowhere.npz"}, "no file .*nowhere.npz"),
        ({"data": "two_moons", "protocol": "paper"}, "are for images, and these are points"),
    ],
)
def test_what_does_not_fit_is_refused_at_once(change, words, digits):
    options = {"denoiser": digits, "data": "digits", **change}
    if options["data"] == "two_moons":
        options["denoiser"] = edm.data.load("two_moons").denoiser
    with pytest.raises((ValueError, OSError), match=words):
        evaluate(**options)


def test_two_processes_find_to_the_last_bit_what_one_finds(monkeypatch):
    monkeypatch.setattr(MODULE, "MEASURED", 256)
    options = [
        "evaluate",
        "digits",
        "--count=70",
        "--reference=50",
        "--steps=2",
        "--batch=16",
        "--device=cpu",
        "--json",
    ]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    done = subprocess.run(
        [*command, "-m", "edm", *options], capture_output=True, text=True, cwd=ROOT, timeout=240,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)
    alone = run(edm.data.load("digits").denoiser, "digits", FEW, 70, 50, batch=16)
    assert {name: value for name, value in found.items() if name not in ("seconds", "model")} == json.loads(
        json.dumps(told(alone))
    )


class Beside:
    """A process among several, as threads of this one: `edm.training.parallel.World`, as far as an evaluation asks."""

    def __init__(self, rank, size, meeting, given):
        self.rank, self.size, self._meeting, self._given = rank, size, meeting, given

    def gather(self, value):
        self._given[self.rank] = value
        self._meeting.wait(60)
        values = [self._given[rank] for rank in range(self.size)]
        self._meeting.wait(60)
        return values


def test_several_processes_go_on_where_one_was_killed(digits, tmp_path, monkeypatch):
    asked = {"count": 50, "reference": 40, "batch": 8}
    alone = run(digits, "digits", FEW, **asked)
    killed_after(evaluate(digits, "digits", FEW, **asked, keep=tmp_path), 2, monkeypatch)
    meeting, given = threading.Barrier(3), {}
    with ThreadPoolExecutor(3) as threads:
        worlds = [Beside(rank, 3, meeting, given) for rank in range(3)]
        first, *others = threads.map(
            lambda world: run(digits, "digits", FEW, **asked, keep=tmp_path, world=world), worlds
        )
    assert told(first) == told(alone)
    assert others == [Progress(50, 50)] * 2
    assert len(list(tmp_path.glob("*/*.npy"))) == 7


def test_on_a_gpu_the_host_waits_for_each_part_and_each_measure_once():
    """A part: its classes there, whether it is finite, and its features back; what is compared is the same."""
    model = edm.models.load("digits_edm").denoiser
    asked = {"count": 6, "reference": 10, "batch": 3}
    here = run(model, "digits", FEW, **asked)
    with pretended.gpu() as gpu:
        there = on(model, gpu.device)
        true_data.floor(Data(dataset="digits"), 6, 10, str(gpu.device))  # of the data, once
        gpu.clear()
        report = run(there, "digits", FEW, **asked, device=gpu.device)
        waits = sum(count for where, count in gpu.waits.items() if "edm/evaluation" in where or "loss.py" in where)
    assert report.frechet == pytest.approx(here.frechet, rel=1e-5)
    assert report.score_error == pytest.approx(here.score_error, rel=1e-4)
    assert waits <= 3 * 2 + 6
