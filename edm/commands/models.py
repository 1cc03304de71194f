"""python -m edm models: list what can be sampled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edm.commands.help import command

if TYPE_CHECKING:
    import argparse

ABOUT = """List what can be sampled by its name: exact denoisers, in closed form, and the networks that ship; then the
classifiers that ship, which guide them. A file of ours goes by its path, and a run's checkpoint as run-NAME_IMAGES."""


def add(commands: argparse._SubParsersAction) -> None:
    command(commands, "models", "list what can be sampled", ABOUT).set_defaults(run=run)


def run(options: argparse.Namespace) -> Any:
    from edm.experiments import classifiers, models

    for model in (*models.every(), *models.upsamplers()):
        name = model.name
        shape = "×".join(str(n) for n in model.shape)
        kind = "trained" if model.trained else "exact"
        larger = f", of images of {model.low.resolution} pixels" if model.low else ""
        told = f", {len(model.drawn)} classes" if model.classes else ""
        print(f"{name:24} {model.title}, {kind}, {shape}{larger}{told}")
    for name in classifiers.names():
        guide = classifiers.load(name)
        shape = "×".join(str(n) for n in guide.shape)
        print(f"{name:24} {guide.title}, a guide, {shape}, {guide.classes} classes")
