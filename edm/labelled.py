"""What an exact denoiser knows of classes: which components are of each, and of which class a noisy sample is.

    p(c | x; σ) = Σ_{k ∈ c} r_k,     ∇ log p(c | x; σ) = (D_c − D)/σ²

D_c is D with the responsibilities r normalized within c. All in log space: p underflows far from a class.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from edm.base.errors import Refused
from edm.base.transfers import sent
from edm.given import classes_of
from edm.mixtures import Mixture


class Labelled:
    """The part of a mixture of Gaussians that is about `labels` [K], the class of each component, or None."""

    labels: torch.Tensor | None
    classes: int
    means: torch.Tensor
    _log_weights: torch.Tensor

    def log_class_probability(self, x: torch.Tensor, sigma: Any) -> torch.Tensor:
        """log p(c | x; σ) [B, C] of x [B, …], in float64 (float32 where the device has no other), in nats.

        It can be differentiated in x; −∞ for a class that no component is of. sigma: a number or [B].
        """
        flat, sigma, _ = self._checked(x, sigma, None)
        if self._kinds is None:
            raise Refused("this distribution has no classes: give it labels, one for each component")
        sums: Any = None
        for part, mixture in self._parts(flat):
            found = self._sums(part, mixture.logs(flat, sigma))
            sums = found if sums is None else torch.logaddexp(sums, found)
        return (sums - sums.logsumexp(0)).T

    def pair(self, x: torch.Tensor, sigma: Any, labels: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """(D(x; σ, c), D(x; σ)), both from one set of distances: for little more than one of them costs."""
        flat, sigma, labels = self._checked(x, sigma, labels)
        if labels is None or not self._fit(flat):
            return self(x, sigma, labels), self(x, sigma)
        own, every = self._whole().pair(flat, sigma, self._others(labels))
        return like(x, own), like(x, every)

    def untold(self) -> Any:
        """The same without classes."""
        made = copy.copy(self)
        made.labels = None
        made._count_classes()
        return made

    def _count_classes(self):
        """Once, when `labels` and weights are known: `classes` and what is asked of them."""
        labels = self.labels
        self._kinds = None if labels is None else labels.cpu().numpy()
        self.classes = 0 if labels is None else int(labels.max()) + 1
        present = () if labels is None else labels.unique().tolist()
        self._present = None if len(present) == self.classes else present  # classes that have a component; None: all
        self._order = None if self._kinds is None else torch.from_numpy(np.argsort(self._kinds, kind="stable"))
        self._log_priors = None
        if labels is not None:
            weights = torch.zeros(self.classes, dtype=torch.float64)
            self._log_priors = weights.index_add_(0, labels, self._log_weights.exp()).log()

    def _sums(self, part: slice, logs: torch.Tensor) -> torch.Tensor:
        """log Σ exp of the rows of `logs` [K', B], those of the components in `part`, class by class: [C, B]."""
        assert self._kinds is not None
        kinds = self._kinds[part]
        counts = np.bincount(kinds, minlength=self.classes).tolist()
        order = self._order
        if len(kinds) < len(self._kinds):
            order = sent(torch.from_numpy(np.argsort(kinds, kind="stable")), logs.device)
        assert order is not None
        return torch.stack([rows.logsumexp(0) for rows in logs.index_select(0, order).split(counts)])

    def _of_class(self, density, labels):
        """log p of each sample's class, of the density with its prior."""
        return density if labels is None or self._log_priors is None else density - self._log_priors[labels]

    def _others(self, labels, part=slice(None)):
        """Which components in `part` are not of the class of each sample [K', B]; None where all count."""
        own = self.labels
        return None if labels is None or own is None else own[part, None] != labels

    def _known(self, labels, x):
        """Labels beside x."""
        if labels is None:
            return None
        if self.labels is None:
            raise Refused("labels were given, but this distribution has no classes")
        labels = classes_of("labels", labels, len(x), self.classes)
        known = self._present is None or labels.device.type != "cpu"
        if not known and (empty := ~torch.isin(labels, torch.tensor(self._present))).any():
            raise Refused(f"labels contain {int(labels[empty][0])}: no component of this distribution is of it")
        return sent(labels, x.device)

    def __call__(self, x: torch.Tensor, sigma: Any, labels: Any = None) -> torch.Tensor:
        raise NotImplementedError

    def _checked(self, x: torch.Tensor, sigma: Any, labels: Any) -> Any:
        raise NotImplementedError

    def _fit(self, flat: torch.Tensor) -> bool:
        raise NotImplementedError

    def _whole(self) -> Mixture:
        raise NotImplementedError

    def _parts(self, flat: torch.Tensor) -> Iterator[tuple[slice, Mixture]]:
        raise NotImplementedError


def like(x: torch.Tensor, denoised: torch.Tensor) -> torch.Tensor:
    """D [B, d] in the shape and the type of x."""
    return denoised.to(x.dtype).contiguous().view(x.shape)
