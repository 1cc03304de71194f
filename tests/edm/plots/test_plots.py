"""Figures for notebooks: their numbers are those of the library, and nothing but their own file needs Plotly."""

import numpy as np
import pytest

import edm
from edm import diagnostics
from edm.objective import Design
from edm.plots import drawn, panels

MODEL = edm.models.load("eight_gaussians")


def sampled(name="eight_gaussians", count=5, **settings):
    model = edm.models.load(name)
    sampling = edm.Sampling(**{"steps": 4, **settings})
    seeds = edm.seeds(0, count)
    return list(edm.sample(model.denoiser, edm.latents(seeds, model.shape), sampling, seeds=seeds))


def floats(values):
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def test_trajectories_in_the_plane_are_x_over_s_with_a_gap_after_each():
    states = sampled(schedule="vp", scaling="vp", discretization="vp")
    paths, ends = edm.plots.trajectories(iter(states)).data
    x = np.stack([(state.x / state.scale).numpy() for state in states])
    drawn_x = floats(paths.x).reshape(5, 6)
    assert np.isnan(drawn_x[:, -1]).all()
    np.testing.assert_allclose(drawn_x[:, :-1], x[:, :, 0].T, rtol=1e-6)
    np.testing.assert_allclose(floats(ends.y), x[-1, :, 1], rtol=1e-6)


def test_trajectories_in_one_dimension_are_the_state_over_time():
    states = sampled("two_diracs", schedule="ve")
    figure = edm.plots.trajectories(states)
    (paths,) = figure.data
    np.testing.assert_allclose(floats(paths.x).reshape(5, 6)[0, :-1], [state.t for state in states], rtol=1e-6)
    np.testing.assert_allclose(floats(paths.y).reshape(5, 6)[2, :-1], [float(s.x[2]) for s in states], rtol=1e-6)
    assert "time t" in figure.layout.xaxis.title.text


def test_trajectories_of_images_are_a_sheet_of_what_the_denoiser_makes_of_them():
    (sheet,) = edm.plots.trajectories(sampled("digits", count=2)).data
    states = sampled("digits", count=2)
    scale = edm.render.scale_of((1, 8, 8))
    layout = edm.render.sheet(10, 8 * scale, 8 * scale, columns=5)
    assert np.shape(sheet.z)[:2] == layout.size[::-1]
    left, top = layout.place(9)  # the second sample, at the last level
    last = np.asarray(sheet.z)[top : top + 64 : scale, left : left + 64 : scale, 0]
    np.testing.assert_array_equal(last, edm.render.to_uint8(states[-1].denoised[1, 0]))


def test_what_has_no_paths_is_refused_with_a_sentence():
    x = edm.latents([0], (3,))
    states = list(edm.sample(lambda x, sigma: 0 * x, x, edm.Sampling(steps=2)))
    with pytest.raises(ValueError, match="points in one or two dimensions"):
        edm.plots.trajectories(states)


def test_levels_are_those_of_the_path_and_noise_raises_them():
    sampling = edm.Sampling(steps=6, S_churn=2, S_tmax=10)
    denoiser = edm.models.load("digits_iddpm").denoiser
    figure = edm.plots.levels({"a": sampling, "edm": sampling.changed(S_churn=0)}, denoiser)
    a, raised, plain = figure.data
    path = edm.path_of(sampling, denoiser)
    np.testing.assert_allclose(a.y, path.sigmas[:-1], rtol=1e-6)
    assert list(a.x) == list(range(path.steps)) and list(plain.y) == list(a.y)
    assert list(raised.x) == [i for i, gamma in enumerate(path.gammas) if gamma]
    assert all(above > path.sigmas[i] for i, above in zip(raised.x, raised.y, strict=True))
    assert figure.layout.yaxis.type == "log"


