"""python -m edm export: a checkpoint's averaged weights as a small model file with a card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from edm.base.errors import Refused
from edm.commands import classified, computing
from edm.commands.help import command
from edm.commands.options import place
from edm.data.settings import data_learned

if TYPE_CHECKING:
    import argparse

    from edm.evaluation.report import Report

ABOUT = """Make a small model file of a checkpoint's averaged weights, in half precision, with a card beside it: what it
was trained on, for how long, and with which command."""
MORE = """examples:
  python -m edm export runs/spiral --out spiral.safetensors --title "My spiral"
  python -m edm export runs/digits --out digits.safetensors --evaluate"""


def add(commands: argparse._SubParsersAction) -> None:
    title = "make a small model file, with a card, from a run or a checkpoint"
    parser = command(commands, "export", title, ABOUT, MORE)
    parser.add_argument("place", type=place, help="a checkpoint, or the folder of a run: then its last one")
    parser.add_argument("--out", type=place, required=True, help="model file to write: .safetensors")
    parser.add_argument("--title", default="", help="its name for people")
    parser.add_argument("--family", default="", help="name that the checkpoints of one run share on the page")
    parser.add_argument("--order", type=int, default=99, help="its place among other models (default: %(default)s)")
    parser.add_argument("--note", default="", help="a remark for its card")
    parser.add_argument("--ema", type=int, default=0, help="which of the averages (default: the first)")
    parser.add_argument("--evaluate", action="store_true", help="measure it first, and put that on the card")
    computing.add(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> Any:
    from edm.base.devices import device
    from edm.files import saved
    from edm.training.export import export

    checkpoint = saved.chosen(options.place)
    how = computing.of(options)
    if not options.evaluate and (how.document() or options.device != "auto"):
        raise Refused("--device, --precision, --batch and --compile say how to --evaluate, which is not asked for")
    metrics = _measures(checkpoint, options.ema, device(options.device), how) if options.evaluate else None
    named = {"title": options.title, "family": options.family, "order": options.order, "note": options.note}
    export(checkpoint, options.out, **named, ema=options.ema, metrics=metrics)
    print(options.out)


def _measures(checkpoint, ema, device, how) -> dict:
    """What an evaluation finds, as lines for the card."""
    from edm.classifier import Classifier
    from edm.evaluation import evaluate
    from edm.files import checkpoints
    from edm.sampling.loop import last
    from edm.training.loss import AT_ONCE

    loaded = checkpoints.load(checkpoint, ema=ema)
    if isinstance(loaded, Classifier):
        return {"evaluation": classified.for_card(classified.measured(loaded, checkpoint))}
    denoiser = computing.applied(loaded, how, device)
    data = data_learned(denoiser.header)
    if data is None:
        raise Refused(f"{checkpoint} does not say what it has learned; leave out --evaluate")
    report = cast(
        "Report", last(evaluate(denoiser, data, device=device, batch=how.batch or AT_ONCE))
    )  # with which all evaluations end
    true = "" if report.floor is None else f"; true samples read {report.floor:.3g}"
    how = f"{report.count} samples, N = {report.sampling.steps}{true}"
    where = f", {report.features}" if report.features else ""
    name = report.distance_name[0].upper() + report.distance_name[1:]
    found = {name: f"{report.distance:.3g} ({how}{where})"}
    if report.precision is not None:
        found["Precision, recall"] = f"{report.precision:.2f}, {report.recall:.2f}"
    if report.copies is not None:
        found["Copies"] = f"{report.copies:.1%} of samples (nearest training image closer than ⅓ of the second nearest)"
    if report.score_error is not None:
        pairs = list(zip(report.sigmas, report.score_error, strict=True))[::3]
        found["Error of the score at σ"] = ", ".join(f"{sigma:.3g}: {error:.2g}" for sigma, error in pairs)
    return {"evaluation": found}
