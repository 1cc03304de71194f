"""The present settings as text that runs: a Python script, and a command line."""

from __future__ import annotations

import ast
import json
import os
import shlex
from pathlib import Path

from edm import models
from edm.base import flat
from edm.experiments.experiment import Experiment
from edm.experiments.runner import classes_of, count, part_of, together

_OWN = ("count", "label", "sampling")  # of an experiment, which a script says by itself


def python(experiment: Experiment, own: bool = True, model: models.Model | None = None) -> str:
    """A script that draws the same picture and keeps every state. own: as of `complete`. model: its own, if known."""
    sampling, model = experiment.sampling, model or models.of(experiment)
    given = ", ".join(f"{name}={getattr(sampling, name)!r}" for name in sampling.document())
    number = count(experiment, model)
    lines = ["import edm", ""]
    if experiment.points is None:
        lines.append(f"model = edm.models.load({json.dumps(experiment.model, ensure_ascii=False)})")
    else:
        points = [list(point) for point in experiment.points]
        lines.append(f"model = edm.models.of(edm.Experiment(model='drawn', points={points}))")
    lines += [
        f"sampling = edm.Sampling({given})",
        f"seeds = edm.seeds(sampling.seed, {number})",
        "latents = edm.latents(seeds, model.shape)",
    ]
    named, arguments = "model.denoiser", "latents, sampling"
    if (experiment.guidance != "none" or experiment.clip or model.low) and not together(experiment):
        fields = {name: getattr(experiment, name) for name in experiment.document() if name not in _OWN}
        given = ", ".join(f"{name}={value!r}" for name, value in fields.items())
        lines.append(f"denoiser = edm.runner.denoiser(edm.Experiment({given}))")
        named = "denoiser"
    taking = classes_of(experiment, model)
    if taking and experiment.label is not None and not experiment.by_turns(model):
        told = f"model.class_of({experiment.label!r})" if model.classes else f"{taking[0]}"
        lines.append(f"labels = [{told}] * {number}")
    elif taking:
        drawn = "model.drawn" if model.classes else list(taking)
        lines.append(f"labels = [{drawn}[k % {len(taking)}] for k in range({number})]")
    arguments += ", labels" if taking else ""
    drawn = f"edm.sample({named}, {arguments}, seeds=seeds)"
    if together(experiment):
        drawn = f"edm.guidance.tilted({named}, {arguments}, {experiment.guidance_weight!r}, seeds=seeds)"
    lines += [
        f"states = list({drawn})",
        "samples = states[-1].x",
        f'edm.render.picture(model, states{_behind(experiment, model)}).save("sample.png")',
    ]
    return _complete("\n".join(lines) + "\n", [model, *_others(experiment)], own)


def _behind(experiment, model) -> str:
    """Which density is drawn behind points of one class."""
    part = part_of(experiment, model) if len(model.shape) == 1 else None
    return "" if part is None else f", part={part}"


def _others(experiment) -> list[models.Model]:
    """The models that guide it and that it begins with, if they are named."""
    named = (experiment.guide, experiment.cascade)
    return [models.load(name) for name in named if name and models.known(name)]


def command(experiment: Experiment, own: bool = True, model: models.Model | None = None) -> str:
    """A command line that draws the same picture. own, model: as of `python`."""
    model, written = model or models.of(experiment), flat.flatten(experiment)
    folder, files = _elsewhere([model, *_others(experiment)], own)
    options = {**written, "model": files[model.name]} if model.name in files else written
    words = ["python", "-m", "edm", "sample", *(f"--{name}={text}" for name, text in options.items())]
    setting = f"EDM_RUNS={shlex.quote(folder)} " if folder else ""
    return setting + shlex.join([*words, "--out=sample.png"])


def complete(code: str, own: bool = True) -> str:
    """A script that imports edm, with what it needs so that a new process in this folder knows its models, too.

    own: it is for the owner of this machine; what others see holds no paths outside of this folder.
    """
    texts = {node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant)}
    named = [name for name in sorted(text for text in texts if isinstance(text, str)) if not models.ships(name)]
    return _complete(code, [models.load(name) for name in named if models.known(name)], own)


def _complete(code, found, own) -> str:
    folder, files = _elsewhere(found, own)
    lines = _setting(folder)
    lines += [f"edm.models.register({path!r}, {name!r})" for name, path in files.items()]
    if not lines:
        return code
    imports, _, rest = code.partition("\n\n")
    return "\n\n".join(["import os\n" * bool(folder) + imports, "\n".join(lines), rest])


def head(folder, own: bool = True) -> str:
    """The first lines of a script about models of the runs in a folder."""
    lines = _setting(_shown(folder, own) if Path(folder).absolute() != Path("runs").absolute() else None)
    return "import os\n" * bool(lines) + "import edm\n\n" + "".join(f"{line}\n\n" for line in lines)


def _setting(folder) -> list[str]:
    return [f'os.environ["EDM_RUNS"] = {folder!r}'] if folder else []


def _elsewhere(found, own) -> tuple[str | None, dict[str, str]]:
    """(the runs folder of these models, if it is another than runs/, and the files of others that do not ship)."""
    others = [model for model in found if model.trained and not models.ships(model.name)]
    folders = {model.path.absolute().parents[2] for model in others if model.run} - {Path("runs").absolute()}
    shown = {model.name: _shown(model.path, own) or model.path.name for model in others if not model.run}
    return next((_shown(folder, own) for folder in folders), None), shown


def _shown(path, own) -> str | None:
    """A path as it may be seen: within this folder, or its owner's."""
    path, here = Path(os.path.abspath(path)), Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path) if own else None
