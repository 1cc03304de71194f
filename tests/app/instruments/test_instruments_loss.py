"""Loss per σ, the oracle gap and training time: the numbers of their figures are those of the library."""

import base64
import json
import math
from itertools import islice

import numpy as np
import pytest
import torch

from app.instruments import INSTRUMENTS, groups, loss, oracle, training_time
from app.instruments.base import Context
from app.work.shared import Work
from app.work.tickets import Superseded, Tickets
from app.work.watch import Watch
from edm import diagnostics, models, runner
from edm.base.fields import SettingsError
from edm.experiments.experiment import Experiment
from edm.files.render import to_uint8
from edm.objective import Design
from edm.sampling.loop import last
from edm.training.settings import trained_as


def bodies(name, values, watch=None):
    instrument = INSTRUMENTS[name]
    settings = instrument.settings.parse(values)
    for body, _ in instrument.respond(settings, Context(Work("cpu"), watch or Watch(), Experiment())):
        yield json.loads(json.dumps(body, allow_nan=False))


def first(name, values):
    return next(bodies(name, values))


def numbers(text, shape, kind="<f4"):
    return np.frombuffer(base64.b64decode(text), kind).reshape(shape)


def lines_of(body, panel=0):
    return {line["name"]: line for line in body["figure"]["panels"][panel]["lines"] if line.get("name")}


def library(model, exact, sigmas, round_size):
    learned, ideal = models.load(model), models.load(exact)
    draw = diagnostics.held_out(learned)
    return diagnostics.losses({model: learned.denoiser}, draw, sigmas, exact=ideal.denoiser, first=round_size)


def as_shown(curves, floor):
    """The library's curves at the moment at which their floor was this one."""
    return next(found for found in islice(curves, 400) if np.allclose(found["floor"].mean, floor, rtol=1e-5))


def test_losses_and_floor_are_the_librarys():
    body = first("loss", {"models": ["two_moons_mlp"]})
    found = lines_of(body)
    shown, floor = found["Two moons"], found["least possible"]
    expected = as_shown(library("two_moons_mlp", "two_moons", loss.SIGMAS, 64), floor["y"])
    assert shown["y"] == pytest.approx(expected["two_moons_mlp"].mean, rel=1e-5)
    assert shown["high"] == pytest.approx(expected["two_moons_mlp"].high, rel=1e-5)
    assert body["summary"].startswith("Loss times λ (EDM's) at σ = ") and "(fresh samples)" in body["summary"]


def test_the_sentence_of_a_weighed_loss_has_the_numbers_that_are_drawn():
    body = first("loss", {"models": ["two_moons_mlp"], "weight": "edm"})
    found, at = lines_of(body), 13
    assert body["summary"] == body["summaries"]["edm"]
    for weight, sentence in body["summaries"].items():
        model, floor = (
            found[name]["y"][at] * found[name]["weights"][weight][at] for name in ("Two moons", "least possible")
        )
        assert f"σ = {loss.SIGMAS[at]:.2g}: Two moons {model:.2g} (least possible {floor:.2g})" in sentence


def test_a_fresh_network_of_edm_has_a_weighed_loss_of_one_at_every_level():
    """λ·σ²σ_d²/(σ² + σ_d²) = 1, up to the error of E[y²] from 256 samples of data whose mean is nearly 0."""
    fresh = lines_of(first("loss", {"models": ["two_moons_mlp"]}))["fresh network, EDM"]
    assert np.multiply(fresh["y"], fresh["weights"]["edm"]) == pytest.approx(np.ones(len(fresh["y"])), abs=0.15)
    assert np.multiply(fresh["y"], fresh["weights"]["own"])[0] == pytest.approx(1, abs=1e-3)


def test_each_model_is_weighed_as_it_was_trained_and_left_out_where_it_is_not_for():
    found = lines_of(first("loss", {"models": ["digits_ve", "digits_edm"]}))
    sigmas = loss.SIGMAS
    ve, edm = found["Digits VE"], found["Digits EDM"]
    assert ve["weights"]["own"] == pytest.approx(1 / sigmas**2, rel=1e-5)
    assert edm["weights"]["own"] == pytest.approx(edm["weights"]["edm"])
    known = np.array([y is not None for y in ve["y"]])
    assert known.tolist() == (sigmas >= 0.02 * (1 - 1e-9)).tolist()


def test_p_train_is_a_normal_density_with_its_share_of_each_decade():
    body = first("loss", {"models": ["two_moons_mlp"], "P_mean": -0.5, "P_std": 0.8})
    density, share, own = body["figure"]["panels"][1]["lines"]
    z = (np.log(density["x"]) + 0.5) / 0.8
    assert density["y"] == pytest.approx(np.exp(-(z**2) / 2) / (0.8 * math.sqrt(2 * math.pi)), abs=1e-6)
    expected = 100 * diagnostics.training_share(Design(P_mean=-0.5, P_std=0.8), [0, 0.01, 0.1, 1, 10, np.inf])
    assert share["text"] == [f"{value:.0f} %" for value in expected]
    assert own["y"] == pytest.approx(
        diagnostics.training_density(
            Design(P_mean=-1.5, P_std=trained_as(models.load("two_moons_mlp").header).design.P_std), own["x"]
        ),
        abs=1e-6,
    )


