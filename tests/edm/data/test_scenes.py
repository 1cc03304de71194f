"""Scenes are a function of (seed, k), and each factor moves the picture as it says."""

import math
import tracemalloc

import numpy as np
import pytest
import torch

from edm.data import scenes, sources
from edm.data.scenes_light import SOLIDS
from edm.data.scenes_shapes import normal, trace


def plain(count: int = 1, **changed):
    """The factors of `count` equal spheres in the middle, lit from the viewer, but for the factors in `changed`."""
    values = {"label": 0, "hue": 0.05, "light": (0.0, 0.8), "position": (0.0, 0.0), "size": 0.9, "rotation": 0.0}
    values = {name: np.array([value] * count) for name, value in {**values, "palette": 0.0}.items()}
    return {**values, **{name: np.asarray(value) for name, value in changed.items()}}


def covered(factors, resolution: int = 32) -> np.ndarray:
    """How strongly each pixel takes the solid's colour, 0 to 1, [B, resolution, resolution]."""
    count = len(factors["label"])
    red, blue = (scenes.render({**factors, "hue": [hue] * count}, resolution).astype(float) for hue in (0.0, 0.6))
    return np.abs(red - blue).max(1) / 255


def spread(image) -> int:
    return int(np.abs(image.astype(int)).max())


def test_an_image_does_not_depend_on_the_batch_it_is_read_in():
    source = scenes.Scenes(3)
    images, labels = source.read(range(40))
    order = np.random.default_rng(0).permutation(40)
    pieces = [source.read(part) for part in np.split(order, [1, 4, 21])]
    assert torch.equal(torch.cat([piece[0] for piece in pieces]), images[order])
    assert torch.equal(torch.cat([piece[1] for piece in pieces]), labels[order])


def test_no_two_images_are_alike_within_or_between_seeds():
    images = torch.cat([scenes.Scenes(seed).read(range(24))[0] for seed in (0, 1, 2**64 - 1)])
    assert len(torch.unique(images.flatten(1), dim=0)) == len(images)


def test_a_source_reads_bytes_and_classes():
    source = scenes.Scenes()
    images, labels = source.read(np.arange(1000, 1003))
    assert (images.shape, images.dtype) == ((3, *source.shape), torch.uint8)
    assert (labels.shape, labels.dtype) == ((3,), torch.int64)
    assert source.classes == len(source.class_names) == len(scenes.CLASSES) and source.size is None
    assert [len(part) for part in source.read([])] == [0, 0]


def test_factors_fill_their_ranges_evenly_and_independently():
    drawn = scenes.factors(range(6000))
    counts = np.bincount(drawn["label"], minlength=len(scenes.CLASSES))
    assert counts == pytest.approx(1000, abs=120)
    columns = np.concatenate([values.reshape(6000, -1).T for values in drawn.values()])
    ranges = np.concatenate(list(scenes.RANGES.values()))
    assert (columns.min(1) >= ranges[:, 0]).all() and (columns.max(1) <= ranges[:, 1]).all()
    np.testing.assert_allclose(columns.mean(1), ranges.mean(1), atol=0.02 * np.ptp(ranges, axis=1).max())
    assert np.abs(np.corrcoef(columns) - np.eye(len(columns))).max() < 0.06


def test_a_coordinate_has_about_the_paper_s_sigma_data():
    x = scenes.render(scenes.factors(range(120))) / 127.5 - 1
    assert 0.4 < x.std() < 0.6 and abs(x.mean()) < 0.25


def test_light_from_the_other_side_mirrors_the_picture():
    labels = np.arange(len(scenes.CLASSES))
    light = np.tile([1.2, 0.8], (len(labels), 1))
    right = scenes.render(plain(len(labels), label=labels, light=light))
    left = scenes.render(plain(len(labels), label=labels, light=light * [-1, 1]))
    assert spread(right.astype(int) - left[..., ::-1]) <= 4
    red = right[0, 0, 10:20].astype(int)
    assert red[:, 19].mean() > red[:, 12].mean() + 20


def test_a_higher_light_shortens_the_shadow():
    low, high = scenes.render(plain(2, light=[(1.2, 0.6), (1.2, 1.1)])).astype(int)
    assert low[:, 16:20, 3:7].mean() < high[:, 16:20, 3:7].mean() - 8


def test_hue_changes_the_colour_of_the_solid_and_hardly_the_rest():
    red, green, blue = scenes.render(plain(3, hue=[0.0, 0.4, 0.6])).astype(int)
    assert [int(image[:, 12:20, 12:20].mean((1, 2)).argmax()) for image in (red, green, blue)] == [0, 1, 2]
    assert spread(red[:, :4] - blue[:, :4]) <= 2 and spread(red[:, :, :4] - blue[:, :, :4]) <= 4


def test_hue_and_palette_are_rings():
    start, end = (scenes.render(plain(hue=[place], palette=[place])) for place in (0.0, 1.0))
    assert (start == end).all()


def test_position_moves_the_solid():
    weight = covered(plain(3, position=[(-0.5, 0), (0.5, 0), (0, 0.5)]))
    weight = weight * (weight > 0.1)
    rows, columns = (np.tensordot(weight.sum(axis), np.arange(32), 1) / weight.sum((1, 2)) for axis in (2, 1))
    assert columns[1] - columns[0] == pytest.approx(32 / 3.8, abs=0.5)
    assert columns[2] == pytest.approx(15.5, abs=0.1)
    assert rows[2] > rows[0] + 1


