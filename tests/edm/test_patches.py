"""The patchwise ideal denoiser against brute force, and between single pixels' neighbourhoods and the whole image."""

import pytest
import torch

import edm
from edm import patches
from edm.data import sources
from edm.data.settings import Data
from edm.evaluation import copies
from edm.exact import PointSet
from tests import pretended

GENERATOR = torch.Generator().manual_seed(3)
IMAGES = torch.randn(23, 3, 5, 4, generator=GENERATOR, dtype=torch.float64)
LABELS = torch.arange(23) % 3
X = torch.randn(6, 3, 5, 4, generator=GENERATOR, dtype=torch.float64)
WANTED = torch.tensor([2, 0, 1, 1, 2, 0])
LEVELS = torch.tensor([0.05, 0.4, 1.0, 7.0, 0.3, 60.0], dtype=torch.float64)


def brute_force(images, x, sigma, k):
    """D of one sample [C, H, W], pixel by pixel, image by image."""
    made, reach = torch.empty_like(x), k // 2
    for row in range(x.shape[1]):
        for column in range(x.shape[2]):
            patch = (
                ...,
                slice(max(0, row - reach), row + reach + 1),
                slice(max(0, column - reach), column + reach + 1),
            )
            distances = torch.stack([(x[patch] - image[patch]).square().sum() for image in images])
            weights = (-distances / (2 * sigma**2)).softmax(0)
            made[:, row, column] = sum(w * image[:, row, column] for w, image in zip(weights, images, strict=True))
    return made


