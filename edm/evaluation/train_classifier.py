"""python -m edm.evaluation.train_classifier digits|scenes|emoji: make the classifier whose features evaluation uses.

    loss = cross-entropy of the class + mean squared error of the factors, each factor in [−1, 1]
    angles (hue, palette) are estimated as (cos, sin)

Images are shifted by up to a pixel and made a little noisy, so that features are smooth. Everything is seeded: the
same machine makes the same file. What is printed, and kept in the file, is measured on images held out of training.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from edm.base import paths
from edm.base.atomic import atomic
from edm.data import scenes, sources
from edm.data.settings import Data
from edm.evaluation.classifiers import DESIGNS, FOLDER, METADATA_KEY, Classifier
from edm.evaluation.true_data import CLASSIFIER, CLASSIFIER_HELD_OUT
from edm.files import tensors

if TYPE_CHECKING:
    from edm.base.types import Indices

SEED = 0
HELD_OUT = 0.2  # of a finite set


@dataclass(frozen=True)
class Plan:
    """count, held: images of an endless set to train on, and to measure on.

    noise: the largest deviation of the noise; erased: the largest share of pixels that are made black.
    """

    epochs: int
    lr: float
    noise: float
    decay: float
    erased: float = 0.0
    count: int = 0
    held: int = 0
    batch: int = 128


PLANS = {
    "digits": Plan(epochs=80, lr=2e-3, noise=0.25, decay=0.02, erased=0.2),
    "scenes": Plan(epochs=16, lr=2e-3, noise=0.1, decay=0.01, count=20_000, held=2_000),
    "emoji": Plan(epochs=60, lr=2e-3, noise=0.2, decay=0.05),
}


def split(dataset: str) -> tuple[np.ndarray, np.ndarray]:
    """The sample numbers that the classifier of `dataset` is trained on, and those held out."""
    source, plan = sources.open_source(Data(dataset=dataset)), PLANS[dataset]
    if source.size is None:
        return CLASSIFIER + np.arange(plan.count), CLASSIFIER_HELD_OUT + np.arange(plan.held)
    shuffled = np.random.default_rng(SEED).permutation(source.size)
    held = round(source.size * HELD_OUT)
    return np.sort(shuffled[held:]), np.sort(shuffled[:held])


def examples(dataset: str, numbers: Indices) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(images [B, C, H, W] in [−1, 1], classes [B], factors [B, F]) of the samples of those numbers."""
    source = sources.open_source(Data(dataset=dataset))
    parts = [sources.read(source, part) for part in np.array_split(numbers, -(-len(numbers) // 500))]
    images, labels = (torch.cat(column) for column in zip(*parts, strict=True))
    return images, labels, _factors(numbers) if dataset == "scenes" else torch.zeros(len(images), 0)


def _factors(numbers) -> torch.Tensor:
    """What scenes show, as numbers from −1 to 1: (cos, sin) of angles around a ring, the others by their range."""
    columns = []
    for name, values in scenes.factors(numbers).items():
        if name in {"hue", "palette"}:
            columns += [np.cos(2 * math.pi * values), np.sin(2 * math.pi * values)]
        elif name != "label":
            for column, (low, high) in zip(values.reshape(len(values), -1).T, scenes.RANGES[name], strict=True):
                columns.append(2 * (column - low) / (high - low) - 1)
    return torch.from_numpy(np.stack(columns, 1)).float()


@torch.no_grad()
def accuracy(network: Classifier, images: torch.Tensor, labels: torch.Tensor) -> float:
    """Share of images [B, C, H, W] whose class the network names."""
    right = [network(x)[0].argmax(1) == y for x, y in zip(images.split(500), labels.split(500), strict=True)]
    return float(torch.cat(right).float().mean())


def measure(dataset: str, network: Classifier) -> dict:
    """Accuracy and RMS error of each factor, on held-out images: {dataset, accuracy, factor_error, held_out}."""
    images, labels, factors = examples(dataset, split(dataset)[1])
    with torch.no_grad():
        error = (torch.cat([network(part)[1] for part in images.split(500)]) - factors).square().mean(0).sqrt()
    return {
        "dataset": dataset,
        "accuracy": accuracy(network, images, labels),
        "factor_error": [round(float(e), 4) for e in error],
        "held_out": len(images),
    }


def train(dataset: str, plan: Plan, say: Callable[[str], object] = lambda text: None) -> Classifier:
    """The trained classifier. say: called with a line of text after each epoch."""
    images, labels, factors = examples(dataset, split(dataset)[0])
    torch.manual_seed(SEED)
    network = Classifier(DESIGNS[dataset])
    optimizer = torch.optim.AdamW(network.parameters(), lr=plan.lr, weight_decay=plan.decay)
    steps = plan.epochs * (len(images) // plan.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, plan.lr, total_steps=steps, pct_start=0.1)
    for epoch in range(plan.epochs):
        total, order = 0.0, torch.randperm(len(images))
        for chosen in order[: len(order) // plan.batch * plan.batch].split(plan.batch):
            logits, guessed = network(_augmented(images[chosen], plan.noise, plan.erased))
            loss = torch.nn.functional.cross_entropy(logits, labels[chosen], label_smoothing=0.05)
            if factors.shape[1]:
                loss = loss + (guessed - factors[chosen]).square().mean() * 4
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += float(loss.detach())
        say(f"epoch {epoch + 1} of {plan.epochs}, loss {total / (steps // plan.epochs):.4f}")
    _standardize(network, images)
    return network.eval()


def _augmented(images, most: float, erased: float) -> torch.Tensor:
    """Shifted by −1, 0 or 1 pixel each way, the edge repeated, with noise of a deviation up to `most`."""
    padded = torch.nn.functional.pad(images, (1, 1, 1, 1), mode="replicate")
    size = images.shape[-1]
    rows = torch.randint(0, 3, (len(images), 1)) + torch.arange(size)
    columns = torch.randint(0, 3, (len(images), 1)) + torch.arange(size)
    at = torch.arange(len(images))[:, None, None]
    shifted = padded.permute(0, 2, 3, 1)[at, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
    noise = most * torch.rand(len(images), 1, 1, 1) ** 2 * torch.randn_like(shifted)
    kept = torch.rand(len(images), 1, size, size) >= erased * torch.rand(len(images), 1, 1, 1)
    return torch.where(kept, shifted + noise, torch.full((), -1.0))


@torch.no_grad()
def _standardize(network, images):
    """Mean and variance of the features over the images as they are, without what training added."""
    network.eval()
    network.standard.reset_running_stats()
    features = torch.cat([network.features(part) for part in images.split(500)])
    network.standard.running_mean.copy_(features.mean(0))
    network.standard.running_var.copy_(features.var(0))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m edm.evaluation.train_classifier", description=__doc__)
    parser.add_argument("dataset", choices=DESIGNS)
    parser.add_argument("--out", type=paths.text, help="file to write; default: where evaluation looks for it")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)  # sums in one order
    network = train(options.dataset, PLANS[options.dataset], lambda text: print(text, file=sys.stderr))
    measured = measure(options.dataset, network)
    path = options.out or FOLDER / f"{options.dataset}.safetensors"
    FOLDER.mkdir(exist_ok=True)
    with atomic(path) as file:
        tensors.write(file, network.state_dict(), {METADATA_KEY: json.dumps(measured)})
    print(f"accuracy {measured['accuracy']:.4f} on {measured['held_out']} held-out images -> {path}")


if __name__ == "__main__":
    main()
