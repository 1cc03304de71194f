"""What every source of training data must do, and how a run walks through one."""

import threading
import time

import numpy as np
import pytest
import torch

import edm
from edm import presets
from edm.data import sources
from edm.data.settings import Data
from edm.data.split import Split
from edm.training.loader import AHEAD, batches

LOCAL = [name for name in sources.SOURCES if name not in ("mnist", "fashion_mnist", "cifar10", "folder", "points")]


def opened(name):
    return sources.open_source(Data(dataset=name))


@pytest.mark.parametrize("name", LOCAL)
def test_a_sample_is_a_function_of_its_number(name):
    source = opened(name)
    samples, labels = sources.read(source, np.arange(40))
    assert samples.shape == (40, *source.shape)
    assert samples.dtype == torch.float32
    assert samples.abs().max() <= (1 if len(source.shape) == 3 else 3)
    again, known = sources.read(source, np.array([7, 3, 3, 39]))
    assert torch.equal(again, samples[[7, 3, 3, 39]])
    assert (labels is None) == (source.classes == 0)
    if source.classes:
        assert torch.equal(known, labels[[7, 3, 3, 39]])
        assert 0 <= int(labels.min()) <= int(labels.max()) < source.classes
        assert len(source.class_names) == source.classes
        if source.size is not None:
            assert torch.equal(source.labels[:40], labels) and len(source.labels) == source.size
    if source.size is not None:
        assert source.marks.shape == (source.size,) and len(np.unique(source.marks)) == source.size


@pytest.mark.parametrize("name", [n for n in LOCAL if n not in ("digits", "scenes", "emoji")])
def test_endless_points_follow_the_distribution_whose_exact_denoiser_is_known(name):
    dataset = edm.data.load(name)
    samples = sources.read(opened(name), np.arange(1000))[0]
    truth = dataset.sample(4000, seed=9)
    floor = edm.diagnostics.data_floor(dataset, 1000, truth, repeats=6)
    assert edm.diagnostics.sliced_wasserstein(samples, truth) < 1.8 * floor + 0.005
    assert sources.spread(opened(name)) == pytest.approx(dataset.sigma_data, rel=0.03)


def test_an_epoch_holds_each_sample_once_and_each_epoch_has_its_own_order():
    split = Split(opened("digits"), holdout=97)
    first, second = (split.training(np.arange(e * 1700, (e + 1) * 1700), seed=3) for e in (0, 1))
    assert sorted(first) == sorted(second) == sorted(set(first))
    assert not np.array_equal(first, second)
    assert not set(first) & set(split.validation(97))
    assert len(set(first) | set(split.validation(97))) == 1797
    assert np.array_equal(split.training(np.arange(1600, 1800), seed=3), np.concatenate([first, second])[1600:1800])
    assert not np.array_equal(split.training(np.arange(1700), seed=4), first)


def test_validation_is_held_out_unless_asked_otherwise():
    assert Split(opened("digits"), None).held_out
    assert len(Split(opened("digits"), None).validation(10_000)) == 89  # 5 %
    nothing = Split(opened("digits"), 0)
    assert not nothing.held_out
    assert set(nothing.training(np.arange(1797), 0)) == set(range(1797))
    scenes = Split(opened("scenes"), None)
    assert min(scenes.validation(5)) > max(scenes.training(np.arange(10**6, 10**6 + 5), 0))


class Slow:
    """A source that takes its time, and says when it is asked."""

    shape, classes, class_names, size = (2,), 0, (), None

    def __init__(self):
        self.asked = []

    def read(self, indices):
        self.asked.append(threading.current_thread().name)
        time.sleep(0.03)
        return torch.zeros(len(indices), 2), None


def test_batches_come_in_order_and_are_read_ahead_in_threads():
    source = Slow()
    loader = batches(Split(source, None), 0, ((i, i + 4) for i in range(0, 40, 4)))
    numbers = [next(loader)[0][0]]
    time.sleep(0.1)
    assert len(source.asked) >= AHEAD
    assert all(name.startswith("loader") for name in source.asked)
    numbers += [batch[0][0] for batch in loader]
    assert numbers == list(range(0, 40, 4))


def test_an_error_of_a_source_reaches_the_loop():
    class Broken(Slow):
        def read(self, indices):
            raise ValueError("cat.png is broken")

    with pytest.raises(ValueError, match=r"cat\.png"):
        next(batches(Split(Broken(), None), 0, [(0, 4)]))


def test_data_without_spread_ask_for_sigma_data():
    source = Slow()
    assert sources.spread(source, 50) == 0


@pytest.mark.parametrize("name", presets.names("training"))
def test_a_recipe_is_valid_and_says_what_it_needs(name):
    recipe = presets.read(name)
    assert recipe["title"]
    assert recipe["about"]
    document = recipe["training"]
    if document["data"]["dataset"] == "folder":
        document["data"]["path"] = "somewhere"
    settings = edm.Training.parse(document)
    changed = settings.changed(seed=3)
    assert changed.seed == 3
    assert edm.Training.parse(settings.document()) == settings


def test_a_design_is_a_column_of_table_1_for_training_too():
    for name, weight in {"vp": "simple", "ve": "simple", "iddpm": "simple", "edm": "edm"}.items():
        design = presets.read(f"designs/{name}")["training"]["design"]
        assert design == {"preconditioning": name, "noise": name, "weight": weight}


@pytest.mark.parametrize("name", ["toy", "digits"])
def test_flow_s_recipes_differ_from_the_others_in_their_column_of_table_1_alone(name):
    plain, flow = (edm.Training.parse(presets.read(f"training/{one}")["training"]) for one in (name, f"{name}_flow"))
    rows = presets.read("designs/flow")["training"]["design"]
    others = {"P_mean": plain.design.P_mean, "P_std": plain.design.P_std}  # of EDM's distribution
    assert flow.changed(design=others) == plain.changed(design=rows)
