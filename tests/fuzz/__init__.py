"""Inputs of any making, for everything that reads some: each ends in an answer, or in a sentence of Refused.

A kind is a maker of inputs: dice -> (what it is, a function that gives the program the input). The same dice make the
same inputs. What a function returns is an answer; Refused is a refusal; anything else that is raised is a defect, and
so is a sentence that is too long, or an input that takes longer than anybody waits.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass, field

from edm.base.errors import LONGEST, Refused
from tests.fuzz.asked import commands, events, links, settings
from tests.fuzz.files import files
from tests.fuzz.requests import requests

SECONDS = 5.0  # that one input may take; the machine may be busy
KINDS = {  # makers, and their shares
    "settings": (settings, 25),
    "links": (links, 20),
    "events": (events, 20),
    "requests": (requests, 10),
    "files": (files, 15),
    "commands": (commands, 10),
}


@dataclass
class Found:
    """What came of inputs. failures: (kind, input, what it did)."""

    answers: Counter = field(default_factory=Counter)
    refusals: Counter = field(default_factory=Counter)
    failures: list = field(default_factory=list)
    slowest: dict = field(default_factory=dict)


def fuzz(dice: random.Random, count: int, folder, kinds=tuple(KINDS)) -> Found:
    """Try `count` inputs, the kinds in their shares. folder: for files, new for each call."""
    found, whole = Found(), sum(KINDS[kind][1] for kind in kinds)
    folder.mkdir(parents=True)
    for kind in kinds:
        for _ in range(round(count * KINDS[kind][1] / whole)):
            what, attempt = KINDS[kind][0](dice, folder)
            began = time.perf_counter()
            try:
                attempt()
                found.answers[kind] += 1
            except Refused as refusal:
                found.refusals[kind] += 1
                if not 0 < len(str(refusal)) <= LONGEST or not str(refusal).isprintable():
                    found.failures.append((kind, what, f"a sentence of {len(str(refusal))} letters"))
            except Exception as error:
                found.failures.append((kind, what, f"{type(error).__name__}: {error}"[:300]))
            took = time.perf_counter() - began
            found.slowest[kind] = max(found.slowest.get(kind, 0.0), took)
            if took > SECONDS:
                found.failures.append((kind, what, f"{took:.1f} s"))
    return found
