"""Upsampling diffusion: exact where it can be, a denoiser of x alone once its low-resolution images are given."""

import json
from pathlib import Path

import pytest
import torch
from torch.nn import functional

import edm
from edm import networks
from edm.base.errors import Refused
from edm.preconditioning import EDM, IDDPM
from edm.sampling.cascade import Cascade
from edm.sampling.denoisers import part
from edm.sampling.ideal_upsampling import IdealUpsampler
from edm.sampling.upsampling import Low, Upsampler, lowered, raised, told

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "guidance_more.json").read_text())["cascade"]
SHAPE = (1, 4, 4)
IMAGES = torch.tensor(GOLDEN["images"], dtype=torch.float64).view(-1, *SHAPE)
X = torch.tensor(GOLDEN["x"], dtype=torch.float64).view(-1, *SHAPE)
Z = torch.tensor(GOLDEN["z"], dtype=torch.float64).view(-1, 1, 2, 2)
IDEAL = IdealUpsampler(IMAGES, 2)
FEW = edm.Sampling(steps=6)


class Seen:
    """A network that notes what it is given; it answers with the second half of the channels that it sees."""

    def __call__(self, x, c_noise, **told):
        self.x, self.told = x, told
        return x[:, x.shape[1] // 2 :]


def upsampler(low=None, preconditioning=None, network=None):
    low = low or Low(resolution=2, noise=0.3, sigma_data=0.5)
    return Upsampler(network or Seen(), low, preconditioning or EDM(0.5), SHAPE, 3)


def tiny():
    torch.manual_seed(0)
    sizes = {"resolution": 4, "channels": 8, "channel_mult": (1, 2), "blocks": 1, "attention": ()}
    network = networks.build("ddpmpp", in_channels=2, out_channels=1, level=True, **sizes)
    with torch.no_grad():
        network.out_conv.weight.copy_(torch.randn_like(network.out_conv.weight))
    return upsampler(network=network.requires_grad_(False))


def cascade(**how):
    return Cascade(IDEAL, edm.exact.PointSet(lowered(IMAGES, 2)), **{"sigma_c": 0.2, **how})


def drawn(denoiser, numbers, sampling=FEW):
    seeds = edm.seeds(3, len(numbers), numbers.start)
    z = edm.latents(seeds, SHAPE, torch.float64)
    return edm.last(edm.sample(denoiser, z, sampling, seeds=seeds)).x


@pytest.mark.parametrize("case", GOLDEN["pointwise"], ids=lambda case: f"{case['sigma']}-{case['sigma_c']}")
def test_the_ideal_upsampler_is_the_golden_one(case):
    ideal = IDEAL.given(Z, case["sigma_c"])
    weights = torch.tensor(case["weights"], dtype=torch.float64)
    torch.testing.assert_close(ideal.weights(X, case["sigma"]), weights, rtol=0, atol=1e-11)
    expected = torch.tensor(case["D"], dtype=torch.float64)
    torch.testing.assert_close(ideal(X, case["sigma"]).flatten(1), expected, rtol=1e-9, atol=1e-11)


def test_a_low_resolution_image_is_as_good_as_more_coordinates_of_x():
    sigma, sigma_c = 0.7, 0.3
    scale = sigma / sigma_c
    joint = edm.exact.PointSet(torch.cat([IMAGES.flatten(1), scale * lowered(IMAGES, 2).flatten(1)], 1))
    asked = torch.cat([X.flatten(1), scale * Z.flatten(1)], 1)
    torch.testing.assert_close(IDEAL.given(Z, sigma_c)(X, sigma).flatten(1), joint(asked, sigma)[:, :16])


def test_the_network_sees_the_low_resolution_image_scaled_by_its_own_noise_and_is_told_of_it():
    seen, sigma_c = Seen(), torch.tensor([0.1, 0.3])
    upsampler(network=seen).given(Z.float(), sigma_c)(X.float(), 2.0)
    torch.testing.assert_close(seen.x[:, :1], EDM(0.5).c_in(2.0).float() * X.float())
    size = (sigma_c**2 + 0.25).sqrt().view(-1, 1, 1, 1)
    up = functional.interpolate(Z.float(), size=(4, 4), mode="bilinear", align_corners=False)
    torch.testing.assert_close(seen.x[:, 1:], up / size)
    torch.testing.assert_close(seen.told["level"], sigma_c.log() / 4)


def test_a_published_upsampler_sees_it_as_it_is_and_is_told_of_no_noise():
    seen = Seen()
    upsampler(Low(resolution=2), IDDPM(), seen).given(Z)(X, 2.0)
    assert torch.equal(seen.x[:, 1:], raised(Z, 4))
    assert seen.told == {}


def test_what_the_network_is_told_of_no_noise_is_a_number():
    assert told(torch.zeros(2)).isfinite().all()


def test_a_fresh_network_heeds_no_noise_level_of_its_low_resolution_image():
    x, z, network = X.float(), Z.float(), tiny()
    up = raised(z, 4)
    answers = [network.beside(x, 1.0, None, None, up, told(torch.tensor([s]))) for s in (0.02, 0.3)]
    assert answers[0].std() > 0
    assert torch.equal(*answers)


def test_without_its_low_resolution_images_it_refuses():
    with pytest.raises(Refused, match=r"denoiser.given\(z, sigma_c\)"):
        upsampler()(X, 1.0)
    with pytest.raises(Refused, match=r"upsamples \[B, 1, 2, 2\]"):
        upsampler().given(X)
    with pytest.raises(Refused, match="above 0"):
        IDEAL.given(Z, 0.0)


@pytest.mark.parametrize("denoiser", [IDEAL.given(Z, 0.2), tiny().given(Z.float(), torch.tensor([0.1, 0.3]))])
def test_a_batch_may_be_doubled_and_cut(denoiser):
    x = X.float()
    whole = denoiser(x, 1.0)
    twice = denoiser(torch.cat([x, x]), 1.0)
    torch.testing.assert_close(twice, torch.cat([whole, whole]))
    torch.testing.assert_close(part(denoiser, slice(1, 2))(x[1:], 1.0), whole[1:])
    torch.testing.assert_close(part(denoiser, slice(2, 4))(x, 1.0), whole)


def test_sample_k_of_a_cascade_is_the_same_alone_and_in_a_batch():
    sampling = FEW.changed(S_churn=5)
    batch = drawn(cascade(), range(4), sampling)
    alone = drawn(cascade(), range(2, 3), sampling)
    torch.testing.assert_close(alone[0], batch[2], rtol=1e-9, atol=1e-9)
    assert (batch[0] - batch[1]).abs().max() > 0.1


def test_a_cascade_of_ideal_denoisers_ends_at_images_whose_low_resolution_is_the_base_s():
    seeds = edm.seeds(0, 12)
    exact, sampling = cascade(sigma_c=0.02), edm.Sampling(steps=18)
    like = torch.empty(0, *SHAPE, dtype=torch.float64)
    base = exact.low(sampling, None, seeds, like)
    z = edm.latents(seeds, SHAPE, torch.float64)
    found = edm.last(edm.sample(exact, z, sampling, seeds=seeds)).x
    assert torch.cdist(found.flatten(1), IMAGES.flatten(1)).amin(1).max() < 0.01
    assert (lowered(found, 2) - base).abs().max() < 0.1


def test_a_cascade_s_noise_is_one_n_for_each_image_and_its_base_may_take_other_steps():
    seeds, like = edm.seeds(1, 3), torch.empty(0, *SHAPE, dtype=torch.float64)
    clean, noisy = (cascade(sigma_c=s, steps=3).low(FEW, None, seeds, like) for s in (0.0, 0.5))
    n = (noisy - clean) / 0.5
    torch.testing.assert_close(n, edm.sampling.noise.low_noise(seeds, (1, 2, 2), torch.float64))
    assert cascade(steps=3).base_sampling(FEW).steps == 3
    assert cascade().base_sampling(FEW) is FEW


def test_a_cascade_has_to_know_which_samples_are_asked_for():
    with pytest.raises(Refused, match="seeds"):
        edm.last(edm.sample(cascade(), edm.latents([1], SHAPE), FEW))
    with pytest.raises(Refused, match="seeds"):
        cascade()(X, 1.0)
