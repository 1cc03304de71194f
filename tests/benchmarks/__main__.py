"""python -m tests.benchmarks [training] [compare] [instruments] [page] [runs]: what is asked, and what is so.

Medians of runs side by side on this machine. Prints a table; asserts nothing.
"""

from __future__ import annotations

import argparse

from tests.benchmarks import compare, instruments, page, runs, training

PARTS = {"training": training, "compare": compare, "instruments": instruments, "page": page, "runs": runs}


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="which part (default: all)")
    parser.add_argument("--moves", type=int, default=24, help="moves of a knob for each median (default: %(default)s)")
    parser.add_argument("--memory-moves", type=int, default=500, help="moves for the memory (default: %(default)s)")
    options = parser.parse_args()
    print(f"{'what':72} {'got':>9} {'asked':>9}")
    for name in options.parts or PARTS:
        for what, got, asked, unit in PARTS[name].rows(options):
            within = got >= asked if unit == "× faster" else got <= asked
            print(f"{what:72} {got:7.3g} {unit:2} {asked:6g} {unit:2} {'' if within else '  missed'}", flush=True)


if __name__ == "__main__":
    main()
