"""What is seen of the stage, for tests."""

import numpy as np


def moved(before, after):
    return float((np.abs(before - after).sum(2) > 30).mean())
