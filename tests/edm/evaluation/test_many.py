"""Evaluations of many samples: killed and resumed, on several processes, by the paper's protocol, against published
statistics; the result is the same to the last bit."""

import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import edm
from edm import evaluation
from edm.data.settings import Data
from edm.evaluation import Progress, Report, evaluate, features, kept, statistics, true_data
from edm.evaluation.features import INCEPTION, Features
from tests.edm.evaluation import inceptions

ROOT = Path(__file__).resolve().parents[3]
FEW = edm.Sampling(steps=2)
MODULE = sys.modules["edm.evaluation.evaluate"]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """The denoiser itself is measured on few samples."""
    monkeypatch.setattr(MODULE, "MEASURED", 4)


@pytest.fixture
def digits():
    return edm.data.load("digits").denoiser


@pytest.fixture
def inception(monkeypatch):
    """In the place of Inception, five numbers of an image."""
    monkeypatch.setattr(features, "inception", inceptions.stub)
    return "weights.pth"


def run(*arguments, **options) -> Report:
    return edm.last(evaluate(*arguments, **options))


def told(report: Report) -> dict:
    """All that it says but how long it took."""
    return {name: value for name, value in report.document().items() if name != "seconds"}


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


def test_published_statistics_stand_for_the_data(digits, inception, tmp_path):
    """Such a file is what the data would have read; with it alone, nothing of the data is needed."""
    path, data = tmp_path / "digits.npz", Data(dataset="digits")
    true = run(digits, "digits", FEW, 40, inception=inception)
    evaluation.save_statistics(path, data, inception=inception)
    asked = {"inception": inception, "reference_stats": path, "count": 40}
    report = run(digits, "digits", FEW, **asked)
    assert (report.frechet, report.floor) == (true.frechet, true.floor)
    assert (report.precision, report.statistics) == (true.precision, "digits.npz")
    with np.load(path) as file:
        np.savez(path, mu=file["mu"], sigma=file["sigma"].astype(np.float32))  # as they are published
    alone = run(digits, None, FEW, **asked)
    assert alone.frechet == pytest.approx(true.frechet, rel=0.2), "classes are drawn evenly, as nothing else is known"
    assert (alone.dataset, alone.reference, alone.floor, alone.loss) == ("digits.npz", None, None, ())
    assert "FID of 40 samples to the statistics of digits.npz" in evaluation.markdown([("a", [alone])])
    assert json.loads(json.dumps(alone.document()))["measure"] == "FID"


def test_a_folder_of_images_is_a_reference_too(digits, inception, tmp_path):
    images = true_data.source(Data(dataset="digits")).read(np.arange(30))[0]
    for k, image in enumerate(features.to_8_bits(images)):
        Image.fromarray(image[0].numpy()).save(tmp_path / f"{k:02}.png")
    report = run(digits, None, FEW, count=20, inception=inception, reference_stats=tmp_path)
    assert (report.statistics, report.reference) == (tmp_path.name, 30)
    shown = inceptions.stub("").of(features.to_8_bits(images).expand(-1, 3, -1, -1))
    statistics.write(tmp_path / "same.npz", evaluation.moments(shown))
    file = run(digits, None, FEW, count=20, inception=inception, reference_stats=tmp_path / "same.npz")
    assert report.frechet == pytest.approx(file.frechet, rel=1e-9)
    with pytest.raises(ValueError, match=r"images of shape \[3, 8, 8\], and the samples have \[1, 8, 8\]; only Incep"):
        run(digits, "digits", FEW, 10, reference_stats=tmp_path)


def saved(path, **arrays):
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"mu": np.zeros(3)}, "it has mu, and sigma is missing"),
        ({"mu": np.zeros(3), "sigma": np.eye(2)}, r"shapes \[3\] and \[2, 2\]"),
        ({"mu": np.zeros((3, 1)), "sigma": np.eye(3)}, r"shapes \[3, 1\]"),
        ({"mu": np.zeros(3), "sigma": np.eye(3, dtype=int)}, "sigma is of int64"),
        ({"mu": np.full(3, np.nan), "sigma": np.eye(3)}, "mu holds NaN"),
        ({"mu": np.zeros(3), "sigma": np.triu(np.ones((3, 3)))}, "not symmetric"),
        ({"mu": np.zeros(3), "sigma": -np.eye(3)}, "negative variances"),
        ({"mu": np.array([None] * 3), "sigma": np.eye(3)}, "no .npz file, or damaged"),
    ],
)
def test_statistics_that_cannot_be_are_refused_by_name(arrays, words, tmp_path):
    path = saved(tmp_path / "odd.npz", **arrays)
    with pytest.raises(ValueError, match=rf"odd.npz has no reference statistics for FID: .*{words}"):
        statistics.read(path)


def test_a_file_that_is_none_or_not_there_is_refused(tmp_path):
    (tmp_path / "odd.npz").write_bytes(b"no zip")
    with pytest.raises(ValueError, match="damaged"):
        statistics.read(tmp_path / "odd.npz")
    with pytest.raises(FileNotFoundError, match=r"no file .*nowhere\.npz"):
        statistics.read(tmp_path / "nowhere.npz")
    with pytest.raises(ValueError, match="download"):
        statistics.read("https://example.org/cifar10-32x32.npz")


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


def test_statistics_of_other_features_are_refused(digits, inception, tmp_path):
    path = tmp_path / "of-classifier.npz"
    evaluation.save_statistics(path, Data(dataset="digits"), reference=20)
    with pytest.raises(ValueError, match="64 features, and they are not those of Inception"):
        evaluate(digits, "digits", FEW, 10, inception=inception, reference_stats=path)
    assert run(digits, "digits", FEW, 10, reference=20, reference_stats=path).features.startswith("digits classifier")


def test_what_was_computed_of_the_data_is_kept_by_what_they_are(digits, inception, tmp_path, monkeypatch):
    asked = {"count": 10, "reference": 60, "inception": inception, "keep": tmp_path}
    whole = run(digits, "digits", FEW, **asked)
    (place,) = tmp_path.glob("reference-*.npz")
    monkeypatch.setattr(true_data, "floor", lambda *arguments: whole.floor)
    monkeypatch.setattr(
        features, "inception", lambda *_: Features(INCEPTION, never, inceptions.WIDTH, inceptions.DIGEST)
    )
    true_data.read.cache_clear()
    assert told(run(digits, "digits", FEW, **asked)) == told(whole)
    assert statistics.read(place)[0].count == 60


def never(images):
    raise AssertionError("it was computed again")


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
