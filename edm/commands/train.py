"""python -m edm train: train a model, in this process or as one of torchrun's.

What is trained is always a run, and a run is its folder: options make the folder of one, which is then trained like one
that a queue has started, by `train --run FOLDER`.
"""

from __future__ import annotations

import argparse
import json
import shlex
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from edm.base import flat
from edm.base.errors import Refused
from edm.commands import bringing, costs, resuming
from edm.commands import options as common
from edm.commands.bar import Bar, say
from edm.commands.help import command
from edm.experiments.documents import merged
from edm.files import saved
from edm.training.goals import GOALS
from edm.training.settings import Training

ABOUT = """Train a model. A run is a folder of plain files: config.json, metrics.jsonl (its loss, and that at each noise
level on images held out), samples/, and checkpoints/: safetensors files with their settings inside, in which nothing
can run. For a run that outlives this terminal: python -m edm runs start."""
MORE = """examples:
  python -m edm train --preset training/toy --dataset spiral --out runs/spiral
  python -m edm train --preset training/digits --preset designs/vp --out runs/digits_vp
  python -m edm train --preset training/digits --preconditioning ve --noise edm --weight edm --augment 0.12
  python -m edm train --dataset folder --path photos.zip --resolution 64 --crop --batch 64
  python -m edm train --path measured.xlsx --columns lon,lat
  python -m edm train --resume runs/digits_vp
  torchrun --nproc_per_node 8 -m edm train --preset training/cifar10_conditional_vp --download true
  python -m edm train --preset training/cifar10_conditional_vp --estimate --card V100 --device "cuda*8"

Presets: training/… are recipes (minutes on a laptop, and the paper's own), designs/… the columns of Table 1. Later ones
go over earlier ones, and options over all.

Data: the toy distributions; digits; scenes (rendered as they are read); mnist, fashion_mnist and cifar10 through
torchvision (--download; --path for the folder); with --path alone what you bring: a folder, an archive or a file of
images or points, as `python -m edm data PATH` reads it. A class without images to train on is never drawn.

--minutes 10 trains for ten minutes of wall time, reports included: how many images those are is measured in the first
seconds, and stands in config.json from then on, so that a resume is of that length; ticks and checkpoints keep their
share of it.

--precision auto is bf16 on a CPU that multiplies in it, for networks of images that are quicker by it, else fp32; the
run's config.json says which. On a GPU: --precision bf16 (fp16 where it has none); --micro_batch and --checkpointing
true need less memory; --tf32 false trains in float32 throughout; with --deterministic true a run is the same bit for
bit.

An end before the end: Ctrl-C, or a terminal that closes, ends a run after its step, with a checkpoint; a second Ctrl-C
at once. --resume goes on from the newest whole checkpoint, bit for bit (on a GPU to rounding, without --deterministic
true); one that is not whole is passed over, and kept aside. A run knows which data it has learned and what it held out:
with others it goes on only with --accept-data, and says what is no longer true.

A step that does not fit into memory is tried again, from the last checkpoint, with half as many images at once
(micro_batch), and that is said; of several processes only where a queue has started them. Under torchrun each process
takes one GPU of its own.

Afterwards:
  python -m edm sample --model runs/spiral/checkpoints/00000200000.safetensors
  python -m edm evaluate runs/spiral
  python -m edm export runs/spiral --out spiral.safetensors"""


def add(commands: argparse._SubParsersAction) -> None:
    offered(commands, "train", "train a model", ABOUT, MORE)


