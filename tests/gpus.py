"""python -m tests.gpus …: the app, its messages checked, on a machine that seems to have two GPUs; none computes."""

from __future__ import annotations

import sys

from app.__main__ import main
from app.training import form
from edm.base import cards
from edm.base.cards import Card
from edm.runs.launchers import Processes
from edm.training.estimate import Estimate
from tests.checked import check

_H100 = "NVIDIA H100 80GB HBM3"
CARDS = (
    Card(0, _H100, 85_000_000_000, 61_000_000_000, utilization=0.97),
    Card(1, _H100, 85_000_000_000, 23_000_000_000, utilization=0.31, others=((4_000_000, 9_200_000_000),)),
)
FITTING = (("micro_batch = 32", {"micro_batch": "32"}), ("device = cuda*2", {"device": "cuda*2"}))


def pretend() -> None:
    """From here on this process sees the cards. What it starts on them fails: they are not there."""
    cards.cards = lambda environment=None: list(CARDS)
    Processes.places = lambda self: ["cpu", *(f"cuda:{card.index}" for card in CARDS)]


def estimated(settings, device) -> Estimate:
    """A gigabyte for each image at once."""
    needed, free = (settings.micro_batch or settings.batch) * 10**9, max(card.free for card in CARDS)
    return Estimate(60.0, needed, 1000, 100.0, total=CARDS[0].total, free=free, remedies=FITTING, gpu=True)


if __name__ == "__main__":
    pretend()
    form.estimate = estimated
    check()
    sys.exit(main())
