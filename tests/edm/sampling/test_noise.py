"""Random streams belong to samples: (seed, k) decides, and nothing else."""

from unittest import mock

import numpy as np
import pytest
import torch

import edm
from edm.base.errors import Refused


def test_latents_depend_on_their_own_seed_only():
    seeds = edm.seeds(7, 5)
    together = edm.latents(seeds, (3, 2))
    for k, seed in enumerate(seeds):
        assert torch.equal(edm.latents([seed], (3, 2))[0], together[k])
    assert torch.equal(edm.latents(edm.seeds(7, 2, start=3), (3, 2)), together[3:])


def test_precision_changes_rounding_only():
    torch.testing.assert_close(
        edm.latents([1, 2], (4,)), edm.latents([1, 2], (4,), dtype=torch.float64).float(), rtol=0, atol=0
    )


def test_no_two_samples_of_neighbouring_runs_are_alike():
    z = torch.cat([edm.latents(edm.seeds(seed, 50), (4,)) for seed in range(20)])
    assert len(torch.unique(z, dim=0)) == len(z)


def test_latents_and_churn_are_independent_unit_normals():
    seeds = edm.seeds(0, 4000)
    z = edm.latents(seeds, (4,), dtype=torch.float64)
    noise = edm.noise_source(seeds)
    first, second = noise(0, z), noise(1, z)
    for a in (z, first, second):
        assert float(a.mean()) == pytest.approx(0, abs=0.03)
        assert float(a.std()) == pytest.approx(1, abs=0.03)
    for a, b in ((z, first), (first, second), (z, second)):
        assert float((a * b).mean()) == pytest.approx(0, abs=0.03)


def test_noise_of_a_sample_does_not_depend_on_the_batch_it_is_drawn_in(monkeypatch):
    seeds = edm.seeds(1, 6)
    x = torch.zeros(6, 2, dtype=torch.float64)
    whole, part = edm.noise_source(seeds), edm.noise_source(seeds[4:])
    for i in range(70):  # longer than what is drawn ahead
        assert torch.equal(whole(i, x)[4:], part(i, x[4:]))
    monkeypatch.setattr("edm.sampling.noise.AHEAD", 1)
    sparse, whole = edm.noise_source(seeds), edm.noise_source(seeds)
    assert torch.equal(sparse(0, x), whole(0, x))


@pytest.mark.parametrize("bad", [[], [-1], [1.5], ["a"]])
def test_bad_seeds_are_refused(bad):
    with pytest.raises(ValueError, match="seed"):
        edm.latents(bad, (2,))


@pytest.mark.parametrize("bad", [("a", 3), (0.5, 3), (0, -1), (0, 2.0), (1, 3, -5), (-1, 3), (None, 3)])
def test_samples_are_numbered_from_0_in_runs_that_are_numbered_from_0(bad):
    with pytest.raises(Refused, match="give integers of 0 or more"):
        edm.seeds(*bad)


def test_a_noise_source_is_for_its_own_batch():
    with pytest.raises(ValueError, match="2 seeds"):
        edm.noise_source([1, 2])(0, torch.zeros(3, 2))


def noise_of(seeds, count=40):
    source, x = edm.noise_source(seeds), torch.zeros(len(seeds), 2)
    return [source(i, x) for i in range(count)]


def test_noise_of_the_same_samples_is_drawn_once_for_the_runs_that_follow():
    with mock.patch.object(np.random, "default_rng", wraps=np.random.default_rng) as streams:
        first = noise_of(edm.seeds(99, 6))
        first[0].zero_()  # what one run does with its noise is no other's matter
        again = noise_of(edm.seeds(99, 6))
        assert streams.call_count == 6 and all(map(torch.equal, first[1:], again[1:])) and again[0].any()
        assert not torch.equal(noise_of(edm.seeds(98, 6))[0], again[0]) and streams.call_count == 12


@pytest.mark.parametrize("kept", [0, 3 * 32 * 12])
def test_what_is_not_kept_is_the_same_noise(monkeypatch, kept):
    x, seeds = torch.zeros(6, 2, dtype=torch.float64), edm.seeds(97, 6)
    whole = edm.noise_source(seeds)
    expected = [whole(i, x) for i in range(170)]
    monkeypatch.setattr("edm.sampling.noise.KEPT", kept)
    for _ in range(2):
        some = edm.noise_source(seeds)
        assert all(torch.equal(some(i, x), one) for i, one in enumerate(expected))
