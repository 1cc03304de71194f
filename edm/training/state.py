"""Everything a run is, besides its settings: weights, averages, Adam's moments, and how far it has come.

Random numbers are functions of the image's number (edm.base.streams), so they need no state of their own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError, safe_open

from edm.base import devices, precisions
from edm.base.errors import Refused
from edm.base.paths import expanded
from edm.data import identity
from edm.data.units import AS_THEY_ARE
from edm.files import checkpoints
from edm.files.checkpoints import Header, NetworkConfig, PreconditioningConfig, Progress
from edm.networks import AUGMENT_DIM
from edm.objective import WEIGHTS, Learned, Variational
from edm.sampling.upsampling import Low
from edm.training import arithmetic, fitting
from edm.training.adam import Adam
from edm.training.ema import Ema
from edm.training.goals import GOALS
from edm.training.settings import trained_as
from edm.training.uncertainty import Uncertainty

if TYPE_CHECKING:
    from torch import nn

    from edm.base.protocols import Source
    from edm.base.types import StrPath
    from edm.data.identity import Identity
    from edm.training.settings import Training
    from edm.wrapped import Wrapped

MOST_NAMES = 1 << 20  # letters in the names of all classes
_MOMENTS = ("exp_avg", "exp_avg_sq")
_BESIDE = "uncertainty"  # of whatever is learned beside the network


class RunState:
    """network, ema, optimizer; uncertainty: what the weight is learned with, or None; images, steps, seconds so far;
    nonfinite: steps whose gradients were not finite.
    """

    def __init__(self, settings: Training, header: Header, device: torch.device):
        self.settings, self.device = settings, device
        self.header = header.changed(arithmetic=arithmetic.described(settings, device))
        with torch.random.fork_rng(devices=[]):  # the caller's random numbers are the caller's
            torch.manual_seed(settings.seed)
            self.network = checkpoints.build(header.network).to(device)
            learned = isinstance(WEIGHTS[settings.design.weight], Learned)
            self.uncertainty = Uncertainty().to(device) if learned else None
        self.network.checkpointing = settings.checkpointing
        self.ema = Ema(self.network, settings.ema, settings.ema_ramp)
        self.optimizer = Adam(self.trained.values(), settings.lr, settings.weight_decay)
        self.scaler = torch.amp.GradScaler(device.type, enabled=precisions.taken(settings.precision, device) == "fp16")
        self.images = self.steps = self.nonfinite = 0
        self.seconds = 0.0
        self.losses = (0.0, 0)
        self.metrics = header.metrics
        self.contents: identity.Contents | None = None  # of the data, where they have names

    @property
    def trained(self) -> dict[str, nn.Parameter]:
        """All that is learned: the network's parameters by name, and those beside it."""
        beside = {} if self.uncertainty is None else dict(self.uncertainty.named_parameters(prefix=_BESIDE))
        return dict(self.network.named_parameters()) | beside

    @property
    def nonfinite(self) -> int:
        return int(self._nonfinite)

    @nonfinite.setter
    def nonfinite(self, number: int) -> None:
        self._nonfinite = torch.full((), number, dtype=torch.int64, device=self.device)

    @property
    def losses(self) -> tuple[float, int]:
        """Sum and number of the losses since the last tick."""
        return float(self._losses), self._learned

    @losses.setter
    def losses(self, known: tuple[float, int]) -> None:
        self._losses = torch.full((), known[0], dtype=devices.precise(self.device), device=self.device)
        self._learned = known[1]

    def learn(self, loss: torch.Tensor) -> None:
        """Count a step's loss, float64, which stays where it is until somebody asks."""
        self._losses, self._learned = self._losses + loss, self._learned + 1

    def doubt(self, odd: torch.Tensor) -> None:
        """Count a step whose gradients are not finite, if this tensor says so."""
        self._nonfinite = self._nonfinite + odd

    def denoisers(self) -> list[Wrapped]:
        """The averaged models, one for each half-life: denoisers, or classifiers."""
        return [checkpoints.model(network, self.header) for network in self.ema.networks]

    def finite(self) -> bool:
        """Whether all weights and averages are numbers."""
        weights: list[torch.Tensor] = [p for n in (self.network, *self.ema.networks) for p in n.parameters()]
        # One call for all tensors; torch has no public name for it
        largest = torch._foreach_norm(weights, math.inf)  # pyright: ignore[reportPrivateImportUsage]
        return bool(torch.stack(largest).isfinite().all())

    def save(self, path: StrPath, check: Callable[[], object] | None = None) -> None:
        """Write a checkpoint, atomically. check: called before it takes its place."""
        tensors = {f"weights/{name}": tensor for name, tensor in self.network.state_dict().items()}
        for i, network in enumerate(self.ema.networks):
            tensors |= {f"ema{i}/{name}": tensor for name, tensor in network.state_dict().items()}
        if self.uncertainty is not None:
            tensors |= {f"{_BESIDE}/{name}": tensor for name, tensor in self.uncertainty.state_dict().items()}
        for name, parameter in self.trained.items():
            moments = self.optimizer.state.get(parameter, {})
            tensors |= {f"adam/{key}/{name}": value for key, value in moments.items() if key != "step"}
        taken = [moments["step"] for moments in self.optimizer.state.values()]
        progress = Progress(
            steps=self.steps,
            adam_steps=float(torch.stack(taken).max()) if taken else 0.0,
            nonfinite=self.nonfinite,
            scaler=self.scaler.state_dict(),
            losses=self.losses,
        )
        changes = {"images": self.images, "seconds": self.seconds, "progress": progress, "metrics": self.metrics}
        checkpoints.save(path, self.header.changed(**changes), tensors, check)

    @torch.no_grad()
    def restore(self, path: StrPath) -> None:
        """Continue where the checkpoint at `path` was written. Raises ValueError if it is of another run's making."""
        header = checkpoints.read_header(path)
        if header.kind != "checkpoint" or header.training is None:
            raise Refused(f"{path} is a model, not a checkpoint: it holds no state to continue from")
        for name in ("network", "preconditioning", "low"):
            mine, other = (h.document().get(name) for h in (self.header, header))
            if mine != other:
                raise Refused(
                    f"{path} has another {name} than these settings, so it cannot be continued with them: "
                    f"{other} is not {mine}"
                )
        if (then := trained_as(header, path)) and then.ema != self.settings.ema:
            raise Refused(f"{path} averages over {list(then.ema)}, not {list(self.settings.ema)} images")
        with safe_open(expanded(path), framework="pt") as file:
            names = set(file.keys())
            self._fill(file, "weights/", self.network, path)
            for i, network in enumerate(self.ema.networks):
                self._fill(file, f"ema{i}/", network, path)
            taken = header.progress.adam_steps
            if self.uncertainty is not None:
                self._fill(file, f"{_BESIDE}/", self.uncertainty, path)
            for name, parameter in self.trained.items():
                if f"adam/exp_avg/{name}" in names:
                    self.optimizer.state[parameter] = {
                        "step": torch.tensor(taken, dtype=torch.float32, device=self.device),
                        **{key: _like(parameter, file.get_tensor(f"adam/{key}/{name}")) for key in _MOMENTS},
                    }
        self.images, self.seconds = header.images, header.seconds
        self.steps, self.nonfinite = header.progress.steps, header.progress.nonfinite
        self.losses, self.metrics = header.progress.losses, header.metrics
        if header.progress.scaler:
            self.scaler.load_state_dict(header.progress.scaler)

    @staticmethod
    def _fill(file, prefix, network, path):
        for name, tensor in network.state_dict().items():
            try:
                tensor.copy_(file.get_tensor(prefix + name))
            except (RuntimeError, KeyError, OSError, SafetensorError) as error:
                raise Refused(f"{path} cannot be continued from: {prefix}{name} does not fit ({error})") from None


