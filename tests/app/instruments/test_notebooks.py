"""A notebook shows what the page shows: the traces of `edm.plots` hold the numbers that the page's figures hold."""

import base64

import numpy as np
import pytest

import edm
from app.instruments import INSTRUMENTS, Context, race, starts
from app.work.pictures import Picture
from app.work.shared import Work
from app.work.watch import Watch
from edm import diagnostics, presets
from edm.experiments.experiment import Experiment
from tests.app.instruments import final
from tests.app.work import final as finished


def floats(values):
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def lines(figure):
    """name -> (x, y) of what has a name."""
    return {trace.name: (floats(trace.x), floats(trace.y)) for trace in figure.data if trace.name}


def assert_shown(page, notebook):
    """Every line of a panel of the page is a trace, with its numbers and its look."""
    found = lines(notebook)
    for line in page["lines"]:
        if line["name"] is None:
            continue
        x, y = found[line["name"]]
        np.testing.assert_allclose(x, floats(line["x"]), rtol=1e-6, atol=1e-12)
        np.testing.assert_allclose(y, floats(line["y"]), rtol=1e-6)
    for letter in "xy":
        axis = getattr(notebook.layout, f"{letter}axis")
        assert (axis.type == "log") == page[letter].get("log", False)
        assert page[letter].get("title", "") in axis.title.text


@pytest.fixture
def context():
    return Context(Work("cpu"), Watch(), Experiment())


def test_orders(context):
    (panel,) = final("order", solvers="euler,heun", most="11", seed="1")["figure"]["panels"]
    model = edm.models.load("three_modes")
    z, labels = starts.latents(model, 16, 4, 1, "cpu")
    steps = (3, 4, 6, 8, 11)
    samplings = {"Euler": edm.Sampling(solver="euler"), "Heun": edm.Sampling()}
    points = {name: diagnostics.convergence(model.denoiser, z, s, steps, labels) for name, s in samplings.items()}
    figure = edm.plots.order(points, {"Euler": 1, "Heun": 2})
    assert_shown(panel, figure)
    labels = [line["text"] for line in panel["lines"] if line.get("mode") == "text"]
    assert labels == [list(trace.text) for trace in figure.data if trace.mode == "text"]
    assert [mark["y"] for mark in panel["marks"]] == [shape.y0 for shape in figure.layout.shapes]


def test_a_race(context, monkeypatch):
    monkeypatch.setitem(race.REFERENCE_STEPS, False, 32)
    (panel,) = final("race", lanes="ve,edm", limit="7", seeds="2")["figure"]["panels"]
    model = edm.models.load("eight_gaussians")
    latents = {seed: edm.latents(edm.seeds(seed, 400), model.shape) for seed in (0, 1)}
    lanes = {title: (model.denoiser, presets.load(f"designs/{title.lower()}").sampling) for title in ("VE", "EDM")}
    figure = edm.plots.race(diagnostics.race(lanes, latents, (2, 3, 5, 7), reference_steps=32))
    assert_shown(panel, figure)
    bands = [trace for trace in figure.data if trace.fill == "toself"]
    for line, band in zip(panel["lines"], bands, strict=True):
        np.testing.assert_allclose(band.y, [*line["high"], *reversed(line["low"])], rtol=1e-6)


class Unhurried(Context):
    """One body for each item, however quick they come."""

    def paced(self, items):
        return (([item], False) for item in items)


def test_losses(context):
    settings = INSTRUMENTS["loss"].settings(models=("spiral_mlp",))
    body, _ = next(INSTRUMENTS["loss"].respond(settings, Unhurried(context.work, context.watch, context.yours)))
    panel, density = body["figure"]["panels"]
    learned = edm.models.load("spiral_mlp")
    curves = next(
        diagnostics.losses(
            {"Spiral": learned.denoiser},
            diagnostics.held_out(learned),
            np.geomspace(0.002, 80, 24),
            exact=edm.models.load("spiral").denoiser,
            first=64,
        )
    )
    found = lines(edm.plots.loss_per_sigma(curves, designs={"EDM": edm.objective.Design()}))
    named = {line["name"]: line for line in panel["lines"]}
    np.testing.assert_allclose(found["least possible"][1], named["least possible"]["y"], rtol=1e-6)
    np.testing.assert_allclose(found["Spiral"][1], panel["lines"][0]["y"], rtol=1e-6)
    np.testing.assert_allclose(found["p<sub>train</sub>, EDM"][1], density["lines"][0]["y"], rtol=1e-6)


def test_churn_again_and_again(context):
    body = final("churn", what="rounds", rounds="4", sigma="0.5")
    model = edm.models.load("eight_gaussians")
    y, _ = diagnostics.held_out(model)(np.arange(300))
    x = y + 0.5 * edm.latents(edm.seeds(0, 300), model.shape)
    rounds = {
        f"S<sub>noise</sub> = {strength:g}": diagnostics.churn_cycles(
            model.denoiser, x, 0.5, 4, S_noise=strength, seed=1
        )
        for strength in (1.0, 1.05)
    }
    figure = edm.plots.churn(rounds, model.sigma_data)
    traces = iter(figure.data)
    for panel in body["figure"]["panels"]:
        for line in panel["lines"]:
            trace = next(traces)
            assert (trace.name, list(trace.x)) == (line["name"], line["x"])
            np.testing.assert_allclose(trace.y, line["y"], rtol=1e-6)
    assert figure.layout.shapes[0].y0 == body["figure"]["panels"][0]["marks"][0]["y"]


def test_levels_and_trajectories(context):
    experiment = Experiment(count=6, sampling={"steps": 5, "S_churn": 3, "seed": 2})
    body = finished(Picture(experiment=experiment), context.work)
    (levels, _) = edm.plots.levels(experiment.sampling).data
    np.testing.assert_allclose(levels.y, body["levels"][:-1], rtol=1e-6)
    x = np.frombuffer(base64.b64decode(body["run"]["x"]), dtype="<f4").reshape(6, 6, 2)
    paths, ends = edm.plots.trajectories(edm.runner.states(experiment)).data
    np.testing.assert_allclose(floats(paths.x).reshape(6, 7)[:, :-1], x[:, :, 0].T, rtol=1e-6)
    np.testing.assert_allclose(floats(ends.y), x[-1, :, 1], rtol=1e-6)


def test_every_instrument_draws_with_colours_and_axes_that_notebooks_know(context):
    from edm.plots.looks import PALETTE

    for name in ("preconditioning", "curvature", "order"):
        settings = INSTRUMENTS[name].settings()
        body, _ = next(INSTRUMENTS[name].respond(settings, context))
        assert {line["color"] for panel in body["figure"]["panels"] for line in panel["lines"]} <= set(PALETTE)