def close(got, expected, tolerance=1e-10):
    torch.testing.assert_close(got, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("k", [3, 5, 7])
def test_a_pixel_is_what_its_patch_would_be_as_the_whole_image(k):
    denoiser = PointSet(IMAGES, LABELS, patch=k)
    each, of_class = denoiser(X, LEVELS), denoiser(X, LEVELS, WANTED)
    for i in (0, 3, 4):
        close(each[i], brute_force(IMAGES, X[i], LEVELS[i], k))
        close(of_class[i], brute_force(IMAGES[WANTED[i] == LABELS], X[i], LEVELS[i], k))


@pytest.mark.parametrize("shape", [(1, 6, 6), (3, 5, 8)])
def test_patches_that_hold_the_whole_image_are_the_ideal_denoiser(shape):
    images, x = torch.randn(9, *shape, dtype=torch.float64), torch.randn(4, *shape, dtype=torch.float64)
    whole = 2 * max(shape[1:]) - 1
    ideal = PointSet(images)(x, 0.7)
    for k in (whole, whole + 2, 99):
        close(PointSet(images, patch=k)(x, 0.7), ideal)
    nearly = PointSet(images, patch=whole - 2)(x, 0.7)
    close(nearly[..., 1:-1, 1:-1], ideal[..., 1:-1, 1:-1])  # whose patches reach every border, too
    assert not torch.allclose(nearly, ideal)


def test_what_is_moved_inside_its_frame_is_denoised_there():
    """Of images with empty borders, that are wide enough for no patch to see the difference."""
    small = torch.randn(7, 1, 4, 4, dtype=torch.float64)
    here, there = (torch.nn.functional.pad(small, (3 + k, 5 - k, 3 + k, 5 - k)) for k in (0, 2))
    noise = torch.randn(12, 12, dtype=torch.float64)
    x = here[:3] + 0.4 * noise
    moved = there[:3] + 0.4 * noise.roll((2, 2), (0, 1))
    close(PointSet(here, patch=3)(x, 0.4)[..., 3:7, 3:7], PointSet(there, patch=3)(moved, 0.4)[..., 5:9, 5:9])


@pytest.mark.parametrize("room", [1, 20 * 5, 20 * 40])
def test_parts_change_nothing(monkeypatch, room):
    whole = [PointSet(IMAGES, LABELS, patch=3)(X, LEVELS, labels) for labels in (None, WANTED)]
    monkeypatch.setattr(patches, "CHUNK", room)
    for kept in (0, 1 << 20):
        monkeypatch.setattr(patches, "KEPT", kept)
        denoiser = PointSet(IMAGES, LABELS, patch=3)
        for labels, expected in zip((None, WANTED), whole, strict=True):
            for _ in range(2):
                close(denoiser(X, LEVELS, labels), expected)


def test_no_block_of_weights_is_larger_than_there_is_room_for(monkeypatch):
    """All weights of these at once would be 500 times as many numbers."""
    monkeypatch.setattr(patches, "CHUNK", 1 << 12)
    largest, inner = [0], torch.exp

    def counted(self, *rest):
        largest.append(self.numel())
        return inner(self, *rest)

    monkeypatch.setattr(torch.Tensor, "exp_", counted)
    PointSet(torch.randn(1000, 1, 8, 8), patch=3)(torch.randn(32, 1, 8, 8), 0.5)
    assert 1 << 11 < max(largest) <= 1 << 12


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_answers_have_the_type_of_what_is_asked_and_are_exact_at_low_levels(dtype):
    images = IMAGES.to(dtype)
    near = PointSet(images, patch=3)(images[:7] + 2e-5, 1e-4)
    assert near.dtype == dtype
    torch.testing.assert_close(near, images[:7], rtol=0, atol=1e-6)
    for sigma in (1e-4, 1.0, 1e4):
        assert PointSet(images, patch=3)(1e3 * X.to(dtype), sigma).isfinite().all()


def test_on_a_device_nothing_waits_and_the_answers_are_the_same():
    here, labels = PointSet(IMAGES, LABELS, patch=3), WANTED.tolist()
    with pretended.gpu() as gpu:
        there, x = here.to(gpu.device), X.to(gpu.device)
        gpu.clear()
        found = [there(x, 0.4), there(x, LEVELS, labels)]
        assert not gpu.waits
        close(found[0].cpu(), here(X, 0.4))
        close(found[1].cpu(), here(X, LEVELS, WANTED))


def test_samples_of_digits_go_from_no_copies_to_nothing_else():
    digits = edm.data.load("digits").denoiser
    known = copies.images_of(sources.open_source(Data(dataset="digits")))
    labels, z = torch.arange(20) % 10, edm.latents(edm.seeds(0, 20), (1, 8, 8))
    shares = []
    for k in (3, 7, 11):
        denoiser = PointSet(digits.points, digits.labels, patch=k)
        made = edm.last(edm.sample(denoiser, z, edm.Sampling(steps=12), labels)).x
        shares.append(float(copies.nearest(made, known).copies.float().mean()))
    assert shares[0] == 0 and 0.1 < shares[1] < 0.8 and shares[2] > 0.9


@pytest.mark.parametrize(
    ("images", "k", "words"),
    [
        (IMAGES, 4, "patch = 4: must be odd, at least 3; from 9 on it is the whole image"),
        (IMAGES, 1, "at least 3"),
        (IMAGES, -3, "at least 3"),
        (IMAGES, 3.0, "patch = 3.0: must be odd"),
        (IMAGES, True, "must be odd"),
        (IMAGES, "3", "must be odd"),
        ([[0.0, 1.0], [1.0, 0.0]], 3, r"points of shape \[2\] have no pixels"),
    ],
)
def test_patches_that_cannot_be_are_refused(images, k, words):
    with pytest.raises(edm.base.errors.Refused, match=words):
        PointSet(images, patch=k)


def test_patches_have_no_density():
    denoiser = PointSet(IMAGES, patch=3)
    for asked in (denoiser.log_density, denoiser.both):
        with pytest.raises(edm.base.errors.Refused, match="no density"):
            asked(X, 0.5)
    close(denoiser.score(X, 0.5), (denoiser(X, 0.5) - X) / 0.25)
    assert PointSet(IMAGES, patch=9).log_density(X, 0.5).isfinite().all()
