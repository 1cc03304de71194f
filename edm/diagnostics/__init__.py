"""Measures of denoisers and of sampling: what the paper's figures show, each tested against closed forms."""

from edm.diagnostics.distances import data_floor, sliced_wasserstein
from edm.diagnostics.errors import REFERENCE_STEPS, reference, rms_error, sampling_error
from edm.diagnostics.fields import direction_field, window_grid

__all__ = [
    "REFERENCE_STEPS",
    "data_floor",
    "direction_field",
    "reference",
    "rms_error",
    "sampling_error",
    "sliced_wasserstein",
    "window_grid",
]
