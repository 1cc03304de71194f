"""python -m edm evaluate: measure models against the data that they have learned."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pydantic import model_validator

from edm.base.errors import Refused
from edm.base.fields import Settings, SettingsError, Whole, knob
from edm.commands import computing
from edm.commands import options as common
from edm.commands.help import command
from edm.data.settings import Data, data_learned
from edm.sampling.settings import Sampling

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from edm.evaluation.evaluate import Progress
    from edm.evaluation.report import Report


class Evaluation(Settings):
    """The evaluation: with what the model is compared, and how much of it."""

    dataset: str | None = knob(None, "dataset", "What to compare with; none: what the model has learned")
    path: str | None = knob(None, "path", "Where that data lies, if not where it lay in training")
    count: Whole = knob(2000, "samples", "How many samples to draw", ge=5, le=1_000_000)
    reference: Whole | None = knob(
        None, "reference", "How many of the data; none: all of a finite set, at most 10000", ge=5, le=1_000_000
    )
    sampling: Sampling = Sampling()

    @model_validator(mode="after")
    def _consistent(self):
        if self.dataset is not None:
            Data(dataset=self.dataset, path=self.path)
        return self


ABOUT = """Measure models against the data that they have learned: Fréchet distance, precision and recall in features
of images (whose they are is said: distances in different ones do not compare), sliced Wasserstein distance of points,
the loss at each noise level, and the error of the score where the exact one is known; beside each what true samples
would read."""
MORE = """examples:
  python -m edm evaluate digits_vp digits_ve digits_iddpm digits_edm --own --steps 5,10,18,40 --markdown
  python -m edm evaluate runs/spiral --steps 40 --json

--steps may be a list: 5,10,18,40. Each model is then evaluated at each number of steps."""


def add(commands: argparse._SubParsersAction) -> None:
    title, usage = "measure models against the data that they have learned", "python -m edm evaluate MODEL … [options]"
    parser = command(commands, "evaluate", title, ABOUT, MORE, usage=usage)
    parser.add_argument(
        "models", metavar="MODEL", nargs="+", help="a .safetensors file of ours, a run's folder, or a model's name"
    )
    parser.add_argument("--own", action="store_true", help="sample each model as its own design does, not all as EDM")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--markdown", action="store_true", help="print one table: models by numbers of steps")
    form.add_argument("--json", action="store_true", help="print everything as JSON")
    computing.add(parser)
    common.add(parser, Evaluation, "experiment")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> Any:
    from edm.base.devices import device
    from edm.evaluation import markdown
    from edm.training.loss import AT_ONCE

    if options.own and options.preset:
        raise Refused("--own and --preset both say how to sample; give one of them")
    place, how, steps = device(options.device), computing.of(options), _steps(options)
    opened = [(name, *_denoiser(name, place, how)) for name in options.models]
    events = [
        _evaluations(options, steps, how.batch or AT_ONCE, place, *model) for model in opened
    ]  # all checked before the first one runs
    rows = []
    for title, several in zip(_titles(opened), events, strict=True):
        rows.append((title, [_watched(title, one, sys.stderr) for one in several]))
    if options.json:
        found = [{"model": title, **report.document()} for title, reports in rows for report in reports]
        print(json.dumps(found, indent=2, ensure_ascii=False))
    elif options.markdown:
        print(markdown(rows))
    else:
        print("\n\n".join(_text(title, report) for title, reports in rows for report in reports))


def _denoiser(name_or_path: str, device, how):
    """(denoiser on `device`, the `Data` that it has learned or None) of a file, a run's folder or a model's name."""
    from edm.data.settings import Data
    from edm.experiments import models

    known_file = Path(name_or_path).exists() and not models.known(name_or_path)
    if name_or_path.lower().endswith(".safetensors") or known_file:
        from edm.files import checkpoints, saved

        denoiser = checkpoints.load(saved.chosen(name_or_path), device)
        return computing.applied(denoiser, how, device), data_learned(denoiser.header)
    model = models.load(name_or_path)
    denoiser = computing.applied(model.denoiser, how, device)
    if model.trained and (known := data_learned(model.header)) is not None:
        return denoiser, known
    return denoiser, None if model.dataset is None else Data(dataset=model.dataset.name)


def _steps(options) -> list[str | None]:
    """Each number of --steps, which is then no longer among the options; [None] where it is not given."""
    given, options.steps = options.steps, None
    return [None] if given is None else given.split(",")


def _evaluations(options, steps, batch, device, name, denoiser, data) -> list:
    """The evaluation of one model at each number of steps, as streams of events."""
    from edm.evaluation import evaluate

    header = denoiser.header
    if options.own:
        options.preset = [f"designs/{header.preconditioning.name if header else 'edm'}"]
    settings = common.settings(options)
    if settings.dataset is not None:
        data = Data(dataset=settings.dataset, path=settings.path)
    elif data is None:
        raise SettingsError(f"{name} does not say what it has learned; name it with --dataset")
    elif settings.path is not None:
        data = data.changed(path=settings.path)
    elif data.path is not None and not Path(data.path).is_absolute():
        raise SettingsError(f"{name} has learned {data.path!r}, but does not know where it lies; say so with --path")
    made = []
    for number in steps:
        changes = {} if number is None else {"steps": number}
        sampling = Sampling.parse({**settings.sampling.document(), **changes})
        made.append(evaluate(denoiser, data, sampling, settings.count, settings.reference, device, batch))
    return made


def _titles(opened) -> list[str]:
    """What the models are called: their titles, or what they were asked for by where those are none or the same."""
    titles = [(denoiser.header and denoiser.header.title) or name for name, denoiser, _ in opened]
    return [title if titles.count(title) == 1 else name for title, (name, *_) in zip(titles, opened, strict=True)]


def _watched(title, events: Iterator[Progress | Report], stream) -> Report:
    """Run to the report, with a line of progress on a terminal."""
    live, drawn = stream.isatty(), 0.0
    for event in events:
        if live and isinstance(event, tuple) and time.monotonic() > drawn + 0.2:
            drawn = time.monotonic()
            done, total = event
            print(f"\r{title}: {done} of {total} samples ", end="", file=stream, flush=True)
    report = cast("Report", event)  # with which all evaluations end
    start = "\r" if live else ""
    print(f"{start}{title}: N = {report.sampling.steps}, {report.count} samples, {report.seconds:.1f} s  ", file=stream)
    return report


def _text(title, report) -> str:
    lines = [
        f"{title} on {report.dataset}: {report.count} samples, N = {report.sampling.steps}, "
        f"{report.evaluations} evaluations each",
        f"  {report.distance_name:28} {report.distance:.4g}, of true samples {report.floor:.4g}",
    ]
    if report.features is not None:
        lines += [
            f"  in {report.features}",
            f"  {'precision, recall':28} {report.precision:.3f}, {report.recall:.3f}",
        ]
    lines.append(f"  {'σ':>10} {'E‖D − y‖²/d':>12}{'score error' if report.score_error else '':>13}")
    for k, sigma in enumerate(report.sigmas):
        error = f"{report.score_error[k]:13.4g}" if report.score_error else ""
        lines.append(f"  {sigma:10.4g} {report.loss[k]:12.4g}{error}")
    return "\n".join(lines)
