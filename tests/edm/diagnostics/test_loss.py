"""The loss per σ against closed forms."""

import itertools
import math

import numpy as np
import pytest
import torch

from edm import diagnostics, models
from edm.base import streams
from edm.exact import GaussianMixture
from edm.training.loss import per_sigma
from edm.training.settings import trained_as
from tests.problems import gaussian, smooth_mixture

SIGMAS = np.geomspace(0.02, 50, 7)
C = 0.7


def normal_draw(std=C, dim=1, start=0):
    def draw(indices):
        return std * streams.normals(9, 1, np.asarray(indices) + start, (dim,)), None

    return draw


def mixture_draw(mixture):
    return lambda indices: (mixture.quantiles(streams.uniforms(4, 1, indices, 3)).double(), None)


def after(curves, count):
    """The first result with at least `count` samples at every σ; then the generator is closed."""
    try:
        return next(curve for curve in curves if next(iter(curve.values())).count.min() >= count)
    finally:
        curves.close()


def shrinking(a):
    return lambda x, sigma: a * x


class Recording:
    """A denoiser that remembers how many rows, which levels, noisy samples and labels each call had."""

    def __init__(self, denoiser=lambda x, sigma: 0.5 * x):
        self.denoiser, self.rows, self.sigmas, self.x, self.labels = denoiser, [], [], [], []

    def __call__(self, x, sigma, labels=None):
        self.rows.append(len(x))
        self.sigmas.append(torch.as_tensor(sigma).double().expand(len(x)))
        self.x.append(x)
        self.labels.append(labels)
        return self.denoiser(x, sigma)


def test_gaussian_data_have_the_closed_forms_of_floor_loss_and_gap():
    """D = a·x: loss (1 − a)²c² + a²σ², floor σ²c²/(σ² + c²), gap (a − a*)²(σ² + c²) with a* = c²/(σ² + c²)."""
    a, variance = 0.3, SIGMAS**2
    curves = after(diagnostics.losses({"a": shrinking(a)}, normal_draw(), SIGMAS, exact=gaussian(C)), 20_000)
    floor, loss, gap = curves["floor"], curves["a"], curves["a"].gap
    expected = {
        "floor": (floor, variance * C**2 / (variance + C**2)),
        "loss": (loss, (1 - a) ** 2 * C**2 + a**2 * variance),
        "gap": (gap, (a - C**2 / (variance + C**2)) ** 2 * (variance + C**2)),
    }
    np.testing.assert_allclose(expected["floor"][1] + expected["gap"][1], expected["loss"][1], rtol=1e-12)
    for name, (curve, exact) in expected.items():
        # four standard errors: all 21 together fail once in 750 seeds
        assert (np.abs(curve.mean - exact) < 4 * curve.stderr).all(), name
        assert (curve.stderr < 0.05 * exact).all() and (curve.count == floor.count).all()
        assert (curve.low < curve.mean).all() and (curve.mean < curve.high).all()
    assert floor.gap is None and list(curves) == ["floor", "a"]


def test_loss_is_floor_plus_gap_for_any_denoiser():
    """Orthogonality: (loss − floor − gap) has mean 0, and here a spread no larger than twice the loss's."""
    mixture = smooth_mixture()
    denoisers = {"shrinking": shrinking(0.6), "bent": lambda x, sigma: torch.tanh(mixture(x, sigma)) + 0.1}
    curves = after(diagnostics.losses(denoisers, mixture_draw(mixture), SIGMAS, exact=mixture), 10_000)
    for name in denoisers:
        curve = curves[name]
        rest = curve.mean - curves["floor"].mean - curve.gap.mean
        assert (np.abs(rest) < 4 * 2 * curve.stderr).all()
        assert (curve.gap.mean > 0).all() and (curves["floor"].mean < curve.mean).all()


def test_the_floor_of_a_point_set_vanishes_at_low_noise_and_is_its_variance_at_high_noise():
    """Two Diracs at ±1: a point is mistaken with probability Q(1/σ), and at σ → ∞ D* is the mean."""
    model = models.load("two_diracs")
    floor = after(diagnostics.losses({}, diagnostics.held_out(model), [1e-3, 0.05, 1e3], exact=model.denoiser), 4000)[
        "floor"
    ]
    assert floor.mean[:2] == pytest.approx(0, abs=1e-12)
    assert floor.mean[2] == pytest.approx(1, abs=1e-2)


def test_the_result_does_not_depend_on_rounds_or_batches():
    """The same samples 0 … 191, in rounds of other sizes; computed at once by hand, too. Float64 rounding remains."""
    mixture = smooth_mixture()
    draw = mixture_draw(mixture)
    results = [
        after(diagnostics.losses({"d": mixture}, draw, SIGMAS, seed=3, first=first, most=most), 192)["d"]
        for first, most in ((64, 128), (1, 1), (192, 10_000), (64, 64))
    ]
    y, n = draw(range(192))[0], streams.normals(3, streams.Purpose.VALIDATION, range(192), (2,))
    for curve in results:
        assert (curve.count == 192).all()
        for i, sigma in enumerate(SIGMAS):
            squares = (mixture(y + sigma * n, sigma) - y).square().mean(1).numpy()
            assert curve.mean[i] == pytest.approx(squares.mean(), rel=1e-9)
            assert curve.stderr[i] == pytest.approx(squares.std(ddof=1) / math.sqrt(192), rel=1e-9)


