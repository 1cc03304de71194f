"""What a network frees is there when it is called again, where the C library is GNU's."""

import os
import subprocess
import sys

from edm import networks
from edm.base import allocation

ROUNDS = """
import resource
import numpy as np
from edm.base import allocation
def faults(rounds):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(rounds):
        blocks = [np.full(6 << 18, 1.0) for _ in range(8)]
        del blocks
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
plain, changed = faults(5), allocation.keep()
faults(2)
print(plain, changed, faults(5))
"""


def told(**environment):
    """(pages that the system fills in five rounds, whether `keep` changes anything, pages of five rounds after it)."""
    command, environment = [sys.executable, "-c", ROUNDS], {**os.environ, **environment}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    plain, changed, kept = done.stdout.split()
    return int(plain), changed == "True", int(kept)


def test_memory_that_was_freed_is_not_filled_again_where_it_can_be_kept():
    plain, changed, kept = told()
    assert kept < 0.1 * plain if changed else kept > 0.5 * plain


def test_whoever_has_chosen_the_limits_keeps_them():
    assert told(MALLOC_TRIM_THRESHOLD_="131072")[1] is False


def test_whoever_builds_a_network_keeps_what_it_frees(monkeypatch):
    told = []
    monkeypatch.setattr(allocation, "keep", lambda: told.append("kept"))
    networks.build("mlp", in_channels=2, channels=8, blocks=1)
    assert told == ["kept"]
