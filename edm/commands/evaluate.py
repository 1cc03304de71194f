"""python -m edm evaluate: measure models against the data that they have learned."""

from __future__ import annotations

import json
import sys
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edm.base import paths
from edm.base.errors import Refused
from edm.base.fields import SettingsError
from edm.commands import classified, computing, queued
from edm.commands import options as common
from edm.commands.help import command
from edm.commands.progress import Line
from edm.data.settings import Data, data_learned
from edm.evaluation import Evaluation, Report, Weighed, evaluation_of, markdown, save_statistics
from edm.evaluation.weighed import table, verdict
from edm.experiments import classifiers
from edm.sampling.computing import prepared
from edm.sampling.denoisers import denoiser_of
from edm.sampling.guidance import GUIDANCES
from edm.sampling.guidance.settings import Guiding
from edm.sampling.settings import Sampling
from edm.training.loss import AT_ONCE

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from edm.evaluation import Progress

ABOUT = """Measure models against the data that they have learned: Fréchet distance, precision and recall in features
of images (whose they are is said: distances in different ones do not compare), sliced Wasserstein distance of points,
the loss at each noise level, and the error of the score where the exact one is known; beside each what true samples
would read. The distance is FID where a file of Inception's weights is given."""
MORE = """examples:
  python -m edm evaluate digits_vp digits_ve digits_iddpm digits_edm --own --steps 5,10,18,40 --markdown
  python -m edm evaluate runs/spiral --steps 40 --json
  python -m edm evaluate digits_edm --guidance free --guidance-weights 1,1.5,2,3 --keep kept
  python -m edm evaluate c.safetensors --protocol paper --inception inception.pkl --reference_stats cifar10-32x32.npz
  torchrun --standalone --nproc_per_node 8 -m edm evaluate runs/cifar10 --count 50000 --inception inception.pkl

--steps may be a list: 5,10,18,40. Each model is then evaluated at each number of steps. With --guidance-weights each is
at each weight of its guidance: one table of precision, recall, Fréchet distance and inception score, with intervals.
Under torchrun the processes share the samples, and find the same to the last bit; with --keep a folder, an evaluation
that was stopped goes on where it was."""