def offered(
    commands: argparse._SubParsersAction, name: str, title: str, about: str, more: str, learns: str | None = None
) -> None:
    """The command of that name. learns: what its runs learn, with what is usual for that; None: as options say."""
    parser = command(commands, name, title, about, more, usage=f"python -m edm {name} [options]")
    parser.add_argument("--out", type=common.place, help="folder of the run; default: runs/<dataset>-<number>")
    resume = "continue the run in this folder, or from this checkpoint"
    parser.add_argument("--resume", type=common.place, metavar="PLACE", help=resume)
    own = "train the run in this folder as its own files say, as a queue does; other options are not for that"
    parser.add_argument("--run", dest="folder", type=common.place, metavar="FOLDER", help=own)
    parser.add_argument("--accept-data", action="store_true", help="resume, though the data are not the same any more")
    parser.add_argument("--keep", type=int, metavar="COUNT", help="keep only so many of the newest checkpoints")
    parser.add_argument("--keep-best", action="store_true", help="keep the best checkpoint, too, by its validation")
    parser.add_argument("--beginning", type=int, help=argparse.SUPPRESS)  # of a run that a queue starts: which one
    where = "cpu, cuda, cuda:1, …, mps (default: the GPU with the most free memory, if there is one)"
    parser.add_argument("--device", default="auto", help=where)
    parser.add_argument("--dry-run", action="store_true", help="check and print the settings, train nothing")
    costs.add(parser)
    common.add(parser, Training, "training", alone=True)
    parser.set_defaults(run=run, usual=GOALS[learns].usual | {"learns": learns} if learns else {})


def run(options: argparse.Namespace) -> Any:
    from edm.runs import clocks, launchers, places
    from edm.runs.worker import Worker, asking
    from edm.training import parallel
    from edm.training.fitting import shares
    from edm.training.loop import train

    began = time.perf_counter()
    folder, number, beginning = _of_folder(options) if options.folder else _of_options(options)
    if number is not None:  # since its launcher has taken it
        began -= clocks.since(places.read(places.request(Path(folder), number, "taken")))
    if beginning is None:
        return None
    settings = beginning.settings
    if options.dry_run:
        return print(json.dumps(settings.document(), indent=2))
    if options.estimate or options.card:
        return print(costs.told(settings, options.device, options.card))
    launcher = launchers.launcher_of(folder)
    with parallel.world(beginning.device) as world:
        share, handles = shares(settings, world.size)[0], world.gather(launcher.own())
        begin = partial(train, world=world, accept_data=beginning.accept_data)
        if world.rank:
            return _follow(partial(begin, settings, resume=beginning.checkpoint), world, folder, number, share)
        device = str(world.device) if world.size == 1 else f"{world.device.type}*{world.size}"
        command = launchers.command(["train", *flat.options(settings), f"--out={folder}"], device)
        told: dict[str, Any] = {"keep": beginning.keep, "command": command, "device": device}
        if world.size > 1:
            told |= {"leader": launcher.own(leader=True), "others": handles}
        told["note"] = "; ".join(filter(None, [beginning.note, _passed_over(beginning, folder)]))
        if told["note"]:
            say(told["note"], sys.stderr)
        costs.warn(settings, told["device"])
        begin, events = partial(begin, asking=asking(lambda: worker, began)), None
        if number is None:
            begin = partial(begin, source=bringing.read(settings.data))
            resuming.refuse_other_runs(folder, beginning.checkpoint)
            events = begin(settings, resume=beginning.checkpoint)  # a person's mistakes leave nothing behind
            number = beginning.write(folder)
            world.gather((str(folder), number))
        worker = Worker(folder, number, settings, share, **told)
        bar = Bar(settings, sys.stderr, () if options.folder else common.given(options))
        try:
            with worker:
                if events is None:  # what is wrong with the data belongs to the run now
                    begin = partial(begin, source=bringing.read(settings.data))
                    events = begin(settings, resume=beginning.checkpoint)
                _train(worker, events, begin, folder, beginning, bar)
        except KeyboardInterrupt:
            say(f"\nstopped at once; {_advice(folder)}", sys.stderr)
            return 130
    return _ended(worker, bar, folder)


def _train(worker, events, begin, folder, beginning, bar):
    """Train to the end of a run; where a step does not fit into memory, with half as many images at once."""
    from edm.runs import retries
    from edm.training import recording

    how = (beginning.keep, beginning.best, worker.check, worker.measured)
    while True:
        try:
            for event in recording.record(worker.watch(events), folder, *how):
                bar.show(event)
            return
        except (RuntimeError, MemoryError) as error:
            settings, checkpoint = worker.smaller(error, beginning.checkpoint)
        say(f"\n{retries.sentence(settings, checkpoint)}", sys.stderr)
        events = event = None  # with all that they hold
        retries.let_go()
        events = begin(settings, resume=checkpoint)


