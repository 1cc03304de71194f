"""Evaluation of models: those that are as good as known read what they must, on the command line too."""

import argparse
import json
import math
import types

import numpy as np
import pytest
import torch
from PIL import Image

import edm
from edm import checkpoints, evaluation
from edm.commands import evaluate as command
from edm.data import sources
from edm.data.settings import Data
from edm.evaluation import Progress, Report, evaluate, true_data
from edm.preconditioning import PRECONDITIONINGS, Denoiser
from edm.training.settings import Training
from tests.edm.evaluation.reports import run
from tests.problems import gaussian

# --- evaluation of models -------------------------------------------------------------------------------------------


class Off:
    """A denoiser that is σ·error away from another in every coordinate."""

    def __init__(self, denoiser, error):
        self.denoiser, self.error, self.classes = denoiser, error, denoiser.classes
        self.shape = denoiser.shape

    def __call__(self, x, sigma, labels=None):
        return self.denoiser(x, sigma, labels) + sigma * self.error


def test_true_samples_of_digits_read_the_floor_and_noisy_ones_more():
    exact = edm.data.load("digits").denoiser
    report = run(exact, "digits", edm.Sampling(steps=12), count=300)
    assert report.features == "digits classifier (64 features)"
    assert (report.reference, report.evaluations) == (1797, 23)
    assert report.floor > 0
    assert report.frechet < 1.5 * report.floor
    assert report.precision > 0.9
    assert report.recall > 0.6
    assert report.score_error == (0,) * len(report.sigmas)
    stopped = run(exact, "digits", edm.Sampling(sigmas=[80, 20, 10]), count=100)
    assert stopped.frechet > 5 * report.frechet
    assert stopped.distance == stopped.frechet


def test_points_are_compared_by_sliced_wasserstein():
    exact = edm.data.load("eight_gaussians").denoiser
    report = run(exact, "eight_gaussians", count=1000)
    assert report.frechet is None
    assert report.distance == report.sliced_wasserstein < 2.5 * report.floor
    assert run(Off(exact, 0.3), "eight_gaussians", count=1000).distance > 4 * report.distance
    assert report.loss[-1] == pytest.approx(exact.sigma_data**2, rel=0.1)
    assert list(report.loss) == sorted(report.loss)
    assert json.loads(json.dumps(report.document()))["sampling"] == {}


def test_the_score_error_of_a_perturbed_denoiser_is_the_perturbation():
    exact = edm.data.load("two_moons").denoiser
    y, sigmas = exact.sample(200), [0.01, 0.3, 5.0]
    assert evaluation.score_error(exact, exact, y, None, sigmas) == [0, 0, 0]
    assert evaluation.score_error(Off(exact, 0.25), exact, y, None, sigmas) == pytest.approx([0.25] * 3, rel=1e-5)
    wide, narrow, x = gaussian(2.0), gaussian(1.0), gaussian(1.0).sample(40_000)
    expected = abs(1 / (1 + 0.5**2) - 1 / (2**2 + 0.5**2)) * 0.5 * math.sqrt(1 + 0.5**2)
    assert evaluation.score_error(wide, narrow, x, None, [0.5]) == pytest.approx([expected], rel=0.02)


def test_a_model_of_discrete_levels_is_asked_at_one_of_them():
    levels = PRECONDITIONINGS["iddpm"]()
    exact = edm.data.load("two_moons").denoiser

    class Discrete(Off):
        def __call__(self, x, sigma, labels=None):
            return self.denoiser(x, float(levels.round_sigma(sigma)), labels)

    model = Discrete(exact, 0)
    y = exact.sample(50)
    assert max(evaluation.score_error(model, exact, y, None, [0.01, 0.7])) > 0
    model.round_sigma = levels.round_sigma
    assert evaluation.score_error(model, exact, y, None, [0.01, 0.7]) == [0, 0]