def add(commands: argparse._SubParsersAction) -> None:
    title, usage = "measure models against the data that they have learned", "python -m edm evaluate MODEL … [options]"
    parser = command(commands, "evaluate", title, ABOUT, MORE, usage=usage)
    parser.add_argument(
        "models",
        metavar="MODEL",
        nargs="*",
        type=paths.text,
        help="a .safetensors file of ours, a run's folder, or a model's name",
    )
    parser.add_argument("--own", action="store_true", help="sample each model as its own design does, not all as EDM")
    parser.add_argument("--keep", type=common.place, help="folder for what has been computed, from which it goes on")
    parser.add_argument(
        "--save-stats", type=common.place, metavar="FILE", help="write the data's statistics, for --reference_stats"
    )
    parser.add_argument(
        "--guidance-weights", metavar="LIST", help="several weights of the guidance, such as 1,1.5,2,3: one table"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--markdown", action="store_true", help="print one table: models by numbers of steps")
    form.add_argument("--json", action="store_true", help="print everything as JSON")
    queued.add(parser, "evaluate")
    computing.add(parser)
    common.add(parser, Evaluation, "experiment")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> Any:
    from edm.training.parallel import world

    if options.models and (guides := [name for name in options.models if classifiers.known(name)]):
        return _classified(options, guides)
    if options.folder:
        return queued.work("evaluate", options)
    if not options.models:
        raise Refused("name a model: a .safetensors file of ours, a run's folder, or one of `python -m edm models`")
    if options.queue:
        return _enqueue(options)
    if options.own and options.preset:
        raise Refused("--own and --preset both say how to sample; give one of them")
    with world(options.device) as here:
        try:
            _run(options, here)
        except KeyboardInterrupt:
            if options.keep and here.rank == 0:
                print(f"\nwhat is finished is in {options.keep}: the same command goes on from there", file=sys.stderr)
            raise
    return None


def _classified(options, guides):
    """How well classifiers tell the classes of noisy samples."""
    if len(guides) < len(options.models) or options.queue or common.given(options):
        raise Refused(f"{guides[0]} is a classifier, which draws no samples: name classifiers alone, without options")
    for name in guides:
        guide = classifiers.load(name)
        print(f"{guide.title} on {guide.dataset}:\n{classified.table(classified.measured(guide.classifier, name))}")


def _enqueue(options):
    """An evaluation of each model as a task of its run."""
    if options.guidance_weights:
        raise Refused("--queue takes one weight: give --guidance_weight in the place of --guidance-weights")
    if options.own or options.keep or options.save_stats or options.json or options.markdown:
        raise Refused("--queue leaves a report in the run's own folder; leave out --own, --keep, --save-stats, --json")
    settings = {**common.settings(options).document(), "computing": computing.of(options).document()}
    for model in options.models:
        queued.start("evaluate", model, settings, options.device)


def _run(options, here) -> None:
    how, steps, weights = computing.of(options), _steps(options), _weights(options)
    opened = [(name, *_denoiser(name, here.device, how)) for name in options.models]
    # all checked before the first runs
    asked = [_evaluations(options, steps, weights, how, here, *model) for model in opened]
    if options.save_stats:
        _save(options.save_stats, asked[0][0][0], opened[0][2], here)
    rows = []
    for title, several in zip(_titles(opened), asked, strict=True):
        rows.append((title, [(settings, _watched(title, events, sys.stderr)) for settings, events in several]))
    if here.rank == 0:
        print(_printed(options, rows, weights))


def _printed(options, rows, weights) -> str:
    """All that was found, as it is asked for. rows: (title, [(settings, report)])."""
    if options.json:
        found = [
            {"model": title, **_guidance(settings), **report.document()}
            for title, pairs in rows
            for settings, report in pairs
        ]
        return json.dumps(found, indent=2, ensure_ascii=False)
    if weights:
        weighed = [(title, [Weighed(one.guidance_weight, report) for one, report in pairs]) for title, pairs in rows]
        verdicts = [verdict(found, GUIDANCES[rows[0][1][0][0].guidance].neutral) for _, found in weighed]
        return "\n".join([table(weighed, options.markdown), *filter(None, verdicts)])
    reports = [(title, [report for _, report in pairs]) for title, pairs in rows]
    if options.markdown:
        return markdown(reports)
    return "\n\n".join(_text(title, report) for title, several in reports for report in several)


def _guidance(settings) -> dict[str, Any]:
    """What a document says of guidance."""
    return {name: value for name, value in settings.document().items() if name in Guiding.model_fields}


def _denoiser(name_or_path: str, device, how):
    """(denoiser on `device`, the `Data` that it has learned or None) of a file, a run's folder or a model's name."""
    from edm.experiments import models, runner
    from edm.experiments.experiment import Experiment

    known_file = Path(name_or_path).exists() and not models.known(name_or_path)
    if name_or_path.lower().endswith(".safetensors") or known_file:
        from edm.files import checkpoints, saved

        denoiser = checkpoints.load(saved.chosen(name_or_path), device)
        return computing.applied(denoiser, how, device), data_learned(denoiser.header)
    model = models.load(name_or_path)
    whole = runner.denoiser(Experiment(model=model.name), model, device) if model.low else model.denoiser
    denoiser = computing.applied(whole, how, device)
    if model.trained and (known := data_learned(model.header)) is not None:
        return denoiser, known
    return denoiser, None if model.dataset is None else Data(dataset=model.dataset.name)


def _steps(options) -> list[str | None]:
    """Each number of --steps, which is then no longer among the options; [None] where it is not given."""
    given, options.steps = options.steps, None
    return [None] if given is None else given.split(",")


def _weights(options) -> list[float]:
    """Each of --guidance-weights; []: as the settings say."""
    if options.guidance_weights is None:
        return []
    from edm.diagnostics import parse_range

    if common.settings(options).guidance == "none":
        raise Refused(f"--guidance-weights needs a guidance: add --guidance, one of {', '.join(GUIDANCES)}")
    return parse_range(options.guidance_weights, "guidance_weight")


def _evaluations(options, steps, weights, how, here, name, denoiser, learned) -> list:
    """The evaluation of one model at each number of steps and each weight: what is asked, and its stream of events."""
    header: Any = denoiser_of(denoiser).header
    if options.own:
        options.preset = [f"designs/{header.preconditioning.name if header else 'edm'}"]
    settings = common.settings(options)
    made = []
    for number, weight in product(steps, weights or [settings.guidance_weight]):
        changes = {} if number is None else {"steps": number}
        sampling = Sampling.parse({**settings.sampling.document(), **changes})
        asked = settings.changed(sampling=sampling, guidance_weight=weight)
        try:
            guided = _guided(asked, name, denoiser, how, here.device)
            batch = how.batch or AT_ONCE
            events = evaluation_of(asked, guided, learned, here.device, batch, options.keep, here, bool(weights))
        except SettingsError as error:
            raise Refused(f"{name}: {error}") from None
        made.append((asked, events))
    return made


def _guided(asked, name, denoiser, how, device):
    """The denoiser, clipped and with guidance around it where that is asked for."""
    if asked.guidance == "none" and not asked.clip:
        return denoiser
    from edm.experiments import models, runner
    from edm.files import saved

    known = name if models.known(name) else models.register(saved.chosen(name))
    return runner.denoiser(asked.experiment(known), device=device, wrap=lambda inner: prepared(inner, how, device))


def _save(path, asked, learned, here) -> None:
    """Write the statistics of the data that the first model is compared with."""
    data = asked.data(learned)
    if data is None:
        raise Refused("--save-stats needs the data, which are not here")
    if here.rank == 0:
        save_statistics(path, data, asked.reference, here.device, asked.inception, asked.protocol)


def _titles(opened) -> list[str]:
    """What the models are called: their titles, or what they were asked for by where those are none or the same."""
    titles = [(denoiser.header and denoiser.header.title) or name for name, denoiser, _ in opened]
    return [title if titles.count(title) == 1 else name for title, (name, *_) in zip(titles, opened, strict=True)]


def _watched(title, events: Iterator[Progress | Report], stream) -> Report | None:
    """Run to the report, with a line of progress; None where another process makes it."""
    line, event = Line(stream, title), None
    for event in events:
        if isinstance(event, tuple):
            line.show(*event)
    if not isinstance(event, Report):
        return None
    line.end(f"{title}: N = {event.sampling.steps}, {event.count} samples, {event.seconds:.1f} s")
    return event


def _text(title, report) -> str:
    true = "" if report.floor is None else f", of true samples {report.floor:.4g}"
    lines = [
        f"{title} on {report.dataset}: {report.count} samples, N = {report.sampling.steps}, "
        f"{report.evaluations} evaluations each",
        f"  {report.distance_name:28} {report.distance:.4g}{true}",
    ]
    if report.repeats:
        lines.append(f"  {'of each set of samples':28} {', '.join(f'{one:.4g}' for one in report.repeats)}")
    if report.features is not None:
        lines.append(f"  in {report.features}, to {report.against}")
    if report.precision is not None:
        lines.append(f"  {'precision, recall':28} {report.precision:.3f}, {report.recall:.3f}")
    if report.copies is not None:
        lines.append(f"  {'copies of training images':28} {report.copies:.1%}")
    if report.sigmas:
        lines.append(f"  {'σ':>10} {'E‖D − y‖²/d':>12}{'score error' if report.score_error else '':>13}")
    for k, sigma in enumerate(report.sigmas):
        error = f"{report.score_error[k]:13.4g}" if report.score_error else ""
        lines.append(f"  {sigma:10.4g} {report.loss[k]:12.4g}{error}")
    return "\n".join(lines)
