"""How good a model is: its samples against the data, and its denoiser at each noise level.

import edm

report = edm.last(edm.evaluation.evaluate(edm.load("model.safetensors"), "digits", count=2000))
print(report.frechet, report.floor, report.features)
"""

from edm.evaluation.estimates import Interval, difference
from edm.evaluation.evaluate import Progress, evaluate, evaluation_of
from edm.evaluation.frechet import Moments, Running, frechet_distance, moments
from edm.evaluation.manifolds import precision_recall
from edm.evaluation.report import Report, markdown
from edm.evaluation.scores import score_error
from edm.evaluation.settings import COUNT, PROTOCOLS, Evaluation
from edm.evaluation.true_data import save_statistics
from edm.evaluation.variety import inception_score
from edm.evaluation.weighed import Weighed, over_weights

__all__ = [
    "COUNT",
    "PROTOCOLS",
    "Evaluation",
    "Interval",
    "Moments",
    "Progress",
    "Report",
    "Running",
    "Weighed",
    "difference",
    "evaluate",
    "evaluation_of",
    "frechet_distance",
    "inception_score",
    "markdown",
    "moments",
    "over_weights",
    "precision_recall",
    "save_statistics",
    "score_error",
]