@pytest.mark.parametrize(("dataset", "count"), [("spiral", 200), ("digits", 40)])
def test_the_result_does_not_depend_on_the_batch(dataset, count):
    exact = edm.data.load(dataset).denoiser
    sampling = edm.Sampling(steps=5, S_churn=2, seed=3)
    one, other = (run(exact, dataset, sampling, count=count, reference=300, batch=batch) for batch in (count, 17))
    assert one.distance == pytest.approx(other.distance, rel=1e-4)
    assert one.loss == pytest.approx(other.loss, rel=1e-4)
    assert (one.precision, one.recall, one.floor) == (other.precision, other.recall, other.floor)
    assert run(exact, dataset, sampling.changed(seed=4), count=count, reference=300).distance != one.distance


def test_progress_rises_to_the_report():
    *events, report = evaluate(edm.data.load("circles").denoiser, "circles", edm.Sampling(steps=4), count=50, batch=20)
    assert isinstance(report, Report)
    assert all(isinstance(event, Progress) and event.total == 50 for event in events)
    done = [event.done for event in events]
    assert done == sorted(done)
    assert (done[0], done[-1]) == (0, 50)
    assert len(set(done)) > 8


def test_classes_are_drawn_as_often_as_in_the_data_and_belong_to_samples():
    digits = true_data.read(Data(dataset="digits"), 10_000)
    labels = digits.labels(0, 0, 20_000)
    assert torch.equal(digits.labels(0, 40, 90), labels[40:90])
    assert not torch.equal(digits.labels(1, 40, 90), labels[40:90])
    torch.testing.assert_close(torch.bincount(labels) / 20_000, digits.frequencies.float(), rtol=0, atol=0.01)
    assert digits.frequencies[8] == 174 / 1797
    assert true_data.read(Data(dataset="circles"), 10).labels(0, 0, 5) is None


def test_no_two_purposes_read_the_same_endless_samples():
    starts = [true_data.CLASSIFIER, true_data.CLASSIFIER_HELD_OUT, true_data.REFERENCE, true_data.FRESH]
    assert starts == sorted(starts)
    assert min(np.diff(starts)) > 10**11
    assert starts[0] > (1 << 40) + 10**11
    assert starts[-1] + 10**11 < 1 << 42


def test_levels_outside_the_range_of_a_model_are_left_out():
    model = edm.data.load("two_moons").denoiser
    narrow = Off(model, 0)
    narrow.sigma_min, narrow.sigma_max = 0.02, 50
    report = run(narrow, "two_moons", edm.Sampling(steps=3), count=20)
    assert min(report.sigmas) >= 0.02
    assert max(report.sigmas) <= 50
    assert len(report.sigmas) == len(report.loss) == len(report.score_error)
    narrow.sigma_min, narrow.sigma_max = 1.3, 1.4  # between two of those that are measured
    assert run(narrow, "two_moons", edm.Sampling(steps=1), count=20).loss == ()


def test_images_of_ones_own(tmp_path):
    for k, pixels in enumerate(np.random.default_rng(0).integers(0, 256, (30, 8, 8, 3), dtype=np.uint8)):
        Image.fromarray(pixels).save(tmp_path / f"{k}.png")
    data = Data(dataset="folder", path=str(tmp_path))
    images = sources.read(sources.open_source(data), np.arange(30))[0]
    report = run(edm.exact.PointSet(images), data, edm.Sampling(steps=12), count=200)
    assert report.reference == 30
    assert report.features.startswith("29 principal components of the pixels; no Inception")
    assert report.frechet < 2 * report.floor
    assert report.score_error is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"data": "cats"}, "no data 'cats'"),
        ({"data": "three_modes"}, r"shape \[2\], but three_modes has \[1\]"),
        ({"count": 4}, "count = 4: must be 5 or more"),
        ({"reference": 0}, "reference = 0: must be 5"),
        ({"batch": 0}, "batch = 0"),
        ({"denoiser": types.SimpleNamespace(classes=3)}, "knows 3 classes, but circles has 0"),
    ],
)
def test_what_does_not_fit_gets_a_sentence_at_once(change, words):
    options = {"denoiser": edm.data.load("circles").denoiser, "data": "circles", **change}
    with pytest.raises(ValueError, match=words):
        evaluate(**options)


