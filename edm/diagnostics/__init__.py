"""Measures of denoisers and of sampling: what the paper's figures show, each tested against closed forms."""

from edm.diagnostics.axes import Axis, Sweep
from edm.diagnostics.calibration import Calibrated, calibration
from edm.diagnostics.churn import Moment, Round, churn_cycles, slow_motion
from edm.diagnostics.convergence import SPAN, Order, Point, convergence, fitted_order
from edm.diagnostics.crossings import Crossing, crossings
from edm.diagnostics.curvature import Curvature, curvature, paths, solution
from edm.diagnostics.design import (
    Preconditioned,
    effective_weight,
    initial_loss,
    loss_weight,
    preconditioning,
    training_density,
    training_share,
)
from edm.diagnostics.draws import Draw, held_out, training_images
from edm.diagnostics.errors import REFERENCE_STEPS, reference, rms_error, sampling_error
from edm.diagnostics.fields import direction_field, window_grid
from edm.diagnostics.locality import LEVELS, Locality, locality, patch_sides, patchwise
from edm.diagnostics.loss import LossCurve, gap_and_density, gap_field, losses
from edm.diagnostics.measures import MEASURES, Drawn, Measure, check_measure, data_of, to_data, true_points
from edm.diagnostics.names import NAMES, Name, names
from edm.diagnostics.optimizing import Found, Optimized, optimized, optimizing
from edm.diagnostics.pairings import Pairing
from edm.diagnostics.planning import Plan, PlannedCell, plan_sweep
from edm.diagnostics.race import EVALUATIONS, Lane, RacePoint, race, steps_for, with_evaluations
from edm.diagnostics.ranges import MAX_VALUES, parse_range, sweepable
from edm.diagnostics.sameness import Sameness, Setting, Verdict, same, settings_of
from edm.diagnostics.sharing import Shared
from edm.diagnostics.spreads import spread
from edm.diagnostics.statistics import LEAST, Comparison, compare, interval
from edm.diagnostics.sweep import Cell, run_sweep
from edm.diagnostics.truncation import LocalError, truncation_error
from edm.diagnostics.walk import ROWS, Row, WalkStep, differing_rows, walk
from edm.diagnostics.weak import weak_convergence
from edm.evaluation.copies import Nearest, nearest
from edm.evaluation.distances import data_floor, sliced_wasserstein
from edm.sampling.path import MAX_GAMMA

__all__ = [
    "EVALUATIONS",
    "LEAST",
    "LEVELS",
    "MAX_GAMMA",
    "MAX_VALUES",
    "MEASURES",
    "NAMES",
    "REFERENCE_STEPS",
    "ROWS",
    "SPAN",
    "Axis",
    "Calibrated",
    "Cell",
    "Comparison",
    "Crossing",
    "Curvature",
    "Draw",
    "Drawn",
    "Found",
    "Lane",
    "LocalError",
    "Locality",
    "LossCurve",
    "Measure",
    "Moment",
    "Name",
    "Nearest",
    "Optimized",
    "Order",
    "Pairing",
    "Plan",
    "PlannedCell",
    "Point",
    "Preconditioned",
    "RacePoint",
    "Round",
    "Row",
    "Sameness",
    "Setting",
    "Shared",
    "Sweep",
    "Verdict",
    "WalkStep",
    "calibration",
    "check_measure",
    "churn_cycles",
    "compare",
    "convergence",
    "crossings",
    "curvature",
    "data_floor",
    "data_of",
    "differing_rows",
    "direction_field",
    "effective_weight",
    "fitted_order",
    "gap_and_density",
    "gap_field",
    "held_out",
    "initial_loss",
    "interval",
    "locality",
    "loss_weight",
    "losses",
    "names",
    "nearest",
    "optimized",
    "optimizing",
    "parse_range",
    "patch_sides",
    "patchwise",
    "paths",
    "plan_sweep",
    "preconditioning",
    "race",
    "reference",
    "rms_error",
    "run_sweep",
    "same",
    "sampling_error",
    "settings_of",
    "sliced_wasserstein",
    "slow_motion",
    "solution",
    "spread",
    "steps_for",
    "sweepable",
    "to_data",
    "training_density",
    "training_images",
    "training_share",
    "true_points",
    "truncation_error",
    "walk",
    "weak_convergence",
    "window_grid",
    "with_evaluations",
]