def test_models_of_different_data_have_a_floor_each():
    names = lines_of(first("loss", {"models": ["two_moons_mlp", "spiral_mlp"]}))
    assert {"least possible, Two moons", "least possible, Spiral", "Two moons", "Spiral"} <= set(names)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"models": []}, "0 models are chosen"),
        ({"models": list(groups.short_titles())[:9]}, "9 models are chosen: choose 1 to 8"),
    ],
)
def test_too_few_and_too_many_models_get_a_sentence(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        first("loss", values)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("loss", {"models": ["deleted"]}),
        ("loss", {"P_std": 0}),
        ("oracle", {"model": "spiral"}),
        ("oracle", {"image": -1}),
        ("training", {"family": "spiral_mlp"}),
        ("training", {"steps": 10**6}),
    ],
)
def test_settings_that_cannot_be_are_refused(name, values):
    with pytest.raises(SettingsError):
        INSTRUMENTS[name].settings.parse(values)


@pytest.mark.parametrize("name", ["loss", "oracle", "training"])
def test_a_newer_request_ends_the_computing_at_its_next_evaluation(name):
    tickets = Tickets()
    running = bodies(name, {}, Watch(tickets.take("visitor", name, 1)))
    next(running)
    tickets.take("visitor", name, 2)
    with pytest.raises(Superseded):
        next(running)


def test_the_oracle_gap_over_the_plane_is_the_librarys():
    body = next(body for body in bodies("oracle", {"model": "two_moons_mlp"}) if body["plane"])
    field = body["plane"]["fields"][0]
    learned, ideal = models.load("two_moons_mlp"), models.load("two_moons")
    sigma, cells = body["levels"][field["index"]], body["plane"]["cells"]
    grid = diagnostics.window_grid(2.6, 2.6, cells, cells) * math.hypot(sigma, learned.sigma_data)
    expected = diagnostics.gap_field(learned.denoiser, ideal.denoiser, grid, sigma).norm(dim=1)
    assert numbers(field["gap"], cells**2) == pytest.approx(expected.numpy(), rel=1e-4, abs=1e-6)
    assert 0 < field["most"] <= expected.max() * (1 + 1e-6)
    floor, gap = body["figure"]["panels"][0]["lines"]
    curves = as_shown(library("two_moons_mlp", "two_moons", oracle.LEVELS, 64), floor["y"][::-1])
    assert gap["y"][::-1] == pytest.approx(curves["two_moons_mlp"].gap.mean, rel=1e-5)
    worst = int(np.argmax(gap["y"]))
    said = f"furthest from the ideal denoiser at σ = {gap['x'][worst]:.2g}: E‖D_θ − D*‖²/d = {gap['y'][worst]:.2g}, "
    assert said in body["summary"], "the sentence's number is the curve's highest"
    share = np.divide(gap["y"], floor["y"])
    most = int(np.argmax(share))
    assert f"largest at σ = {gap['x'][most]:.2g}: {gap['y'][most]:.2g}, a share of " in body["summary"]


def test_images_are_denoised_by_both_and_without_an_ideal_denoiser_by_one(monkeypatch):
    body = first("oracle", {"model": "digits_edm", "image": 3})
    rows = {row["title"]: numbers(row["images"], (10, 1, 8, 8), np.uint8) for row in body["images"]["rows"]}
    assert list(rows) == ["noisy image", "ideal D", "learned D"]
    y, _ = diagnostics.held_out(models.load("digits_edm"))([3])
    # the ideal denoiser of a data set returns the image itself at low noise
    assert (rows["ideal D"][0] == to_uint8(y.numpy())[0]).all()
    monkeypatch.setattr(oracle, "exact_of", lambda model: None)
    alone = first("oracle", {"model": "digits_edm"})
    assert [row["title"] for row in alone["images"]["rows"]] == ["noisy image", "learned D"]
    assert "not known" in alone["summary"] and [line["name"] for line in alone["figure"]["panels"][0]["lines"]] == [
        "loss"
    ]


def test_checkpoints_come_in_the_order_of_training_with_the_samplers_own_samples():
    settings = {"steps": 2, "seed": 5}
    found = bodies("training", settings)
    body = next(body for body in found if (body["checkpoints"][-1]["sample"] or {}).get("done"))
    images = [checkpoint["images"] for checkpoint in body["checkpoints"]]
    assert images == sorted(images) and body["checkpoints"][-1]["name"] == "digits_edm"
    experiment = training_time.experiment_of(models.load("digits_edm"), training_time.TrainingTime.parse(settings))
    with torch.no_grad():
        expected = last(runner.states(experiment)).x
    assert (
        numbers(body["checkpoints"][-1]["sample"]["x"], (16, 1, 8, 8), np.uint8) == to_uint8(expected.numpy())
    ).all()
    objective = body["figure"]["panels"][1]["lines"][0]
    assert objective["x"] == images and objective["y"][0] > objective["y"][-1]


def test_the_objective_of_a_constant_weighed_loss_is_that_constant():
    """With loss = c/λ, E[λ·loss] = c whatever p_train."""
    model = models.load("digits_edm")
    group = groups.Group("", [model], None, None, 0.0)
    weight = diagnostics.loss_weight("edm", training_time.SIGMAS, model.sigma_data)
    curve = diagnostics.LossCurve(training_time.SIGMAS, 0.3 / weight, weight, weight)
    assert training_time.objectives(group, {"digits_edm": curve}) == [pytest.approx(0.3)]
