"""python -m edm models: list what can be sampled."""

from __future__ import annotations


def add(commands):
    commands.add_parser("models", help="list what can be sampled").set_defaults(run=run)


def run(options):
    from edm.data import DATASETS

    for dataset in DATASETS.values():
        shape = "×".join(str(n) for n in dataset.shape)
        print(f"{dataset.name:18} {dataset.title}, {shape}{f', {dataset.classes} classes' if dataset.classes else ''}")
