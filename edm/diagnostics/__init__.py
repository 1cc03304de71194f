"""Measures of denoisers and of sampling: what the paper's figures show, each tested against closed forms."""

from edm.diagnostics.design import (
    Preconditioned,
    effective_weight,
    initial_loss,
    loss_weight,
    preconditioning,
    training_density,
    training_share,
)
from edm.diagnostics.distances import data_floor, sliced_wasserstein
from edm.diagnostics.draws import Draw, held_out
from edm.diagnostics.errors import REFERENCE_STEPS, reference, rms_error, sampling_error
from edm.diagnostics.fields import direction_field, window_grid
from edm.diagnostics.loss import LossCurve, gap_field, losses

__all__ = [
    "REFERENCE_STEPS",
    "Draw",
    "LossCurve",
    "Preconditioned",
    "data_floor",
    "direction_field",
    "effective_weight",
    "gap_field",
    "held_out",
    "initial_loss",
    "loss_weight",
    "losses",
    "preconditioning",
    "reference",
    "rms_error",
    "sampling_error",
    "sliced_wasserstein",
    "training_density",
    "training_share",
    "window_grid",
]
