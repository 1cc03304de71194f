"""The command line: python -m edm sample | train | …, whose options are the fields of the settings."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

TOO_LARGE = "this does not fit into memory; use fewer at once (--micro_batch, --samples, --count) or a smaller network"
COMMANDS = ("sample", "train", "evaluate", "export", "info", "convert", "models", "runs")


def main(arguments=None) -> int:
    """Returns the exit code: 0, 2 after a sentence about what was wrong, or 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m edm", description="The EDM design space on the command line.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in COMMANDS:
        import_module(f"edm.commands.{name}").add(commands)
    options = parser.parse_args(arguments)
    try:
        return options.run(options) or 0
    except (ValueError, OSError) as error:
        print(f"{parser.prog} {options.command}: {error}", file=sys.stderr)
        return 2
    except (MemoryError, RuntimeError) as error:
        from edm.runs.failures import out_of_memory

        if not out_of_memory(error):
            raise
        print(f"{parser.prog} {options.command}: {TOO_LARGE} ({error!s:.200})", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"\n{parser.prog} {options.command}: stopped", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
