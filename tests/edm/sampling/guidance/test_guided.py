"""Weights, intervals and pairs: what a guided denoiser is, and what it refuses."""

import math

import pytest
import torch

import edm
from edm import guidance
from edm.exact import GaussianMixture
from edm.sampling.denoisers import Around, evaluations_at
from edm.sampling.loop import Ode, Run
from tests.problems import gaussian, latents

MEANS, LABELS = [[-0.9, 0.2], [0.7, -0.5], [0.3, 0.9]], [0, 1, 0]
KNOWS, SAYS, WORSE = (
    GaussianMixture(MEANS, std, None, labels) for std, labels in ((0.2, LABELS), (0.2, None), (0.5, LABELS))
)
X, CLASSES = latents(4), [0, 1, 1, 0]


def refused(call, *words):
    with pytest.raises(edm.Refused) as caught:
        call()
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_for_exact_models_classifier_guidance_and_free_guidance_are_the_same():
    for weight in (-1.0, 0.5, 3.0):
        by_class = guidance.classifier(SAYS, KNOWS.log_class_probability, weight)(X, 0.6, CLASSES)
        torch.testing.assert_close(by_class, guidance.free(KNOWS, weight)(X, 0.6, CLASSES), rtol=1e-10, atol=1e-12)
        on_top = guidance.classifier(KNOWS, KNOWS.log_class_probability, weight)(X, 0.6, CLASSES)
        torch.testing.assert_close(on_top, guidance.free(KNOWS, 1 + weight)(X, 0.6, CLASSES), rtol=1e-10, atol=1e-12)


def test_of_two_gaussians_a_guided_ode_ends_with_another_width_than_the_tilted_density():
    """τ_c = ½, τ_u = 1, w = 2: τ_c²/τ_u = ¼, where the tilted density has (w/τ_c² + (1 − w)/τ_u²)^−½ = .378."""
    guided = guidance.auto(gaussian(0.5), gaussian(1.0), 2.0)
    x = edm.last(edm.sample(guided, torch.ones(1, 1, dtype=torch.float64), edm.Sampling(steps=256))).x
    assert float(x) == pytest.approx(0.25, rel=1e-3)


def test_the_interval_is_a_matter_of_the_step_also_where_somebody_steps_by_hand_or_begins_later():
    sampling, guided = edm.Sampling(steps=6, S_churn=1), guidance.free(KNOWS, 3.0, (0.5, 5.0))
    seeds, z = edm.seeds(0, 4), latents(4)
    states = list(edm.sample(guided, z, sampling, CLASSES, seeds=seeds))
    path = edm.path_of(sampling, guided)
    by_hand = Run(Ode(guided, path, CLASSES), path, edm.noise_source(seeds))
    x = path.begun(z)
    for i in range(path.steps):
        x = by_hand.step(by_hand.begin(i, x))
    assert torch.equal(x, states[-1].x) and by_hand.ode.evaluations == states[-1].evaluations
    later = edm.sample(guided, None, sampling, CLASSES, seeds=seeds, begin=(3, states[3].x))
    assert torch.equal(edm.last(later).x, states[-1].x)


def test_an_interval_counts_the_level_of_a_step_before_churn_raises_it():
    sampling = edm.Sampling(steps=4, S_churn=100)
    levels = edm.path_of(sampling).sigmas
    touching = guidance.free(KNOWS, 3.0, (levels[2], levels[1]))
    path = edm.path_of(sampling, touching)
    assert path.passes == (1, 2, 1, 1)  # guided where low < σ_i ≤ high, though σ̂_1 is above it
    assert path.evaluations == 2 + 4 + 2 + 1


def test_guided_denoisers_can_be_put_around_each_other():
    inner = guidance.free(KNOWS, 2.0, (0.5, 5.0))
    both = guidance.classifier(inner, KNOWS.log_class_probability, 0.5)
    sampling = edm.Sampling(steps=5)
    end = edm.last(edm.sample(both, X, sampling, CLASSES))
    assert end.evaluations == edm.path_of(sampling, both).evaluations > edm.path_of(sampling, inner).evaluations
    expected = inner(X, 1.0, CLASSES) + 0.5 * (KNOWS(X, 1.0, CLASSES) - KNOWS(X, 1.0))
    torch.testing.assert_close(both(X, 1.0, CLASSES), expected)
    assert evaluations_at(both, 1.0) == 3 and evaluations_at(both, 0.1) == 2


