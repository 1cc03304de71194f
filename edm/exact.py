"""Closed-form denoisers: they need no training, and are the oracle for every test.

For a mixture of Gaussians with weights π_k, means μ_k and covariances Σ_k, noised to p(x; σ):

    r_k ∝ π_k·N(x; μ_k, Σ_k + σ²I),     D(x; σ) = Σ_k r_k·(μ_k + Σ_k (Σ_k + σ²I)⁻¹ (x − μ_k))

A finite set of points is the mixture with Σ_k = 0: D(x; σ) = Σ_k r_k·y_k. Responsibilities are computed in
float64 (float32 where the device has no other) and log space, in chunks of components, so that they are exact at any σ
and memory stays bounded. On a GPU nothing waits: what it is asked there, it does not look at.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from edm.base.devices import precise, precisely
from edm.base.errors import Refused
from edm.base.transfers import sent

CHUNK = 1 << 21  # numbers in one [batch, components] block of responsibilities: 16 MiB


class GaussianMixture:
    """The exact denoiser of a mixture of K Gaussians over points or images.

    means: [K, …]. stds_or_covariances: [K] (isotropic, ≥ 0), a single number, or [K, d, d] covariances.
    weights: [K], positive, normalized here; None: equal. labels: [K] class of each component, or None.
    It lives where the means are; the others may be anywhere. shape: of one sample. classes: how many (0: none).
    sigma_data: √ of the mean variance of a coordinate. Raises ValueError for parameters that do not fit together.
    """

    sigma_min, sigma_max, header = 0.0, math.inf, None  # it is exact at every level, and no file's

    def __init__(self, means: Any, stds_or_covariances: Any, weights: Any = None, labels: Any = None):
        device = means.device if isinstance(means, torch.Tensor) else "cpu"
        means = _tensor("means", means)
        if means.ndim < 2 or len(means) == 0:
            raise Refused(f"means have shape {list(means.shape)}; they must be [K, ...] with K of 1 or more")
        self.shape = tuple(means.shape[1:])
        self.means = means.flatten(1)
        count, self._dim = self.means.shape
        self._rotations, self._variances = _spectra(stds_or_covariances, count, self._dim)
        self._equal_widths = bool((self._variances == self._variances[:1]).all())
        self._wide = bool((self._variances > 0).all())  # so that it has a density at σ = 0
        weights = torch.ones(count) if weights is None else _tensor("weights", weights)
        if weights.shape != (count,) or not (weights > 0).all():
            raise Refused(f"weights must be {count} positive numbers, one for each mean")
        self._log_weights = (weights / weights.sum()).double().log()
        self.labels = None if labels is None else _labels("labels", labels, count, host=True)
        self.classes = 0 if self.labels is None else int(self.labels.max()) + 1
        present = () if self.labels is None else self.labels.unique().tolist()
        self._present = None if len(present) == self.classes else present  # classes that have a component; None: all
        self.sigma_data = self._sigma_data()
        self._move(device)

    def to(self, device: torch.device | str) -> GaussianMixture:
        """This denoiser with its tensors on `device` (a copy)."""
        copy = object.__new__(type(self))
        copy.__dict__ = dict(self.__dict__)
        copy._move(device)
        return copy

    def _move(self, device):
        for name, value in self.__dict__.items():
            if isinstance(value, torch.Tensor):
                self.__dict__[name] = sent(value, device)

    def round_sigma(self, sigma: Any) -> Any:
        """σ itself: it knows every level."""
        return sigma

    def __call__(self, x: torch.Tensor, sigma: Any, labels: Any = None) -> torch.Tensor:
        """D(x; σ) of x [B, …]; sigma a number or [B]; labels [B] integer classes, or None for all of them."""
        return self._posterior(x, sigma, labels)[0]

    def score(self, x: torch.Tensor, sigma: Any, labels: Any = None) -> torch.Tensor:
        """∇ log p(x; σ) = (D − x)/σ², shaped like x (eq. 3)."""
        exact = self(precisely(x), sigma, labels)
        return ((exact - x) / _sigma(sigma, x).view(-1, *[1] * (x.ndim - 1)) ** 2).to(x.dtype)

    def log_density(self, x: torch.Tensor, sigma: Any = 0.0, labels: Any = None) -> torch.Tensor:
        """log p(x; σ) [B] in float64, in nats; sigma may be 0 where every component has a width."""
        return self._posterior(x, sigma, labels)[1]

    def sample(self, count: int, seed: int = 0, label: int | None = None) -> torch.Tensor:
        """`count` exact samples of the data [count, …], float32, on the CPU."""
        random = np.random.default_rng(seed)
        probabilities = self._log_weights.cpu().double().exp().numpy()
        if label is not None:
            chosen = np.zeros(1) if self.labels is None else self.labels.cpu().numpy() == label
            if not chosen.any():
                raise Refused(f"label = {label}: no component of this distribution is of that class")
            probabilities = probabilities * chosen
        chosen = torch.from_numpy(random.choice(len(probabilities), count, p=probabilities / probabilities.sum()))
        return self._placed(chosen, torch.from_numpy(random.standard_normal((count, self._dim))))

    def quantiles(self, uniforms: Any) -> torch.Tensor:
        """The data as a function of uniform numbers [B, 1 + d] in (0, 1): [B, …] in float32, on the CPU."""
        uniforms = torch.as_tensor(uniforms).cpu().double()
        edges = self._log_weights.cpu().double().exp().cumsum(0)
        chosen = torch.searchsorted(edges, uniforms[:, 0] * edges[-1]).clamp(max=len(edges) - 1)
        return self._placed(chosen, torch.special.ndtri(uniforms[:, 1:]))

    def _placed(self, chosen, normal):
        """Points of the components `chosen` [B], `normal` [B, d] away from their means."""
        deviation = self._variances.cpu().double()[chosen].sqrt() * normal
        if self._rotations is not None:
            deviation = torch.einsum("bij,bj->bi", self._rotations.cpu().double()[chosen], deviation)
        return (self.means.cpu()[chosen].double() + deviation).float().view(-1, *self.shape)

    def weights(self) -> torch.Tensor:
        """π_k [K] in float64."""
        return self._log_weights.exp()

    def stds(self) -> torch.Tensor:
        """√ of the mean variance of each component [K], in float64: its width, if it is isotropic."""
        return self._variances.mean(1).sqrt()

    def _posterior(self, x, sigma, labels):
        """(D, log p) by a log-sum-exp that runs over chunks of components."""
        flat, sigma = self._checked(x, sigma)
        own = self.labels
        if labels is not None:
            if own is None:
                raise Refused("labels were given, but this distribution has no classes")
            labels = self._known(labels, x)
        peak = flat.new_full((len(x), 1), -math.inf)
        total, mean = flat.new_zeros(len(x), 1), torch.zeros_like(flat)
        log_prior = flat.new_full((len(x), 1), -math.inf)
        lowest = torch.finfo(flat.dtype).min
        size = max(1, CHUNK // (len(x) * (self._dim if self._by_differences(flat) else 1)))
        for start in range(0, len(self.means), size):
            part = slice(start, start + size)
            logits, expect = self._components(flat, sigma, part)
            if labels is not None and own is not None:
                other = own[part] != labels[:, None]
                logits = logits.masked_fill(other, -math.inf)
                prior = self._log_weights[part].expand_as(other).masked_fill(other, -math.inf)
                log_prior = torch.logaddexp(log_prior, prior.logsumexp(1, keepdim=True))
            new_peak = torch.maximum(peak, logits.amax(1, keepdim=True))
            finite = new_peak.clamp(min=lowest)  # a chunk without the class peaks at -inf
            weights, decay = (logits - finite).exp(), (peak - finite).exp()
            count = weights.sum(1, keepdim=True)
            total, mean, peak = total * decay + count, mean * decay + expect(weights, count), new_peak
        log_density = (peak + total.log()).squeeze(1)
        if labels is not None:
            log_density = log_density - log_prior.squeeze(1)
        return (mean / total).to(x.dtype).view(x.shape), log_density

    def _known(self, labels, x):
        """Labels beside x."""
        labels = _labels("labels", labels, len(x), self.classes)
        known = self._present is None or labels.device.type != "cpu"
        if not known and (empty := ~torch.isin(labels, torch.tensor(self._present))).any():
            raise Refused(f"labels contain {int(labels[empty][0])}: no component of this distribution is of it")
        return sent(labels, x.device)

    def _by_differences(self, flat) -> bool:
        """Whether x − μ is worked out for each pair, and not ‖x − μ‖² by products, for which float32 is too coarse."""
        return self._rotations is not None or flat.dtype != torch.float64

    def _components(self, flat, sigma, part):
        """Of the components in `part`: log(π_k N(x; …)) [B, K'], and (w [B, K'], Σ w) -> Σ w_k E[y | x, k]."""
        means, eigenvalues = precisely(self.means[part]), self._variances[part]
        variance = sigma[:, None] ** 2
        if self._rotations is None:
            # [1, K'] or [1, 1] where all samples share σ, or all components a width: nothing is computed in vain
            widths = eigenvalues[:1] if self._equal_widths else eigenvalues.T
            total = variance + widths
            constant = self._log_weights[part] - 0.5 * (self._dim * (2 * math.pi * total).log())
            if self._by_differences(flat):
                logits = constant - 0.5 * (flat[:, None] - means).square().sum(2) / total
            else:  # in float64 exact enough for any σ ≥ 1e-4
                constant = constant - 0.5 * (means * means).sum(1) / total
                halves = -0.5 * (flat * flat).sum(1, keepdim=True)
                logits = torch.addmm(halves, flat, means.T).div_(total).add_(constant)
            keep, pull = variance / total, widths / total
            if self._equal_widths:
                return logits, lambda w, count: keep * (w @ means) + flat * (pull * count)
            return logits, lambda w, count: (w * keep) @ means + flat * (w * pull).sum(1, keepdim=True)
        rotations = precisely(self._rotations[part])
        total = variance[:, None, :] + eigenvalues
        local = torch.einsum("kij,bki->bkj", rotations, flat[:, None] - means)
        logits = self._log_weights[part] - 0.5 * ((2 * math.pi * total).log() + local * local / total).sum(2)
        inner = means + torch.einsum("kij,bkj->bki", rotations, local * (eigenvalues / total))
        return logits, lambda w, count: torch.einsum("bk,bki->bi", w, inner)

    def _checked(self, x, sigma):
        if tuple(x.shape[1:]) != self.shape:
            wanted = ", ".join(str(n) for n in self.shape)
            raise Refused(f"x has shape {list(x.shape)}, but this distribution lives on [B, {wanted}]")
        if x.device != self.means.device:
            raise Refused(
                f"x is on {x.device}, but this distribution on {self.means.device}; move one of them with .to"
            )
        return precisely(x.flatten(1)), _sigma(sigma, x, zero=self._wide)

    def _sigma_data(self) -> float:
        weights = self._log_weights.exp()[:, None]
        means = self.means.double()
        between = (weights * (means - (weights * means).sum(0)) ** 2).sum() / self._dim
        within = (weights * self._variances.mean(1, keepdim=True)).sum()
        return float((between + within).sqrt())


class PointSet(GaussianMixture):
    """The exact denoiser of a finite set of points or images [K, …], equally likely.

    labels: [K] integer classes, or None. D(x; σ) is defined for σ > 0.
    """

    def __init__(self, points: Any, labels: Any = None):
        super().__init__(points, 0.0, labels=labels)

    @property
    def points(self) -> torch.Tensor:
        """The points [K, …] (a copy: others ask this denoiser, too)."""
        return self.means.view(-1, *self.shape).clone()


def _tensor(name, values) -> torch.Tensor:
    """Floating point numbers, on the CPU."""
    tensor = values.cpu() if isinstance(values, torch.Tensor) else torch.as_tensor(np.asarray(values, dtype=np.float64))
    tensor = tensor if tensor.is_floating_point() else tensor.double()
    if not torch.isfinite(tensor).all():
        raise Refused(f"{name} contain NaN or infinity")
    return tensor


def _labels(name, labels, count, classes=None, host=False) -> torch.Tensor:
    """Classes [count]; host: on the CPU. There they are looked at; on a GPU that would wait for it at every call."""
    try:
        labels = torch.as_tensor(labels)
    except (TypeError, ValueError, RuntimeError):
        raise Refused(f"{name} = {labels!r:.60}: must be {count} integer classes") from None
    if labels.shape != (count,) or labels.is_floating_point():
        raise Refused(f"{name} must be {count} integer classes, not {labels.dtype} of shape {list(labels.shape)}")
    labels = labels.cpu() if host else labels
    if labels.device.type != "cpu":
        return labels.long()
    if (labels < 0).any() or (classes is not None and (labels >= classes).any()):
        bad = labels[(labels < 0) | (labels >= (classes or math.inf))][0]
        below = f" and below {classes}" if classes is not None else ""
        raise Refused(f"{name} contain {int(bad)}: classes are at least 0{below}")
    return labels.long()


def _sigma(sigma, x, zero=True) -> torch.Tensor:
    """σ beside x in the most precise type there, [1] for a number and [B] for one each. What comes from the host must
    be above 0, or 0 where `zero`."""
    sigma = (sigma if isinstance(sigma, torch.Tensor) else torch.as_tensor(sigma, dtype=torch.float64)).flatten()
    if len(sigma) not in (1, len(x)):
        raise Refused(f"sigma holds {len(sigma)} values for a batch of {len(x)}; give one, or one for each sample")
    on_host = sigma.device.type == "cpu"
    if on_host and not ((sigma >= 0) if zero else (sigma > 0)).all():
        raise Refused(f"sigma = {float(sigma.min()):g}: must be greater than 0, or 0 where every Gaussian is wide")
    if on_host and len(sigma) == 1 and x.device.type != "cpu":
        return torch.full((1,), float(sigma), dtype=precise(x.device), device=x.device)
    return sent(sigma, x.device, torch.float64)


def _spectra(stds_or_covariances, count, dim):
    """(rotations [K, d, d] or None, eigenvalues [K, 1] or [K, d]) of the covariances, in float64."""
    values = _tensor("stds_or_covariances", stds_or_covariances).double()
    if values.ndim == 0:
        values = values.expand(count)
    if values.shape == (count,):
        if (values < 0).any():
            raise Refused(f"stds contain {float(values.min()):g}; a standard deviation is at least 0")
        return None, (values**2)[:, None]
    if values.shape != (count, dim, dim):
        raise Refused(
            f"stds_or_covariances have shape {list(values.shape)}; "
            f"they must be [{count}] or [{count}, {dim}, {dim}] to fit the means"
        )
    if not torch.allclose(values, values.mT, rtol=1e-6, atol=1e-12):
        raise Refused("covariances must be symmetric")
    eigenvalues, rotations = torch.linalg.eigh(values)
    if (eigenvalues < -1e-9 * eigenvalues.abs().amax(1, keepdim=True)).any():
        raise Refused(f"covariances have an eigenvalue of {float(eigenvalues.min()):g}; they must not be negative")
    return rotations, eigenvalues.clamp(min=0)
