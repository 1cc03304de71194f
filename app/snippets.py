"""The present settings as text that runs: a Python script, and a command line."""

from __future__ import annotations

from edm import flat, models
from edm.runner import count
from edm.settings import Experiment


def python(experiment: Experiment) -> str:
    """A script that draws the same picture and keeps every state."""
    sampling = experiment.sampling
    given = ", ".join(f"{name}={getattr(sampling, name)!r}" for name in sampling.document())
    number = count(experiment)
    lines = ["import edm", ""]
    if experiment.points is None:
        lines.append(f'model = edm.models.load("{experiment.model}")')
    else:
        points = [list(point) for point in experiment.points]
        lines.append(f"model = edm.models.of(edm.Experiment(model='drawn', points={points}))")
    lines += [
        f"sampling = edm.Sampling({given})",
        f"seeds = edm.seeds(sampling.seed, {number})",
        "latents = edm.latents(seeds, model.shape)",
    ]
    arguments = "model.denoiser, latents, sampling"
    model = models.of(experiment)
    if experiment.label is not None:
        lines.append(f"labels = [{experiment.label}] * {number}")
        arguments += ", labels"
    elif model.trained and model.classes:
        lines.append(f"labels = [k % {model.classes} for k in range({number})]")
        arguments += ", labels"
    lines += [
        f"states = list(edm.sample({arguments}, seeds=seeds))",
        "samples = states[-1].x",
        'edm.render.picture(model, states).save("sample.png")',
    ]
    return "\n".join(lines) + "\n"


def command(experiment: Experiment) -> str:
    """A command line that draws the same picture."""
    return flat.command("sample", experiment, "--out=sample.png")
