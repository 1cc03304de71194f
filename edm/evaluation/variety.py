"""The inception score (Salimans et al. 2016), by the classes that a classifier finds in samples.

    score = exp E KL(p(c|x) ‖ p(c)),   p(c) = E p(c|x)

1: all samples look alike to it, or it is never sure; K: it is sure of each, and all K classes come equally often. It
asks for nothing else, so it rises as long as samples become clearer, however few there are of each class. The
classifier is the one whose features distances are measured in; never the one by which samples were guided, which they
please.
"""

from __future__ import annotations

import torch

from edm.base.errors import Refused
from edm.evaluation.frechet import checked


def inception_score(logits: torch.Tensor, splits: int = 1) -> float:
    """The score, 1 to K, of a classifier's logits [n, K]; of several splits of the samples, in order, the mean.

    Scores of different numbers of samples do not compare; the usual ones are of splits of 5,000. Raises ValueError for
    fewer samples than splits, NaN or infinity.
    """
    logits = checked(logits, 1)
    if not 1 <= splits <= len(logits):
        raise Refused(f"splits = {splits}: must be 1 to {len(logits)}, the number of samples")
    return sum(_score(part) for part in logits.log_softmax(1).tensor_split(splits)) / splits


def _score(known) -> float:
    """Of log p(c|x) [n, K]."""
    probable = known.exp()
    mean = probable.mean(0)
    return float((torch.xlogy(probable, probable).sum(1).mean() - torch.xlogy(mean, mean).sum()).exp())
