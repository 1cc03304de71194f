"""A class at the page: the moves of its visitors, in a process of their own (see `crowd`), at a server of theirs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from edm.base.errors import Refused, shown
from edm.experiments import models
from tests.benchmarks.crowd import Crowd
from tests.benchmarks.served import computed, served
from tests.benchmarks.table import Row
from tests.browser.conftest import ROOT

PROTOCOL = "lines"  # of the code that is here
MODELS = ("eight_gaussians", "spiral")
IMPATIENT = 3.0  # seconds after which the page asks once more


@dataclass(frozen=True)
class Outcome:
    """What became of a crowd's moves. took: milliseconds of each that was answered. share: of a core, that the crowd
    itself computed; spent: seconds that the server did. least, most: answers of a visitor."""

    crowd: Crowd
    took: np.ndarray
    asked: int
    overtaken: int
    faults: Counter
    share: float
    spent: float
    least: int
    most: int

    @property
    def cost(self) -> float:
        """Milliseconds that the server computed for each answer."""
        return 1000 * self.spent / max(len(self.took), 1)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.took) / self.crowd.seconds

    @property
    def lost(self) -> int:
        return sum(self.faults.values())

    def quantile(self, share: float) -> float:
        return float(np.quantile(self.took, share)) if len(self.took) else float("inf")

    def line(self) -> str:
        p50, p95 = self.quantile(0.5), self.quantile(0.95)
        times = f"p50 {p50:.0f} ms, p95 {p95:.0f} ms"
        return f"{self.crowd.visitors} visitors: {len(self.took)} answers, {times}, lost {self.lost}"

    def more(self) -> str:
        """What else there is to say, for who wonders."""
        late = int((self.took > 1000 * IMPATIENT).sum())
        said = [
            f"{self.asked} moves were asked for, {self.overtaken} were overtaken while they waited",
            f"{late} answers took more than {IMPATIENT:g} s, after which the page would have asked once more",
            f"each visitor had {self.least} to {self.most} answers, {self.rate:.1f} a second in all",
            f"an answer took {self.cost:.1f} ms of the server's cores, the visitors {100 * self.share:.0f} % of one",
        ]
        return "\n".join(said + [f"lost {number}: {why}" for why, number in self.faults.most_common()])


def outcome(crowd: Crowd, tallies: list[dict], share: float, spent: float, unlike: int) -> Outcome:
    """Of the tallies of all visitors. unlike: answers that are not what the library computes; they are lost, too."""
    faults = Counter(why for tally in tallies for why in tally["faults"])
    if unlike:
        faults["not what the library computes"] = unlike
    took = 1000 * np.array([one for tally in tallies for one in tally["took"]])
    asked, overtaken = (sum(tally[name] for tally in tallies) for name in ("asked", "overtaken"))
    each = [len(tally["took"]) for tally in tallies]
    return Outcome(crowd, took, asked, overtaken, faults, share, spent, min(each), max(each))


def crowded(process, crowd: Crowd) -> Outcome:
    """A crowd at a server that runs."""
    command = [sys.executable, "-m", "tests.benchmarks.crowd", json.dumps(asdict(crowd))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as going:
        said = map(json.loads, going.stdout)
        next(said)
        before = computed(process)
        told = next(said)
        spent = computed(process) - before
        return outcome(crowd, told["tallies"], told["share"], spent, next(said)["unlike"])


def one_line(options) -> None:
    """One line, of the code that is here; the rest goes to stderr. Raises Refused for a model not in the plane."""
    if not models.known(options.model) or models.load(options.model).shape != (2,):
        raise Refused(f"--model {shown(options.model)}: name one in the plane, such as {' or '.join(MODELS)}")
    with served() as (process, address):
        crowd = Crowd(address, PROTOCOL, model=options.model, visitors=options.count, seconds=options.seconds or 60)
        found = crowded(process, crowd)
    print(found.line())
    print(found.more(), file=sys.stderr)


def rows(options, tree: Path | None):
    """What a move costs the server where one visitor asks, one after the other, and what a class waits."""
    alone = {"visitors": 1, "seconds": 4, "every": 0.1}
    many_of = {"visitors": options.count, "seconds": options.seconds or 20, "model": options.model}
    found = {}
    for name, path, protocol in (("before", tree, "queue"), ("now", ROOT, PROTOCOL)):
        if path is None:
            continue
        with served(path) as (process, address):
            each = {model: crowded(process, Crowd(address, protocol, model=model, **alone)) for model in MODELS}
            found[name] = each, crowded(process, Crowd(address, protocol, **many_of))
    (each, many), (each_before, many_before) = found["now"], found.get("before", ({}, None))
    for model, outcome in each.items():
        before = each_before.get(model)
        yield Row(f"server time of a toy move, {model}", outcome.cost, "ms", 15, before and before.cost)
    title = f"{many_of['visitors']} visitors, {many_of['seconds']:g} s, {options.model}: knob → answer"
    for share, asked in ((0.5, None), (0.95, 300)):
        before = many_before and many_before.quantile(share)
        yield Row(f"{title}, p{100 * share:.0f}", many.quantile(share), "ms", asked, before)
    yield Row("the same: answers a second", many.rate, "", None, many_before and many_before.rate)
    yield Row("the same: lost", many.lost, "", 0, many_before and many_before.lost)
