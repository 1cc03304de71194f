"""Files as people have them, each with what must come out: for the trial `brought`, and for quick tests.

A maker is a generator of cases: dice -> Case …; the same dice make the same files. Which program would have written a
file is said in its name.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.brought import archives, arrays, broken, folders, pictures, tables
from tests.brought.case import Case

MAKERS = {
    "archives": archives.cases,
    "folders": folders.cases,
    "pictures": pictures.cases,
    "arrays": arrays.cases,
    "tables": tables.cases,
    "broken": broken.cases,
}


def cases(seed: object = 0) -> Iterator[Case]:
    """All of them."""
    for kind, maker in MAKERS.items():
        for case in maker(random.Random(f"{kind} {seed}")):
            yield case.called(f"{kind}: {case.name}")
