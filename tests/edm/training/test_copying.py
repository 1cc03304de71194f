"""How many samples a run learns from, and how many of what it draws are copies of them."""

import json

import numpy as np
import pytest
import torch

import edm
from edm.base.errors import Refused
from edm.data import near, sources
from edm.data.settings import Data
from edm.data.split import Split
from edm.training.events import Checkpoint, Tick
from edm.training.loop import train
from edm.training.recording import checkpoints, record
from tests.edm.runs import points, tiny


def split(examples, dataset="digits", **rest):
    return Split(sources.open_source(Data(dataset=dataset)), examples=examples, **{"holdout": None, **rest})


def ticks(settings, **how):
    return [event for event in train(settings, **how) if isinstance(event, Tick)]


def test_fewer_samples_are_among_more_and_none_of_them_is_held_out():
    whole, many, few = split(None), split(64), split(16)
    assert [len(one.kept) for one in (whole, many, few)] == [1797 - 89, 64, 16]
    assert set(few.kept) < set(many.kept) < set(whole.kept)
    for one in (many, few):
        assert np.array_equal(one.held, whole.held) and not set(one.kept) & set(one.held)
    drawn = few.training(np.arange(40), seed=3)
    assert sorted(drawn[:16]) == sorted(drawn[16:32]) == sorted(few.kept), "each once in every epoch"
    assert set(split(16, holdout=0).validation(100)) == set(split(16, holdout=0).kept)


def test_of_data_without_end_the_first_are_learned_and_it_is_validated_on_fresh_ones():
    few = split(16, "spiral")
    assert set(few.training(np.arange(1000), seed=5)) == set(range(16))
    assert not set(few.validation(64)) & set(few.kept) and split(None, "spiral").kept is None


def test_more_samples_than_there_are_are_refused():
    with pytest.raises(Refused, match="examples = 1709: there are 1708 to train on; give fewer, or none for all"):
        split(1709)


def last_weights(events):
    state = [event for event in events if isinstance(event, Checkpoint)][-1].state
    return torch.cat([p.flatten() for p in state.network.parameters()])


def test_a_run_that_goes_on_learns_from_as_many_samples(tmp_path):
    settings = tiny(data={"examples": 20})
    whole = last_weights(record(train(settings), tmp_path))
    half = checkpoints(tmp_path)[0]
    assert edm.load(half).header.training["data"]["examples"] == 20
    assert torch.equal(last_weights(train(settings, resume=half)), whole)
    for examples, words in ((40, "examples = 40: this run has learned 20 samples; leave"), (None, "examples = None")):
        with pytest.raises(Refused, match=words):
            next(train(tiny(data={"examples": examples}), resume=half))


def test_a_tick_says_how_many_of_its_samples_are_copies(tmp_path):
    assert all(0 <= tick.copies <= 1 for tick in ticks(tiny()))
    assert all(tick.copies is None for tick in ticks(points(images=320)))
    few = points(images=320, data={"dataset": "eight_gaussians", "examples": 4})
    found = [tick.copies for tick in record(train(few), tmp_path) if isinstance(tick, Tick)]
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["copies"] for line in lines] == found and all(0 <= share <= 1 for share in found)


def test_what_is_far_nearer_to_one_of_them_than_to_any_other_is_a_copy():
    learned = near.known(split(50))
    half = (learned[:10] + learned[10:20]) / 2
    index, share = near.two_nearest(torch.cat([learned[:10] * 0.99, half]), learned)
    assert index[:10].tolist() == list(range(10)) and (share[:10] < near.SHARE).all() and (share[10:] > 0.9).all()


@pytest.mark.parametrize(("dataset", "examples"), [("spiral", None), ("two_diracs", 50), ("scenes", None)])
def test_data_without_end_and_numbers_on_a_line_have_nothing_to_copy(dataset, examples):
    assert near.known(split(examples, dataset)) is None