def test_an_unconditional_model_may_be_what_free_guidance_leads_away_from():
    guided = guidance.free(KNOWS, 3.0, unconditional=SAYS)
    torch.testing.assert_close(guided(X, 0.4, CLASSES), guidance.free(KNOWS, 3.0)(X, 0.4, CLASSES))


def test_a_plain_function_is_guided_too():
    plain = guidance.free(lambda x, sigma, labels=None: KNOWS(x, sigma, labels), 3.0)
    torch.testing.assert_close(plain(X, 0.4, CLASSES), guidance.free(KNOWS, 3.0)(X, 0.4, CLASSES))
    without = guidance.classifier(lambda x, sigma: SAYS(x, sigma), KNOWS.log_class_probability, 2.0)
    torch.testing.assert_close(without(X, 0.4, CLASSES), guidance.free(KNOWS, 2.0)(X, 0.4, CLASSES))


def test_rescaled_samples_have_the_size_that_they_have_without_guidance():
    plain = KNOWS(X, 0.8, CLASSES)
    for made in (guidance.free(KNOWS, 4.0, None, 1.0), guidance.auto(KNOWS, WORSE, 4.0, None, 1.0)):
        torch.testing.assert_close(made(X, 0.8, CLASSES).std(1), plain.std(1))
    half, full, none = (guidance.free(KNOWS, 4.0, None, share)(X, 0.8, CLASSES) for share in (0.5, 1.0, 0.0))
    torch.testing.assert_close(half, (full + none) / 2)
    line = GaussianMixture([[-1.0], [1.0]], 0.3, None, [0, 1])  # whose samples have no size of their own
    x = torch.ones(1, 1)
    torch.testing.assert_close(guidance.free(line, 2.0, None, 1.0)(x, 1.0, [1]), guidance.free(line, 2.0)(x, 1.0, [1]))


def test_cfg_plus_plus_steps_to_a_mean_of_both_with_the_noise_of_the_unconditional():
    sampling, share = edm.Sampling(solver="euler", steps=5, S_churn=1), 0.6
    seeds = edm.seeds(0, 4)
    states = list(edm.sample(guidance.cfgpp(KNOWS, share), X, sampling, CLASSES, seeds=seeds))
    path, noise = edm.path_of(sampling), edm.noise_source(seeds)
    x = path.begun(X)
    for i in range(path.steps):
        x = path.churned(i, x, noise(i, x)) if path.gammas[i] else x
        sigma, lower = path.hats[i], path.sigmas[i + 1]
        own, every = KNOWS(x, sigma, CLASSES), KNOWS(x, sigma)
        x = every + share * (own - every) + (lower / sigma) * (x - every)
        torch.testing.assert_close(states[i + 1].x, x, rtol=1e-9, atol=1e-11)
    own, every = KNOWS(X, 0.8, CLASSES), KNOWS(X, 0.8)
    torch.testing.assert_close(guidance.cfgpp(KNOWS, share)(X, 0.8, CLASSES), every + share * (own - every))


def test_apg_leaves_the_part_of_the_difference_that_is_perpendicular_to_the_denoised():
    own, every = KNOWS(X, 0.8, CLASSES), KNOWS(X, 0.8)
    moved = guidance.apg(KNOWS, 3.0)(X, 0.8, CLASSES) - own
    torch.testing.assert_close((moved * own).sum(1), torch.zeros(4, dtype=torch.float64), rtol=0, atol=1e-12)
    free = guidance.free(KNOWS, 3.0)(X, 0.8, CLASSES)
    torch.testing.assert_close(guidance.apg(KNOWS, 3.0, parallel=1.0)(X, 0.8, CLASSES), free)
    short = guidance.apg(KNOWS, 3.0, parallel=1.0, threshold=0.01)(X, 0.8, CLASSES) - own
    lengths = 2 * (own - every).norm(dim=1).clamp(max=0.01)
    torch.testing.assert_close(short.norm(dim=1), lengths)


