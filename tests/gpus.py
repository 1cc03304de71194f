"""python -m tests.gpus …: the app, its messages checked, on a machine that seems to have two GPUs; none computes."""

from __future__ import annotations

import sys

from app.__main__ import main
from edm.base import cards
from edm.base.cards import Card
from edm.runs.launchers import Processes
from tests.checked import check

_H100 = "NVIDIA H100 80GB HBM3"
CARDS = (
    Card(0, _H100, 85_000_000_000, 61_000_000_000, utilization=0.97),
    Card(1, _H100, 85_000_000_000, 23_000_000_000, utilization=0.31, others=((4_000_000, 9_200_000_000),)),
)


def pretend() -> None:
    """From here on this process sees the cards. What it starts on them fails: they are not there."""
    cards.cards = lambda environment=None: list(CARDS)
    Processes.places = lambda self: ["cpu", *(f"cuda:{card.index}" for card in CARDS)]


if __name__ == "__main__":
    pretend()
    check()
    sys.exit(main())