def test_size_scales_what_is_covered():
    small, large = (covered(plain(2, size=[0.75, 1.0])) > 0.1).sum((1, 2))
    assert large / small == pytest.approx((1.0 / 0.75) ** 2, rel=0.12)


def test_rotation_turns_what_is_not_round():
    flat, edge = (scenes.CLASSES.index(name) for name in ("sphere", "cube"))
    turned = scenes.render(plain(4, label=[flat, flat, edge, edge], rotation=[0, 0.7, 0, 0.7])).astype(int)
    assert spread(turned[0] - turned[1]) <= 2
    assert spread(turned[2] - turned[3]) > 60


def test_the_background_does_not_tell_the_class():
    count = len(scenes.CLASSES)
    top = scenes.render(plain(count, label=np.arange(count)))[:, :, :4].astype(int)
    assert spread(top - top[:1]) <= 1


def test_classes_differ_in_their_outlines():
    count = len(scenes.CLASSES)
    outlines = covered(plain(count, label=np.arange(count))) > 0.15
    for a in range(count):
        for b in range(a):
            assert (outlines[a] ^ outlines[b]).sum() > 0.12 * (outlines[a] | outlines[b]).sum()


def test_no_solid_leaves_the_picture():
    ends = [(x, z) for x in scenes.RANGES["position"][0] for z in scenes.RANGES["position"][1]]
    for label in range(len(scenes.CLASSES)):
        for angle in (-math.pi / 4, 0.0, math.pi / 4):
            shown = plain(
                4, label=[label] * 4, position=ends, size=[scenes.RANGES["size"][0][1]] * 4, rotation=[angle] * 4
            )
            border = covered(shown)
            border[:, 1:-1, 1:-1] = 0
            assert border.max() < 0.1


def test_a_small_picture_is_the_mean_of_a_large_one():
    shown = scenes.factors(range(16))
    small = scenes.render(shown).astype(float)
    light = (scenes.render(shown, 128) / 255.0) ** 2
    large = 255 * np.sqrt(light.reshape(16, 3, 32, 4, 32, 4).mean((3, 5)))
    error = np.abs(small - large)
    assert error.mean() < 0.5 and np.quantile(error, 0.999) < 15
    rough = np.abs(scenes.render(shown, supersample=1) - large)
    assert (error**2).mean() < 0.1 * (rough**2).mean()


@pytest.mark.parametrize("name", SOLIDS)
def test_rays_stop_at_the_surface_and_only_there(name):
    solid = SOLIDS[name]
    draw = np.random.default_rng(0)
    origin = draw.normal(size=(3, 1500))
    origin *= 5 / np.linalg.norm(origin, axis=0)
    direction = draw.uniform(-1, 1, (3, 1500)) - origin
    origin, direction = np.float32(origin), np.float32(direction / np.linalg.norm(direction, axis=0))
    hit, t = trace(solid, origin, direction)
    point = origin[:, hit] + t * direction[:, hit]
    assert np.abs(solid.distance(*point)).max() < 2e-3
    facing = (np.stack(normal(solid, *point)) * direction[:, hit]).sum(0)
    assert np.quantile(facing, 0.99) < 0.05
    along = np.linspace(3, 7, 200, dtype=np.float32)[:, None, None]
    least = solid.distance(*np.moveaxis(origin + along * direction, 1, 0)).min(0)
    missed = np.setdiff1d(np.arange(1500), hit)
    assert len(hit) > 300 and len(missed) > 100
    assert least[missed].min() > -2e-3
    before = solid.distance(*np.moveaxis(origin[:, hit] + along * (t - 0.01) / 7 * direction[:, hit], 1, 0))
    assert before.min() > -2e-3


def test_memory_does_not_grow_with_the_batch():
    shown = scenes.factors(range(256))
    tracemalloc.start()
    scenes.render(shown)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"label": [6]}, "'label' is 6; give values from 0 to 5"),
        ({"label": [0.5]}, "whole number"),
        ({"hue": [1.5]}, "'hue' is 1.5"),
        ({"hue": [math.nan]}, "'hue' is nan"),
        ({"hue": [0.1, 0.2]}, r"'hue' has the shape \(2,\); give \(1,\)"),
        ({"hue": ["red"]}, "'hue' is not made of numbers"),
        ({"light": [0.5]}, r"give \(1, 2\)"),
        ({"light": [(0.0, 1.5)]}, "'light' is 1.5; give values from 0.55 to 1.1"),
        ({"weather": [0]}, "weather; give label, hue"),
    ],
)
def test_bad_factors_are_refused(changed, words):
    with pytest.raises(ValueError, match=words):
        scenes.render(plain(**changed))


def test_bad_numbers_are_refused():
    for resolution in (0, 3, 4096, 32.0, True):
        with pytest.raises(ValueError, match=r"resolution .* from 4 to 1024"):
            scenes.render(plain(), resolution)
    with pytest.raises(ValueError, match="supersample 0"):
        scenes.render(plain(), supersample=0)
    for seed in (-1, 2**64, 0.5, None):
        with pytest.raises(ValueError, match=r"seed .* give a whole number"):
            scenes.Scenes(seed)
    with pytest.raises(ValueError, match="index -2 is negative"):
        scenes.Scenes().read([0, -2])
    with pytest.raises(ValueError, match="whole numbers"):
        scenes.Scenes().read([0.5])


def test_how_far_scenes_spread_is_known_without_drawing_them():
    assert sources.sigma_data(scenes.Scenes()) == scenes.Scenes.spread
    assert sources.spread(scenes.Scenes(), 300) == pytest.approx(scenes.Scenes.spread, rel=0.01)
