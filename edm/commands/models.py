"""python -m edm models: list what can be sampled."""

from __future__ import annotations


def add(commands):
    commands.add_parser("models", help="list what can be sampled").set_defaults(run=run)


def run(options):
    from edm.experiments import models

    for name in models.names():
        model = models.load(name)
        shape = "×".join(str(n) for n in model.shape)
        kind = "trained" if model.trained else "exact"
        print(f"{name:24} {model.title}, {kind}, {shape}{f', {len(model.drawn)} classes' if model.classes else ''}")
