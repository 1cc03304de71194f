"""What samples are compared with: the data, published statistics of them, a folder of images; read once, and kept."""

import json

import numpy as np
import pytest
from PIL import Image

from edm import evaluation
from edm.data.settings import Data
from edm.evaluation import evaluate, features, statistics, true_data
from edm.evaluation.features import INCEPTION, Features
from tests.edm.evaluation import inceptions
from tests.edm.evaluation.reports import FEW, run, told

pytestmark = pytest.mark.usefixtures("quick")


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


def test_statistics_of_other_features_are_refused(digits, inception, tmp_path):
    path = tmp_path / "of-classifier.npz"
    evaluation.save_statistics(path, Data(dataset="digits"), reference=20)
    with pytest.raises(ValueError, match="64 features, and they are not those of Inception"):
        evaluate(digits, "digits", FEW, 10, inception=inception, reference_stats=path)
    assert run(digits, "digits", FEW, 10, reference=20, reference_stats=path).features.startswith("digits classifier")


def test_the_data_are_read_once(digits, inception, monkeypatch):
    """For the distance, for what true samples read, and for precision and recall, of all repeats."""
    seen = []

    def counted(images):
        seen.append(len(images))
        return inceptions.stub("").of(images)

    made = Features(INCEPTION, counted, inceptions.WIDTH, "counted")
    monkeypatch.setattr(features, "inception", lambda *_: made)
    run(digits, "digits", FEW, 10, reference=60, protocol="paper", batch=10, inception=inception)
    assert sorted(seen) == [10, 10, 10, 10, 60], "three sets of samples, as many true ones, and the data"


def test_what_was_computed_of_the_data_is_kept_by_what_they_are(digits, inception, tmp_path, monkeypatch):
    asked = {"count": 10, "reference": 60, "inception": inception, "keep": tmp_path}
    whole = run(digits, "digits", FEW, **asked)
    (place,) = tmp_path.glob("reference-*.npz")
    place.write_bytes(place.read_bytes()[:-1])  # a disk has lost an end of it
    true_data.read.cache_clear()
    assert told(run(digits, "digits", FEW, **asked)) == told(whole)
    monkeypatch.setattr(true_data, "floor", lambda *arguments: whole.floor)
    monkeypatch.setattr(
        features, "inception", lambda *_: Features(INCEPTION, never, inceptions.WIDTH, inceptions.DIGEST)
    )
    true_data.read.cache_clear()
    assert told(run(digits, "digits", FEW, **asked)) == told(whole)
    assert statistics.read(place)[0].count == 60


def never(images):
    raise AssertionError("it was computed again")