def test_samples_that_are_not_finite_get_a_sentence():
    with pytest.raises(ValueError, match="not finite"):
        run(Off(edm.data.load("circles").denoiser, math.nan), "circles", count=10)


# --- the command ----------------------------------------------------------------------------------------------------


def evaluate_command(*arguments):
    parser = argparse.ArgumentParser()
    command.add(parser.add_subparsers())
    options = parser.parse_args(["evaluate", *map(str, arguments)])
    options.run(options)


@pytest.fixture
def model(tmp_path):
    """The file of an untrained model of two moons, of VP's design."""
    network = checkpoints.NetworkConfig(name="mlp", in_channels=2, out_channels=2, channels=8, blocks=1)
    preconditioning = checkpoints.PreconditioningConfig(name="vp")
    training = Training(data=Data(dataset="two_moons"))
    header = checkpoints.Header(
        kind="model",
        network=network,
        preconditioning=preconditioning,
        shape=[2],
        sigma_data=0.5,
        training=training.document(),
    )
    path = tmp_path / "untrained.safetensors"
    weights = checkpoints.build(network).state_dict()
    checkpoints.save(path, header, {f"ema0/{name}": value for name, value in weights.items()})
    return path


def test_one_table_of_models_by_steps(model, capsys):
    evaluate_command("two_moons", model, "--steps=3,6", "--count=40", "--markdown")
    out, err = capsys.readouterr()
    lines = [line.strip("| ").split(" | ") for line in out.splitlines()]
    assert lines[0] == ["model", "N = 3, 5 NFE", "N = 6, 11 NFE"]
    assert [line[0] for line in lines[2:5]] == ["two_moons", str(model), "*true samples*"]
    assert float(lines[2][2]) < float(lines[3][2])
    assert lines[-1] == ["Sliced Wasserstein distance of 40 samples to 4000 of two_moons; less is better."]
    assert "two_moons: N = 6, 40 samples" in err


def test_each_model_by_its_own_design(model, capsys):
    evaluate_command("two_moons", model, "--steps=4", "--count=20", "--own", "--json")
    exact, learned = json.loads(capsys.readouterr().out)
    assert exact["sampling"] == {"steps": 4}
    assert learned["sampling"] == {
        "solver": "euler", "discretization": "vp", "schedule": "vp", "scaling": "vp", "steps": 4
    }  # fmt: skip
    evaluate_command("two_moons", model, "--steps=4", "--count=20", "--own", "--markdown")
    assert "(7 NFE)" in (out := capsys.readouterr().out)
    assert "(4 NFE)" in out


def test_the_plain_form_says_everything(model, capsys):
    evaluate_command(model, "--preset=designs/ve", "--count=20", "--steps=3", "--seed=1")
    out = capsys.readouterr().out
    for words in ("N = 3, 3 evaluations", "sliced Wasserstein", "of true samples", "score error"):
        assert words in out
    evaluate_command("digits", "--count=20", "--steps=3")
    out = capsys.readouterr().out
    for words in ("Fréchet distance", "digits classifier (64 features)", "precision, recall"):
        assert words in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["cats"], "no model 'cats'"),
        (["/nowhere.safetensors"], "no file /nowhere.safetensors"),
        (["digits", "--steps=5,many"], "steps = 'many'"),
        (["digits", "--steps=0"], "steps = 0"),
        (["digits", "--dataset=circles"], "compare it with the data it has learned"),
        (["digits", "--count=1"], "count = 1"),
        (["digits", "--own", "--preset=designs/vp"], "give one"),
        (["drawn"], "drawn"),
    ],
)
def test_mistakes_get_a_sentence(arguments, words):
    with pytest.raises((ValueError, OSError), match=words):
        evaluate_command(*arguments)


def test_a_converted_model_must_be_told_its_data(model):
    denoiser = checkpoints.load(model)
    header = denoiser.header.changed(training=None)
    checkpoints.save(model, header, {f"ema0/{k}": v for k, v in denoiser.network.state_dict().items()})
    with pytest.raises(ValueError, match="name it with --dataset"):
        evaluate_command(model)
    assert isinstance(checkpoints.load(model), Denoiser)
