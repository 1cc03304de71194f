"""Nothing that is sampled or measured rounds to TF32; what trains may, and the switch is left as it was found."""

import threading

import pytest
import torch

from edm.base.exactness import exact, tf32


def position():
    return torch.backends.cudnn.conv.fp32_precision, torch.backends.cudnn.rnn.fp32_precision


@pytest.mark.parametrize("found", [True, False])
def test_the_switch_is_where_it_was_found_once_nobody_holds_it(found):
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = found
    try:
        there = position()
        with pytest.raises(KeyError), tf32(), exact():
            assert position() == ("ieee", "ieee")
            raise KeyError
        with tf32(), tf32():
            assert position() == ("tf32", "tf32")
        with tf32(False):
            assert position() == ("ieee", "ieee")
        assert position() == there and torch.backends.cudnn.allow_tf32 == found
    finally:
        torch.backends.cudnn.allow_tf32 = before


def test_what_one_thread_must_have_exact_no_other_rounds():
    begun, done, seen = threading.Event(), threading.Event(), []

    def training():
        with tf32():
            seen.append(position())
            begun.set()
            done.wait(5)
        seen.append(position())

    with exact():
        thread = threading.Thread(target=training)
        thread.start()
        begun.wait(5)
    seen.append(position())  # only the training is left
    done.set()
    thread.join()
    assert seen == [("ieee", "ieee"), ("tf32", "tf32"), ("tf32", "tf32")]