def test_running_moments_do_not_cancel():
    """Errors of 1e12·(1 ± 1e-9): sums of squares in float64 would know nothing of their spread."""

    def draw(indices):
        return torch.zeros(len(indices), 1, dtype=torch.float64), None

    def far(x, sigma):
        return 1e6 * (1 + 1e-9 * x.sign())

    curve = after(diagnostics.losses({"far": far}, draw, [1.0]), 4000)["far"]
    assert curve.mean[0] == pytest.approx(1e12)
    assert curve.stderr[0] * math.sqrt(curve.count[0]) == pytest.approx(2e3, rel=0.01)


@pytest.mark.parametrize("count", [6, 256])
def test_the_bands_cover_what_they_promise(count):
    """200 repeats of the floor of N(0, c²), whose squared errors are c²σ²/(c² + σ²)·χ²/2 in two dimensions.

    Binomial(200, 0.95) is 190 ± 3.1; the errors' skewness costs small samples a few per cent, which the bounds allow.
    """
    sigma, covered = 0.5, 0
    exact = sigma**2 * C**2 / (sigma**2 + C**2)
    for repeat in range(200):
        draw = normal_draw(dim=2, start=repeat * count)
        curve = after(
            diagnostics.losses({"d": gaussian(C, dim=2)}, draw, [sigma], seed=repeat, first=count, most=count), count
        )
        covered += bool(curve["d"].low[0] <= exact <= curve["d"].high[0])
    assert (165 if count < 20 else 180) <= covered <= 199


def test_all_denoisers_and_levels_share_data_and_noise():
    """x(σ) − x(σ') = (σ − σ')·n for the same n, and every denoiser is given the same x."""
    first, second = Recording(), Recording()
    curves = diagnostics.losses({"a": first, "b": second}, normal_draw(), [0.5, 2.0], first=8)
    next(curves)
    torch.testing.assert_close(torch.cat(first.x), torch.cat(second.x), rtol=0, atol=0)
    low, high = torch.cat(first.x)[:8], torch.cat(first.x)[8:]
    torch.testing.assert_close(high - low, 1.5 * streams.normals(0, streams.Purpose.VALIDATION, range(8), (1,)))
    assert torch.cat(first.sigmas).tolist() == [0.5] * 8 + [2.0] * 8


@pytest.mark.parametrize(("shape", "samples"), [((2,), 64), ((1, 8, 8), 4), ((3, 32, 32), 4)])
def test_the_first_curve_is_early_and_closing_stops_the_work(shape, samples):
    denoisers = {"a": Recording(), "b": Recording()}
    sigmas = np.geomspace(0.01, 80, 30)
    curves = diagnostics.losses(denoisers, lambda indices: (torch.zeros(len(indices), *shape), None), sigmas)
    assert not denoisers["a"].rows
    rough = next(curves)
    for name, denoiser in denoisers.items():
        assert sum(denoiser.rows) == samples * len(sigmas)
        assert max(denoiser.rows) <= max(16, 8192 // math.prod(shape))
        assert (rough[name].count == samples).all()
    calls = []
    for _ in range(10):
        finer = next(curves)
        calls.append(len(denoisers["b"].rows))
        assert (finer["a"].count == finer["b"].count).all()
    assert (np.diff(calls) == 1).all()  # one evaluation of each between two results
    curves.close()
    assert len(denoisers["b"].rows) == calls[-1] and (rough["a"].count == samples).all()


def test_one_sample_has_no_band():
    curve = next(diagnostics.losses({"d": gaussian(C)}, normal_draw(), SIGMAS, first=1))["d"]
    assert np.isnan(curve.stderr).all() and np.isnan(curve.low).all() and np.isfinite(curve.mean).all()


def test_a_denoiser_that_breaks_down_has_an_infinite_loss_and_no_warning(recwarn):
    def broken(x, sigma):
        return x / 0

    curve = after(diagnostics.losses({"d": broken, "fine": gaussian(C)}, normal_draw(), SIGMAS), 100)
    assert not np.isfinite(curve["d"].mean).any() and np.isfinite(curve["fine"].mean).all() and not recwarn


class TestLabels:
    @staticmethod
    def mixture():
        return GaussianMixture([[-1.0], [1.0]], 0.3, labels=[0, 1])

    @staticmethod
    def draw(indices):
        labels = torch.as_tensor(np.asarray(indices) % 2)
        return (2 * labels - 1).double()[:, None] + 0.3 * streams.normals(2, 5, indices, (1,)), labels

    def test_those_with_classes_get_them_and_the_caller_can_say_otherwise(self):
        wrapped, plain = Recording(), Recording()
        wrapped.classes = 2
        next(diagnostics.losses({"a": wrapped, "b": plain}, self.draw, SIGMAS))
        assert all(labels is not None for labels in wrapped.labels)
        assert all(labels is None for labels in plain.labels)
        wrapped, plain = Recording(), Recording()
        next(diagnostics.losses({"a": wrapped, "b": plain}, self.draw, [1.0, 2.0], first=4, conditional=["b"]))
        assert all(labels is None for labels in wrapped.labels)
        assert torch.cat(plain.labels).tolist() == [0, 1, 0, 1] * 2

    def test_labels_lower_the_floor_to_that_of_one_component(self):
        exact, sigmas = self.mixture(), [0.5, 1.0, 3.0]
        told = after(diagnostics.losses({}, self.draw, sigmas, exact=exact, conditional=["floor"]), 5000)["floor"]
        untold = after(diagnostics.losses({}, self.draw, sigmas, exact=exact), 5000)["floor"]
        one = np.square(sigmas) * 0.3**2 / (np.square(sigmas) + 0.3**2)
        assert (np.abs(told.mean - one) < 4 * told.stderr).all()
        assert (untold.low > told.high).all()

    def test_the_floor_is_told_the_labels_when_another_denoiser_is(self):
        exact = self.mixture()
        curves = after(diagnostics.losses({"same": self.mixture()}, self.draw, SIGMAS, exact=exact), 500)
        np.testing.assert_array_equal(curves["same"].gap.mean, 0)
        np.testing.assert_array_equal(curves["same"].mean, curves["floor"].mean)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"sigmas": [1.0, 0.0]}, "sigmas contain 0"),
        ({"sigmas": [math.nan]}, "sigmas contain nan"),
        ({"sigmas": []}, "1 to 1000"),
        ({"sigmas": np.ones(1001)}, "1 to 1000"),
        ({"denoisers": {}}, "no denoiser"),
        ({"denoisers": {"floor": gaussian(C)}, "exact": gaussian(C)}, "'floor'"),
        ({"conditional": ["b"]}, "'b'"),
        ({"first": 0}, "first = 0"),
    ],
)
def test_bad_arguments_are_refused_at_once(arguments, sentence):
    arguments = {"denoisers": {"a": gaussian(C)}, "draw": normal_draw(), "sigmas": SIGMAS, **arguments}
    with pytest.raises(ValueError, match=sentence):
        diagnostics.losses(**arguments)


