"""The GPUs of this machine, as a made driver tells of them."""

import os
import sys

import pytest

from edm.base.cards import Card, cards, chosen
from tests.edm.base.nvml import GIB, Nvml, h100


@pytest.fixture
def driver(monkeypatch):
    """Puts a made driver in the place of NVML."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def put(*found, **broken):
        made = Nvml(*found, **broken)
        monkeypatch.setitem(sys.modules, "pynvml", made)
        return made

    return put


def test_a_card_tells_its_memory_how_busy_it_is_and_who_else_holds_some(driver):
    made = driver(h100(0, free=61, busy=37, p17=5, **{f"p{os.getpid()}": 2}), h100(1))
    first, second = cards()
    assert first == Card(0, "NVIDIA H100 80GB HBM3", 80 * GIB, 61 * GIB, 0.37, 0, "GPU-0000-h100", ((17, 5 * GIB),))
    assert (second.index, second.free, second.utilization, second.others) == (1, 80 * GIB, 0.0, ())
    assert (made.begun, made.most) == (0, 1), "NVML is let go of again"


@pytest.mark.parametrize(
    ("shown", "seen"),
    [
        (None, [0, 1, 2, 3]),
        ("", []),
        ("2", [2]),
        (" 3, 1", [3, 1]),
        ("0,9,1", [0]),
        ("0,-1,1", [0]),
        ("NoDevFiles", []),
        ("1,1", []),
        ("GPU-2222", [2]),
        ("GPU-33,GPU-0000-h100", [3, 0]),
        ("GPU-", []),
        ("GPU-11,GPU-77,GPU-22", [1]),
        ("GPU-11,GPU-1111", []),
    ],
)
def test_cards_are_those_that_cuda_shows_a_process_in_its_order(driver, shown, seen):
    driver(*(h100(k, free=10 * k) for k in range(4)))
    found = cards({} if shown is None else {"CUDA_VISIBLE_DEVICES": shown})
    assert [card.index for card in found] == list(range(len(seen)))
    assert [card.free // GIB for card in found] == [10 * k for k in seen]
    assert [card.number for card in found] == seen
    assert chosen(shown, [f"GPU-{k}{k}{k}{k}-h100" for k in range(4)]) == seen


def test_what_this_process_may_use_is_its_own_environments(driver, monkeypatch):
    driver(h100(0), h100(1, free=7))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert [(card.index, card.free) for card in cards()] == [(0, 7 * GIB)]
    assert len(cards({})) == 2


def test_a_part_of_a_card_is_known_by_its_own_name(driver):
    part = {"parts": ["MIG-abc"], "name": "NVIDIA H100 MIG 1g.10gb", "total": 10 * GIB, "free": 9 * GIB}
    driver(part)
    (card,) = cards({"CUDA_VISIBLE_DEVICES": "MIG-abc"})
    assert (card.name, card.free, card.utilization, card.others) == (part["name"], 9 * GIB, None, ())


@pytest.mark.parametrize("broken", ["nvmlInit", "nvmlDeviceGetCount", "nvmlDeviceGetHandleByIndex"])
def test_a_driver_that_is_broken_has_no_cards(monkeypatch, driver, broken):
    def fails(*_):
        raise RuntimeError("Driver/library version mismatch")

    made = driver(h100(0), broken={broken})
    if broken != "nvmlInit":
        monkeypatch.setattr(made, broken, fails)
    assert cards() == []
    assert made.begun == 0


def test_without_the_package_there_are_no_cards(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert cards() == []


def test_a_card_that_knows_less_says_less_and_one_that_is_lost_is_left_out(driver):
    lost, old = h100(0), h100(1, free=3)
    del lost["total"], old["busy"], old["processes"], old["uuid"]
    driver(lost, old)
    (card,) = cards({})
    assert (card.index, card.free, card.utilization, card.uuid, card.others) == (1, 3 * GIB, None, "", ())
