"""The command line: python -m edm sample …, whose options are the fields of the settings."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from edm.fields import SettingsError
from edm.flat import unflatten
from edm.settings import Experiment, Sampling, choices, knobs


def main(arguments=None) -> int:
    """Returns the exit code: 0, or 2 after a sentence about what was wrong."""
    parser = argparse.ArgumentParser(prog="python -m edm", description="The EDM design space on the command line.")
    commands = parser.add_subparsers(dest="command", required=True)
    _add_sample(commands)
    models = commands.add_parser("models", help="list what can be sampled")
    models.set_defaults(run=_models)
    options = parser.parse_args(arguments)
    try:
        options.run(options)
    except (ValueError, OSError) as error:
        print(f"{parser.prog} {options.command}: {error}", file=sys.stderr)
        return 2
    return 0


def _add_sample(commands):
    parser = commands.add_parser("sample", help="sample a model and write a picture or the numbers")
    parser.add_argument("--config", help="settings from a .yaml, .json or .png file (a picture of ours)")
    parser.add_argument("--preset", help="a preset such as designs/vp")
    parser.add_argument("--out", default="sample.png", help="file to write: .png, .npz or .csv (default: %(default)s)")
    parser.add_argument("--device", default="auto", help="cpu, cuda, cuda:1, … (default: the GPU if there is one)")
    parser.add_argument("--dry-run", action="store_true", help="check and print the settings, sample nothing")
    offered = choices()
    for settings in (Experiment, Sampling):
        group = parser.add_argument_group(settings.__doc__.split(":")[0])
        for name, knob in knobs(settings).items():
            allowed = f" ({', '.join(offered[name])})" if name in offered else ""
            group.add_argument(f"--{name}", help=(knob["help"] + allowed).replace("%", "%%"), metavar="VALUE")
    parser.set_defaults(run=_sample)


def _experiment(options) -> Experiment:
    document = {}
    if options.preset:
        from edm import presets

        document = presets.read(options.preset)["experiment"]
    if options.config:
        document = _merged(document, _read_config(options.config))
    names = [name for settings in (Experiment, Sampling) for name in knobs(settings)]
    given = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    return Experiment.parse(_merged(document, unflatten(given)))


def _merged(document: dict, changes: dict) -> dict:
    """One document over another; `sampling` is merged field by field."""
    merged = {**document, **changes}
    if "sampling" in document and isinstance(changes.get("sampling"), dict):
        merged["sampling"] = {**document["sampling"], **changes["sampling"]}
    return merged


def _read_config(path) -> dict:
    if Path(path).suffix == ".png":
        from edm.render import read_document

        return read_document(path)
    import yaml

    try:
        document = yaml.safe_load(Path(path).read_text(encoding="utf-8"))  # JSON is YAML
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not a settings file: {error}") from None
    if isinstance(document, dict) and "experiment" in document:
        document = document["experiment"]
    if not isinstance(document, dict):
        raise SettingsError(f"{path} is not a settings file: it holds no names and values")
    return document


def _sample(options):
    experiment = _experiment(options)
    if options.dry_run:
        print(json.dumps(experiment.document(), indent=2))
        return
    out = Path(options.out)
    if out.suffix not in {".png", ".npz", ".csv"}:
        raise ValueError(f"--out {out}: the name must end in .png, .npz or .csv")
    if not out.parent.is_dir():
        raise ValueError(f"--out {out}: there is no folder {out.parent}")

    import numpy as np

    from edm import data, render, runner
    from edm.files import atomic

    dataset = data.of(experiment)
    states = []
    for state in runner.states(experiment, runner.device(options.device)):
        states.append(state)
        print(f"\rstep {state.index}, σ = {state.sigma:.4g}, {state.evaluations} evaluations ", end="", file=sys.stderr)
    print(file=sys.stderr)
    samples = states[-1].x.cpu().numpy()
    if out.suffix == ".png":
        render.save_png(render.picture(dataset, states), out, experiment.document())
    elif out.suffix == ".csv":
        with atomic(out) as file:
            np.savetxt(file, samples.reshape(len(samples), -1), delimiter=",", fmt="%.9g")
    else:
        trajectory = np.stack([(state.x / state.scale).cpu().numpy() for state in states])
        with atomic(out) as file:
            np.savez(
                file,
                samples=samples,
                trajectory=trajectory,
                sigma=[state.sigma for state in states],
                settings=json.dumps(experiment.document()),
            )
    print(f"{len(samples)} samples, {states[-1].evaluations} evaluations -> {out}")


def _models(options):
    from edm.data import DATASETS

    for dataset in DATASETS.values():
        shape = "×".join(str(n) for n in dataset.shape)
        print(f"{dataset.name:18} {dataset.title}, {shape}{f', {dataset.classes} classes' if dataset.classes else ''}")


if __name__ == "__main__":
    sys.exit(main())