def _follow(begin, world, folder, number, share):
    """Train as one of several processes of which another one leads. number: None if only that one knows it."""
    from edm.runs import causes, retries, worker
    from edm.runs.signals import Signals

    settings = begin.args[0]
    with Signals(worker.ECHO) as signals:
        try:
            events = begin(stop=signals.asked)
            if number is None:
                folder, number = next(filter(None, world.gather(None)))
            for _ in events:
                pass
        except Exception as error:
            if number is not None:
                fewer = retries.smaller(error, settings, share)
                if retries.hand_over(Path(folder), number, fewer):
                    retries.leave(fewer)
                causes.tell(folder, number, error, settings, share, saved.newest(folder))
            raise


def _of_folder(options):
    """(folder, number, what to do) of a run whose files say that. number: None of one that nobody has started yet.

    Nothing is to do where torchrun has started a process again for a run that has ended."""
    from edm.runs import beginnings, places, retries

    if options.preset or options.config or options.resume or options.out or common.given(options):
        raise Refused("--run trains a run as its folder says; to go on with other settings use --resume")
    folder = Path(options.folder)
    if not folder.is_dir():
        raise Refused(f"--run {folder}: there is no such folder")
    if options.beginning is None:
        return folder, None, beginnings.read(folder, places.newest(folder) + 1)
    number = retries.number_of(folder, options.beginning)
    return folder, number, None if number is None else beginnings.read(folder, number)


def _of_options(options):
    """(folder, None, what to do) of a run that is asked for here, and has yet to be written."""
    from edm.data import sources
    from edm.runs.beginnings import Beginning
    from edm.training import fitting

    if options.keep is not None and options.keep < 1:
        raise Refused(f"--keep {options.keep}: must be 1 or more")
    checkpoint, folder, torn = resuming.place(options)
    if checkpoint is not None:
        if options.preset:
            raise Refused("--resume goes on with the run's own settings; give single options, not a --preset")
        options.config = options.config or str(checkpoint)
    asked = common.document_of(options)
    document = bringing.completed(asked if options.config else merged(options.usual, asked))
    if options.card and "data" in document:  # they need not be here
        document["data"] = costs.somewhere(document["data"])
    settings = Training.parse(document)
    if checkpoint is None:
        fitting.check(settings, sources.shape_of(settings.data), common.given(options))
    how = (options.device, options.keep, options.keep_best, options.accept_data)
    folder = folder or resuming.new_folder(settings.data.dataset)
    return folder, None, Beginning(settings, checkpoint, tuple(torn), *how)


def _ended(worker, bar, folder) -> int:
    """Say where the run has got to; returns the exit code."""
    last = saved.newest(folder)
    say(last or f"{folder} has no checkpoint yet", sys.stdout)
    heard = worker.heard
    if not bar.early or heard is None or heard not in (signal.SIGINT, getattr(signal, "SIGHUP", signal.SIGINT)):
        return 0
    say(f"stopped at image {bar.images:,}; {_advice(folder)}", sys.stderr)
    return 128 + heard


def _advice(folder) -> str:
    last = saved.newest(folder)
    if last is None:
        return "nothing had been saved yet: start it again"
    return f"go on from {last.name} with --resume {shlex.quote(str(folder))}"


def _passed_over(beginning, folder) -> str:
    """What is said about checkpoints that are not whole, if there are some."""
    torn = beginning.torn
    if not torn:
        return ""
    here = torn[0].parent.resolve() == (folder / "checkpoints").resolve()
    kept = f" (kept as {', '.join(path.name + saved.TORN for path in torn[:3])})" if here else ""
    return f"{saved.described(torn)}: the run goes on from {beginning.checkpoint.name}{kept}"
