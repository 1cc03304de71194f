"""The command line: python -m edm sample | train | …, whose options are the fields of the settings.

A mistake of whoever asks is a sentence. An error of the program is one too, with the place of its traceback: a file,
or with EDM_TRACEBACK=1 the terminal.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import traceback
from contextlib import suppress
from importlib import import_module

from edm.base.errors import one_line, sentence_of

TOO_LARGE = "this does not fit into memory; use fewer at once (--micro_batch, --samples, --count) or a smaller network"
COMMANDS = ("sample", "train", "evaluate", "export", "info", "convert", "models", "runs")


def main(arguments=None) -> int:
    """Returns the exit code: 0; 2 after a sentence about what was wrong, 1 after an error of the program, 130 after
    Ctrl-C, 141 once nobody reads any more."""
    parser = argparse.ArgumentParser(prog="python -m edm", description="The EDM design space on the command line.")
    wanted = _wanted(sys.argv[1:] if arguments is None else arguments)
    every = None if wanted == COMMANDS else f"{{{','.join(COMMANDS)}}}"
    commands = parser.add_subparsers(dest="command", required=True, metavar=every)
    program = parser.prog
    try:
        for name in wanted:
            import_module(f"edm.commands.{name}").add(commands)
        options = parser.parse_args(arguments)
        program = f"{parser.prog} {options.command}"
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

    sentence = f"{TOO_LARGE} ({one_line(error, 200)})" if out_of_memory(error) else sentence_of(error)
    if sentence is not None:
        print(f"{program}: {sentence}", file=sys.stderr)
        return 2
    told = "".join(traceback.format_exception(error))
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
