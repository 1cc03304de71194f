"""What people bring: files of all makings, each with what must come out."""

from __future__ import annotations

import time
from collections import Counter

from tests import brought as files

SLOW = 3.0  # seconds of the processor for one


def brought(folder, dice):
    """200 files as people have them: read as they must be, or refused in a sentence, and none takes long."""
    found, failed, slowest = Counter(), [], (0.0, "")
    for k, case in enumerate(files.cases(dice.randrange(1000))):
        began = time.process_time()
        told = case.differences(folder / str(k))
        took = time.process_time() - began
        slowest = max(slowest, (took, case.name))
        told += [f"took {took:.1f} s"] if took > SLOW else []
        kind = case.name.partition(":")[0]
        found[kind] += 1
        if told:
            failed.append(case.name)
            yield f"{case.name}: {'; '.join(told)}"
    kinds = ", ".join(f"{count} {kind}" for kind, count in found.items())
    yield f"{found.total()} files ({kinds}), the slowest after {slowest[0]:.2f} s ({slowest[1]})"
    assert not failed, f"{len(failed)} of {found.total()} files were read otherwise"