def test_apg_s_momentum_goes_from_step_to_step_of_a_run_and_begins_with_it():
    sampling, z = edm.Sampling(solver="euler", steps=3), latents(4)
    states = list(edm.sample(guidance.apg(KNOWS, 2.0, parallel=1.0, momentum=-0.5), z, sampling, CLASSES))
    before = torch.zeros_like(z)
    for state in states[:-1]:
        own, every = KNOWS(state.x, state.sigma, CLASSES), KNOWS(state.x, state.sigma)
        before = own - every - 0.5 * before
        torch.testing.assert_close(state.denoised, own + before, rtol=1e-9, atol=1e-11)
    heun = edm.Sampling(steps=3)  # two evaluations a step have the same before them
    found = [edm.last(edm.sample(guidance.apg(KNOWS, 2.0, momentum=-0.5), z, heun, CLASSES)).x for _ in range(2)]
    assert torch.equal(*found)


def test_the_levels_of_both_models_are_those_that_both_know():
    known = Around(WORSE)
    known.__class__ = type("Narrow", (Around,), {"sigma_min": 0.01, "sigma_max": 50.0})
    guided = guidance.auto(KNOWS, known, 2.0)
    assert (guided.sigma_min, guided.sigma_max) == (0.01, 50.0)
    assert edm.path_of(edm.Sampling(), guided).sigmas[0] == pytest.approx(50)


class Told(Around):
    """It wants to know which samples it is asked for, and is cut like them."""

    def of_samples(self, sampling, labels, seeds):
        return self.around(f"{self.inner} {seeds}")

    def part(self, rows):
        return self.around(f"{self.inner} {rows.start}")


def test_what_belongs_to_samples_does_so_in_both_models():
    guided = guidance.auto(Told("model"), Told("guide"), 2.0)
    assert [d.inner for d in (guided.of_samples(None, [0], [7]).inner, guided.part(slice(3, 4)).guide)] == [
        "model [7]", "guide 3"
    ]  # fmt: skip
    assert [d.inner for d in (guided.of_samples(None, [0], [7]).guide, guided.part(slice(3, 4)).inner)] == [
        "guide [7]", "model 3"
    ]  # fmt: skip


@pytest.mark.parametrize("weight", [math.nan, math.inf, "2", None, True])
def test_a_weight_is_a_finite_number(weight):
    refused(lambda: guidance.free(KNOWS, weight), "weight", "finite number")


@pytest.mark.parametrize("interval", [(2.0, 0.2), (1.0, 1.0), (-1.0, 2.0), (math.nan, 1.0), (0.1,), (1, 2, 3), 5, "ab"])
def test_an_interval_is_two_levels_in_order(interval):
    refused(lambda: guidance.free(KNOWS, 2.0, interval), "interval")
    assert guidance.free(KNOWS, 2.0, (0.0, math.inf))(X, 1.0, CLASSES).isfinite().all()


def test_what_cannot_be_guided_is_refused_in_a_sentence():
    refused(lambda: guidance.free(SAYS, 2.0), "no classes")
    refused(lambda: guidance.auto(KNOWS, gaussian(0.5, dim=3), 2.0), "shape [3]", "[2]")
    refused(lambda: guidance.auto(KNOWS, SAYS, 2.0), "0 classes", "2")
    refused(lambda: guidance.free(KNOWS, 2.0)(X, 1.0), "give labels")
    refused(lambda: guidance.free(KNOWS, 2.0)(X, 1.0, [0, 1, 1, -1]), "-1")
    refused(lambda: guidance.free(KNOWS, 2.0)(X, 1.0, [0, 1, 1, 2]), "2")
    refused(lambda: guidance.free(KNOWS, 2.0, rescale=1.5), "rescale")
    refused(lambda: guidance.apg(KNOWS, 2.0, momentum=2), "momentum")
    refused(lambda: guidance.apg(KNOWS, 2.0, threshold=-1), "threshold", "0 or more")
