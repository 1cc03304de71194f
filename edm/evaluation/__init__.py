"""How good a model is: its samples against the data, and its denoiser at each noise level.

import edm

report = edm.last(edm.evaluation.evaluate(edm.load("model.safetensors"), "digits", count=2000))
print(report.frechet, report.floor, report.features)
"""

from edm.evaluation.evaluate import COUNT, Progress, evaluate
from edm.evaluation.frechet import Moments, frechet_distance, moments
from edm.evaluation.manifolds import precision_recall
from edm.evaluation.report import Report, markdown
from edm.evaluation.scores import score_error

__all__ = [
    "COUNT",
    "Moments",
    "Progress",
    "Report",
    "evaluate",
    "frechet_distance",
    "markdown",
    "moments",
    "precision_recall",
    "score_error",
]
