"""What is sent is not waited for; what is fetched comes in one copy, and once."""

from dataclasses import dataclass
from typing import NamedTuple

import pytest
import torch

from edm.base.transfers import Home, fetched, sent
from tests import pretended


@dataclass(frozen=True)
class Part:
    name: str
    x: torch.Tensor
    more: tuple = ()


class Pair(NamedTuple):
    a: object
    b: object


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.int64, torch.bool])
def test_what_is_sent_is_there_without_a_wait_and_unchanged_here(dtype):
    here = torch.arange(6).view(2, 3).to(dtype)
    with pretended.gpu() as gpu:
        there = sent(here, gpu.device)
        assert there.device == gpu.device and there.dtype == dtype and not gpu.waits
        assert torch.equal(there.cpu(), here)
        assert sent(there, gpu.device) is there
    assert sent(here, "cpu") is here and not here.is_pinned()


def test_it_travels_in_the_type_that_it_will_have():
    with pretended.gpu() as gpu:
        there = sent(torch.randn(5, dtype=torch.float64), gpu.device, torch.float32)
        assert there.dtype == torch.float32 and gpu.moved["H2D"] == 20


def test_what_is_fetched_comes_in_one_copy_of_whatever_types():
    shapes = [(3, 2), (), (0,), (4,)]
    with pretended.gpu() as gpu:
        numbers = [torch.randn(shape) for shape in shapes] + [torch.tensor([True, False, True]), torch.arange(3)]
        numbers += [torch.randn(2, 3).bfloat16(), torch.randn(3, 2, dtype=torch.float64).T]
        there = [sent(x, gpu.device) for x in numbers]
        gpu.clear()
        here = fetched([*there, numbers[0]])
        assert gpu.copies == {"D2H": 1} and here[-1] is numbers[0]
        for x, y in zip(numbers, here, strict=False):
            assert torch.equal(x, y) and (x.shape, x.dtype) == (y.shape, y.dtype)


def test_things_come_home_whole_and_no_tensor_twice():
    with pretended.gpu() as gpu:
        home = Home()
        x, y, z = (torch.full((2,), value, device=gpu.device) for value in (1.0, 2.0, 3.0))
        first = [Part("a", x), ("b", Pair(y, 7)), {"c": [x, None]}]
        gpu.clear()
        came = home(first)
        assert gpu.copies == {"D2H": 1}
        assert came[0].name == "a" and came[0].x.tolist() == [1, 1] and came[2]["c"][0] is came[0].x
        assert type(came[1]) is tuple and isinstance(came[1][1], Pair) and came[1][1].a.tolist() == [2, 2]
        again = home([Part("d", y, (z,))])
        assert gpu.moved["D2H"] == 2 * 8 + 8 and again[0].more[0].tolist() == [3, 3]
        assert home(["text", 3, came[0]]) == ["text", 3, came[0]] and gpu.copies == {"D2H": 2}


def test_what_is_at_home_is_itself():
    things = [Part("a", torch.ones(2), (torch.ones(1),)), {"b": 1}, ("c",)]
    assert Home()(things) is things
