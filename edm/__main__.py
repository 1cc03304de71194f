"""The command line: python -m edm sample | train | …, whose options are the fields of the settings.

A mistake of whoever asks is a sentence. An error of the program is one too, with the place of its traceback: a file,
or with EDM_TRACEBACK=1 the terminal.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module

from edm.base.cards import in_their_order
from edm.base.errors import one_line, sentence_of
from edm.commands.help import Help

TOO_LARGE = (
    "this does not fit into memory; use fewer at once (--batch, --micro_batch, --samples, --count) or a smaller network"
)
PROGRAM = "python -m edm"
SAID = 5.0  # seconds in which the first of torchrun's processes says what all of them would
ABOUT = """The design space of diffusion models (Karras et al. 2022, arXiv 2206.00364) on the command line. The same as
a page: python -m app. Where this is installed, both have names of their own: edm and edm-explorer."""
MORE = """examples:
  python -m edm models
  python -m edm sample --model digits --label 3 --steps 12 --out threes.png
  python -m edm train --preset training/toy --dataset spiral --out runs/spiral
  python -m edm runs list

Each command says more of itself: python -m edm sample --help

Settings are one document everywhere: options, presets (designs/… are the columns of Table 1, training/… recipes), .yaml
and .json files, the metadata of PNGs and models, and the page's links have the same names and limits.

environment:
  EDM_RUNS         the folder of all runs, where it is not runs/
  EDM_TRACEBACK=1  show the traceback of an error of the program here, and not in a file"""
COMMANDS = ("sample", "train", "data", "evaluate", "export", "info", "convert", "models", "runs", "train-classifier")


def parser(names: Sequence[str] = COMMANDS) -> argparse.ArgumentParser:
    """The parser of these commands; what it reads has `run`, a function of the options."""
    made = argparse.ArgumentParser(prog=PROGRAM, description=ABOUT, epilog=MORE, formatter_class=Help)
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in names:
        import_module(f"edm.commands.{name.replace('-', '_')}").add(commands)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code: 0; 2 after a sentence about what was wrong, 1 after an error of the program, 130 after
    Ctrl-C, 141 once nobody reads any more."""
    program = PROGRAM
    try:
        options = parser(_wanted(sys.argv[1:] if arguments is None else arguments)).parse_args(arguments)
        program = f"{PROGRAM} {options.command}"
        in_their_order()
        return options.run(options) or 0
    except BrokenPipeError:  # whoever was reading has enough, such as head
        return 128 + 13
    except KeyboardInterrupt:
        print(f"\n{program}: stopped", file=sys.stderr)
        return 130
    except Exception as error:
        return failed(program, error)
    finally:
        try:
            sys.stdout.flush()
        except OSError:  # a closed terminal or pipe; it would fail again when the program ends, and be told
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _wanted(arguments) -> tuple[str, ...]:
    """The command that is asked for, which need not wait for the others; all of them, if it is none."""
    return (arguments[0],) if arguments and arguments[0] in COMMANDS else COMMANDS


def failed(program: str, error: Exception) -> int:
    """Say what has ended a command; returns its exit code."""
    from edm.base.devices import out_of_memory
    from edm.base.faults import fault

    known = fault(f"{type(error).__name__}: {error}") if isinstance(error, RuntimeError | AssertionError) else None
    cause = TOO_LARGE if out_of_memory(error) else known and known.sentence
    sentence = f"{cause} ({one_line(error, 200)})" if cause else sentence_of(error)
    told = "".join(traceback.format_exception(error))
    if sentence is not None:
        if cause and os.environ.get("EDM_TRACEBACK"):
            print(told, file=sys.stderr)
        elif not cause and os.environ.get("LOCAL_RANK", "0") != "0":
            time.sleep(SAID)  # torchrun ends this process once the first one has said it
        print(f"{program}: {sentence}", file=sys.stderr)
        return 2
    if os.environ.get("EDM_TRACEBACK"):
        print(told, file=sys.stderr)
        place = "its traceback is above"
    else:
        with tempfile.NamedTemporaryFile("w", prefix="edm-", suffix=".log", delete=False, encoding="utf-8") as file:
            file.write(f"{program}\n{told}")
        place = f"its traceback is in {file.name}; EDM_TRACEBACK=1 shows it here"
    name = type(error).__name__
    print(f"{program}: an error of the program, {name}: {one_line(error, 200)}; {place}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
