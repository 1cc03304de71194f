"""python -m edm train-classifier: `edm.commands.train` of a classifier of noisy samples, with what is usual for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edm.commands import train

if TYPE_CHECKING:
    import argparse

ABOUT = """Train a classifier of noisy samples, log p(c | x; σ), to guide models of the same data by (Dhariwal & Nichol
2021, section 4): half a U-Net with an attention pool for images, an MLP for points. It is a run like a model's: the
same folder, checkpoints, queue, --resume and export; in its metrics.jsonl stand the accuracy and −log p at each σ."""
MORE = """examples:
  python -m edm train-classifier --dataset two_moons --labels parts --out runs/moons
  python -m edm train-classifier --preset training/classifier_digits --out runs/digits_guide
  python -m edm train-classifier --path photos.zip --resolution 32 --minutes 30
  python -m edm train-classifier --resume runs/moons

It is `train --learns classifier` with other defaults: the learning rate falls to 0, AdamW's weight decay is 0.05, and
ln σ is drawn more widely (P_mean 0, P_std 2), as a guide is asked at every σ. Presets and options go over them.

Afterwards:
  python -m edm evaluate runs/moons/checkpoints/00000200000.safetensors
  python -m edm sample --model two_moons --label "upper moon" --guidance classifier
  python -m edm export runs/moons --out moons.safetensors --evaluate"""


def add(commands: argparse._SubParsersAction) -> None:
    train.offered(commands, "train-classifier", "train a classifier that guides a model", ABOUT, MORE, "classifier")