def test_data_and_outputs_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="'a' works on samples of shape"):
        next(diagnostics.losses({"a": gaussian(C, dim=2)}, normal_draw(), SIGMAS))
    with pytest.raises(ValueError, match="'a' returned"):
        next(diagnostics.losses({"a": lambda x, sigma: x[:1]}, normal_draw(), SIGMAS))


def test_a_shipped_model_reads_as_its_own_run_measured_it():
    """The same images, noise and levels as the run's validation: its numbers, within float32 on another machine."""
    model = models.load("digits_edm")
    metrics, count = model.header.metrics, trained_as(model.header).validation
    sigmas = metrics.sigmas[1::4]
    draw = diagnostics.held_out(model)
    curve = after(diagnostics.losses({"d": model.denoiser}, draw, sigmas, first=16, most=16), count)["d"]
    assert (curve.count == count).all()
    np.testing.assert_allclose(curve.mean, metrics.validation[1::4], rtol=1e-3)
    y, labels = draw(range(100, 160))
    other = per_sigma(model.denoiser, y, labels, sigmas, seed=1)
    # another 60 images and other noise: the difference has about √2 of one's standard error
    assert (np.abs(curve.mean - other) < 4 * math.sqrt(2) * curve.stderr).all()


def test_the_gap_field_of_two_gaussians_is_linear():
    """N(0, a²) taken for N(0, b²): (b²/(σ² + b²) − a²/(σ² + a²))·x."""
    grid, sigma, a, b = diagnostics.window_grid(2, 2, 5, 5).double(), 0.8, 0.5, 0.9
    gap = diagnostics.gap_field(gaussian(b, dim=2), gaussian(a, dim=2), grid, sigma)
    factor = b**2 / (sigma**2 + b**2) - a**2 / (sigma**2 + a**2)
    torch.testing.assert_close(gap, factor * grid)
    with pytest.raises(ValueError, match="sigma = 0"):
        diagnostics.gap_field(gaussian(b, dim=2), gaussian(a, dim=2), grid, 0)


def test_the_gap_curve_is_the_mean_square_of_the_gap_field():
    a, b, sigma, count = 0.5, 0.9, 0.8, 64
    draw = normal_draw(std=a, dim=2)
    curves = itertools.islice(diagnostics.losses({"d": gaussian(b, 2)}, draw, [sigma], exact=gaussian(a, 2)), 1)
    x = draw(range(count))[0] + sigma * streams.normals(0, streams.Purpose.VALIDATION, range(count), (2,))
    field = diagnostics.gap_field(gaussian(b, 2), gaussian(a, 2), x, sigma)
    assert next(curves)["d"].gap.mean[0] == pytest.approx(float(field.square().mean()))