def _like(parameter, values):
    """The values in the parameter's own memory layout: a fused Adam walks through both side by side."""
    return torch.empty_like(parameter).copy_(values)


def header_of(
    settings: Training,
    source: Source,
    sigma_data: float,
    held_out: bool = True,
    data: Identity | None = None,
    taught: Sequence[int] = (),
    new: bool = True,
) -> Header:
    """The header of a run: network and preconditioning as its settings and its data ask for.

    data: the `edm.data.identity.Identity` of these. taught: the classes that have images to train on; (): all.
    new: False for a run that goes on, whose network is what it is. Raises ValueError for what cannot be together.
    """
    sizes, shape = settings.architecture, tuple(source.shape)
    image, classes = len(shape) == 3, fitting.classes_of(settings, source)
    told = 0 if GOALS[settings.learns].classes else classes
    varies = isinstance(WEIGHTS[settings.design.weight], Variational)
    if new:
        fitting.check(settings, shape)
    config = {
        "name": fitting.network_of(settings, shape),
        "in_channels": shape[0] * (1 if settings.data.low_resolution is None else 2),
        "out_channels": (2 if varies else 1) * shape[0] if told == classes else classes,
        "channels": sizes.channels,
        "blocks": sizes.blocks,
        "classes": told,
        "augment_dim": AUGMENT_DIM if settings.design.augment else 0,
        "dropout": sizes.dropout,
    }
    if image:
        if shape[1] != shape[2]:
            raise Refused(f"images of {shape[1]}×{shape[2]} pixels are not square; use crop")
        config |= {"resolution": shape[1], "channel_mult": sizes.channel_mult, "attention": sizes.attention}
    design, low = settings.design, None
    if settings.data.low_resolution is not None:
        noise = settings.data.low_noise
        low = Low(resolution=settings.data.low_resolution, noise=noise, sigma_data=sigma_data)
        config["level"] = noise > 0
    return Header(
        kind="checkpoint",
        network=NetworkConfig(**config),
        preconditioning=PreconditioningConfig(name=design.preconditioning, sigma_data=sigma_data),
        shape=shape,
        class_names=_shortened(source.class_names) if classes else (),
        taught=tuple(taught) if classes else (),
        sigma_data=sigma_data,
        label_dropout=design.label_dropout,
        half_lives=settings.ema,
        low=low,
        held_out=held_out,
        training=settings.document(complete=True),
        data=data,
        units=getattr(source, "units", AS_THEY_ARE),
    )


def _shortened(class_names) -> tuple[str, ...]:
    """All names, or none where they would fill the header."""
    return tuple(class_names) if sum(map(len, class_names)) <= MOST_NAMES else ()
