"""A classifier of noisy samples is learned by the loop that denoisers are learned by, and guides them."""

import json

import pytest
import torch

import edm
from edm import networks
from edm.classifier import Classifier
from edm.experiments import classifiers
from edm.preconditioning import EDM
from edm.training.events import Checkpoint
from edm.training.recording import record
from edm.training.settings import Training

SETTINGS = Training.parse(
    {
        "learns": "classifier",
        "data": {"dataset": "two_moons", "labels": "parts"},
        "architecture": {"channels": 32, "blocks": 1},
        "design": {"P_mean": -1.0, "P_std": 1.5},
        "images": 24_576,
        "batch": 256,
        "lr": 0.01,
        "lr_ramp": 1024,
        "anneal": True,
        "weight_decay": 0.05,
        "ema": [2000],
        "tick": 24_576,
        "checkpoint": 12_288,
        "validation": 256,
        "samples": 2,
    }
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "moons"
    for _ in record(edm.train(SETTINGS), folder):
        pass
    return folder


@pytest.fixture(scope="module")
def last(run):
    return run / "checkpoints" / f"{SETTINGS.images:011}.safetensors"


def test_it_learns_two_classes_of_the_plane_to_the_exact_posterior_s_accuracy(last):
    found = edm.diagnostics.calibration(edm.load(last), "two_moons", [0.1, 0.5, 2.0, 20.0], 512)
    for one in found:
        assert one.accuracy > one.exact_accuracy - 0.05
        assert one.nll < one.exact_nll + 0.05
        assert 0 <= one.gap < 0.05
        assert one.error < 0.1


def test_its_ticks_tell_accuracy_and_nats_at_each_level(run):
    (line,) = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert len(line["sigmas"]) == len(line["validation"]) == len(line["accuracy"])
    assert line["accuracy"][0] > 0.97
    assert 0.4 < line["accuracy"][-1] < 0.65
    assert line["validation"][-1] == pytest.approx(0.693, abs=0.05)
    assert not list((run / "samples").iterdir())


def test_it_goes_on_bit_for_bit(run, last):
    half = run / "checkpoints" / f"{SETTINGS.images // 2:011}.safetensors"
    for event in edm.train(SETTINGS, resume=half):
        if isinstance(event, Checkpoint):
            again = event.state
    x = torch.randn(8, 2, generator=torch.Generator().manual_seed(0))
    assert torch.equal(again.denoisers()[0](x, 0.3), edm.load(last)(x, 0.3))
    assert json.loads((run / "config.json").read_text())["learns"] == "classifier"


def test_its_learning_rate_falls_to_nothing():
    short = SETTINGS.changed(images=1024, lr_ramp=0, tick=1024, checkpoint=1024)
    steps = [event.lr for event in edm.train(short) if type(event).__name__ == "Step"]
    assert steps == pytest.approx([0.01, 0.0075, 0.005, 0.0025])


def test_the_gradient_is_that_of_its_log_probability(last):
    guide = edm.load(last)
    guide.network.double()
    x = torch.tensor([[0.3, 0.2], [-0.4, 0.1]], dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(guide.log_probability(x, 0.4)[:, 1].sum(), x)
    step = 1e-5 * torch.eye(2, dtype=torch.float64)
    with torch.no_grad():
        ends = [[guide(x + sign * along, 0.4)[:, 1] for sign in (1, -1)] for along in step]
    differences = torch.stack([(up - down) / 2e-5 for up, down in ends], dim=1)
    torch.testing.assert_close(gradient, differences, rtol=1e-5, atol=1e-6)


def test_nothing_is_sampled_from_it(last, capsys):
    from edm.__main__ import main

    with pytest.raises(ValueError, match="it tells the class of a noisy sample, and draws none"):
        next(edm.sample(edm.load(last), torch.zeros(2, 2), edm.Sampling(steps=2)))
    assert main(["sample", "--model", str(last), "--count", "2"]) == 2
    assert "is a classifier" in capsys.readouterr().err
    assert main(["sample", "--model", "digits_noisy"]) == 2
    assert "is a classifier" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"data": {"dataset": "swiss_roll", "labels": None}},
            "needs data with two classes or more",
        ),
        ({"data": {"conditional": False}}, "conditional = false: a classifier learns the classes"),
        ({"architecture": {"network": "ddpmpp"}}, "network = 'ddpmpp': makes images, and classes are to be learned"),
        (
            {"data": {"dataset": "digits", "labels": None}, "design": {"augment": 0.1}},
            "augment = 0.1: no classifier is",
        ),
    ],
)
def test_what_no_classifier_can_learn_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        next(edm.train(SETTINGS.changed(**changes)))


def test_a_guide_is_found_by_name_by_its_run_and_by_the_data_of_a_model(run, last, monkeypatch):
    monkeypatch.setenv("EDM_RUNS", str(run.parent))
    assert classifiers.names() and {classifiers.load(name).header.kind for name in classifiers.names()} == {
        "classifier"
    }
    assert classifiers.of_runs() == ["run-moons_24576"]
    guide = classifiers.load("run-moons_24576")
    assert (guide.shape, guide.classes, guide.class_names) == ((2,), 2, ("upper moon", "lower moon"))
    assert classifiers.load(str(last)).header == guide.header
    digits, moons = edm.models.load("digits_edm"), edm.models.load("two_moons")
    assert classifiers.default(digits) == "digits_noisy"
    assert classifiers.guide_of(moons, "run-moons_24576") == guide
    for model, name, words in [
        (digits, "run-moons_24576", "is for samples of 2, and 'digits_edm' makes 1×8×8"),
        (
            edm.models.load("circles"),
            "run-moons_24576",
            "tells the classes upper moon, lower moon, and 'circles' knows",
        ),
        (digits, "digits_vp", "there is no classifier 'digits_vp'"),
        (edm.models.load("swiss_roll"), None, "no classifier that ships knows the classes of 'swiss_roll'"),
    ]:
        with pytest.raises(ValueError, match=words):
            classifiers.guide_of(model, name)


def test_half_a_u_net_starts_as_a_guess_and_sees_each_image_by_itself():
    torch.manual_seed(0)
    network = networks.build(
        "half", in_channels=1, out_channels=3, resolution=8, channels=8, channel_mult=(1, 2), blocks=1
    )
    guide = Classifier(network, EDM(0.5), (1, 8, 8), 3)
    x = torch.randn(4, 1, 8, 8)
    torch.testing.assert_close(guide(x, 0.5).exp(), torch.full((4, 3), 1 / 3), rtol=0, atol=1e-2)
    torch.testing.assert_close(guide(x, 0.5)[1:2], guide(x[1:2], 0.5), rtol=1e-4, atol=1e-4)
    with pytest.raises(ValueError, match="draws none"):
        guide(x, 0.5, torch.zeros(4, dtype=torch.long))


def test_no_class_is_hidden_from_it():
    design = SETTINGS.design
    whole, hiding = (edm.training.loss.CrossEntropy(design.changed(label_dropout=p), 0, 0.5) for p in (0, 0.5))
    guess = networks.build(
        "half", in_channels=1, out_channels=3, resolution=4, channels=32, channel_mult=(1,), blocks=1
    )
    told = Classifier(guess, EDM(0.5), (1, 4, 4), 3)
    y, labels = torch.randn(6, 1, 4, 4), torch.arange(6) % 3
    assert torch.equal(whole(told, y, labels, range(6)), hiding(told, y, labels, range(6)))