def test_losses_may_be_weighed_and_stand_over_p_train():
    learned = edm.models.load("spiral_mlp")
    sigmas = np.geomspace(0.01, 10, 5)
    stream = diagnostics.losses(
        {"learned": learned.denoiser}, diagnostics.held_out(learned), sigmas, exact=edm.data.load("spiral").denoiser
    )
    curves = next(stream)
    raw = {trace.name: trace for trace in edm.plots.loss_per_sigma(curves).data if trace.name}
    np.testing.assert_allclose(raw["learned"].y, curves["learned"].mean, rtol=1e-6)
    figure = edm.plots.loss_per_sigma(curves, "edm", 0.4, {"EDM": Design()})
    weighed = {trace.name: trace for trace in figure.data if trace.name}
    factor = diagnostics.loss_weight("edm", sigmas, 0.4)
    np.testing.assert_allclose(weighed["least possible"].y, factor * curves["floor"].mean, rtol=1e-6)
    density = weighed["p<sub>train</sub>, EDM"]
    np.testing.assert_allclose(density.y, diagnostics.training_density(Design(), np.array(density.x)), rtol=1e-5)
    assert figure.layout.xaxis.matches == "x2" and "λ(σ)" in figure.layout.yaxis.title.text


def test_a_race_has_a_line_for_each_lane_and_intervals_over_seeds():
    lanes = {name: (MODEL.denoiser, edm.presets.load(f"designs/{name}").sampling) for name in ("ve", "edm")}
    latents = {seed: edm.latents(edm.seeds(seed, 20), MODEL.shape) for seed in (0, 1)}
    points = list(diagnostics.race(lanes, latents, (3, 9), reference_steps=32))
    figure = edm.plots.race(points)
    ve = next(trace for trace in figure.data if trace.name == "ve")
    assert list(ve.x) == [3, 9]
    np.testing.assert_allclose(ve.y, [p.value for p in points if p.lane == "ve"], rtol=1e-6)
    assert sum(trace.fill == "toself" for trace in figure.data) == 2
    assert "RMS error" in figure.layout.yaxis.title.text
    assert edm.plots.race(points, "frechet", 192).layout.yaxis.title.text.startswith("Fréchet distance of 192 images")


def test_an_order_is_written_beside_its_line():
    model = edm.models.load("three_modes")
    latents = edm.latents(edm.seeds(0, 4), model.shape)
    points = list(diagnostics.convergence(model.denoiser, latents, edm.Sampling(), (16, 32, 64)))
    figure = edm.plots.order({"Heun": points}, {"Heun": 2})
    (label,) = (trace.text[0] for trace in figure.data if trace.mode == "text")
    assert label.strip().startswith(f"order {diagnostics.fitted_order(points).order:.2f}")
    assert {trace.name for trace in figure.data} == {"slope −2", "Heun", None}
    assert len(edm.plots.order(iter(points)).data) == 2  # one sampler, without a claim: its line and its order


def test_churn_shows_how_the_spread_changes_round_by_round():
    x = 0.5 * edm.latents(edm.seeds(0, 30), (2,))
    rounds = list(diagnostics.churn_cycles(MODEL.denoiser, x, 0.4, 3))
    figure = edm.plots.churn(rounds, MODEL.sigma_data)
    spread, denoised = figure.data
    np.testing.assert_allclose(spread.y, [diagnostics.spread(part.x) for part in rounds], rtol=1e-6)
    np.testing.assert_allclose(denoised.y, [diagnostics.spread(part.denoised) for part in rounds], rtol=1e-6)
    assert figure.layout.shapes[0].y0 == pytest.approx(np.hypot(0.4, MODEL.sigma_data))


def test_what_is_not_finite_is_a_gap():
    assert panels.rounded([1 / 3, np.nan, np.inf]) == [0.3333333, None, None]
    line = {"name": "a", "x": [1, 2], "y": [1.0, None], "low": [0.5, None], "high": [2.0, None]}
    band, trace = drawn.figure([{"lines": [line]}]).data
    assert trace.y == (1.0, None) and list(band.y) == [2.0, 0.5]
