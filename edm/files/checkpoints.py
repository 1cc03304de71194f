"""Model files and checkpoints: safetensors, with all that is not a tensor as JSON in its metadata.

    ema<i>/<parameter>                averaged weights, one set for each half-life; a model file holds one
    weights/<parameter>               the weights themselves       ┐
    adam/<moment>/<parameter>         Adam's two moments           ┘ checkpoints only

Reading one executes nothing. The header says how to build the network; it is checked against its limits and the
tensors' shapes before anything is built.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal

import torch
from pydantic import Field, model_validator
from safetensors import SafetensorError, safe_open

from edm import networks
from edm.base.atomic import atomic
from edm.base.errors import Refused
from edm.base.fields import Settings, SettingsError, Whole, refusal
from edm.base.paths import expanded
from edm.classifier import Classifier
from edm.data.identity import Identity
from edm.data.units import AS_THEY_ARE, Units
from edm.files import tensors
from edm.files.configs import NetworkConfig, PreconditioningConfig
from edm.files.foreign import foreign
from edm.preconditioning import Denoiser
from edm.sampling.upsampling import Low, Upsampler
from edm.wrapped import Wrapped

if TYPE_CHECKING:
    from torch import nn

    from edm.base.types import Device, StrPath

METADATA_KEY = "edm"
MAX_HEADER = 16 << 20


class Metrics(Settings):
    """The last tick of a run (see `edm.training.events.Tick`), and what an evaluation has found, in words."""

    images: Whole = 0
    seconds: float = 0.0
    loss: float | None = None
    sigmas: tuple[float, ...] = ()
    validation: tuple[float, ...] = ()
    rate: float | None = None
    left: float | None = None
    nonfinite: Whole = 0
    held_out: bool = True
    copies: float | None = None
    accuracy: tuple[float, ...] = ()
    evaluation: dict[str, str] = Field(default_factory=dict)


class Progress(Settings):
    """What a resumed run needs besides tensors. steps: of the loop; adam_steps: of Adam, which leaves out those that
    fp16's scaler skips; losses: their sum and number since the last tick."""

    steps: Whole = Field(default=0, ge=0)
    adam_steps: float = Field(default=0, ge=0)
    nonfinite: Whole = Field(default=0, ge=0)
    scaler: dict = Field(default_factory=dict)
    losses: tuple[float, int] = (0.0, 0)


class Header(Settings):
    """What a file is: enough to build the denoiser, and where it comes from.

    shape: of one sample. sigma_data: the data's, whatever the preconditioning. images: seen in training.
    family: shared by the checkpoints of one run; order: place among the others of a folder.
    taught: the classes of which there were images to train on; (): all, or that is not known.
    training: the settings of the run as a document (see `edm.training.settings`), None for converted models.
    arithmetic: how it was computed, where that is not a CPU's ("fp32, convolutions in TF32, on NVIDIA H100").
    held_out: whether `metrics` are of images that were not trained on. data: which data it has learned, and held out;
    None: older files do not say.
    low: of an upsampler, the images that it makes larger. units: of points, what they are in the file that was learned.
    """

    format: Literal[1] = 1
    kind: Literal["model", "classifier", "checkpoint"]
    title: str = ""
    family: str = ""
    note: str = ""
    order: Whole = 99
    network: NetworkConfig
    preconditioning: PreconditioningConfig
    shape: tuple[Annotated[int, Field(ge=1, le=4096)], ...] = Field(min_length=1, max_length=3)
    class_names: tuple[str, ...] = ()
    taught: tuple[Annotated[int, Field(ge=0)], ...] = ()
    sigma_data: float = Field(gt=0, allow_inf_nan=False)
    label_dropout: float = 0.0
    images: Whole = Field(default=0, ge=0)
    seconds: float = Field(default=0.0, ge=0)
    half_lives: tuple[float, ...] = ()
    low: Low | None = None
    training: dict | None = None
    arithmetic: str = ""
    held_out: bool = True
    data: Identity | None = None
    units: Units = AS_THEY_ARE
    progress: Progress = Progress()
    metrics: Metrics = Metrics()

    @model_validator(mode="after")
    def _consistent(self):
        network = self.network
        expected = (
            network.in_channels // self._images,
            *(() if network.resolution is None else [network.resolution] * 2),
        )
        if self.shape != expected:
            raise refusal("shape", list(self.shape), f"must be {list(expected)}, which the network takes")
        if network.in_channels % self._images or (self.low and self.low.resolution >= (network.resolution or 1)):
            raise refusal(
                "low", self.low and self.low.resolution, "must be below the resolution of the network's images"
            )
        if len(self.class_names) not in (0, self.classes):
            raise refusal("class_names", len(self.class_names), f"must be {self.classes} names, or none")
        if list(self.taught) != sorted(set(self.taught)) or (self.taught and self.taught[-1] >= self.classes):
            raise refusal("taught", list(self.taught[:3]), f"must be classes in order, below {self.classes}")
        if len(self.metrics.sigmas) != len(self.metrics.validation):
            raise refusal("metrics", len(self.metrics.sigmas), "must have as many sigmas as losses")
        return self

    @property
    def classifies(self) -> bool:
        """Whether it is a classifier's, from which nothing can be sampled."""
        return self.kind == "classifier" or (self.training or {}).get("learns") == "classifier"

    @property
    def _images(self) -> int:
        """How many images the network sees: an upsampler two."""
        return 1 if self.low is None else 2

    @property
    def classes(self) -> int:
        return self.network.out_channels if self.classifies else self.network.classes

    @property
    def drawn(self) -> tuple[int, ...]:
        """The classes that are drawn where none is asked for: all that it was taught."""
        return self.taught or tuple(range(self.classes))


def save(
    path: StrPath, header: Header, content: dict[str, torch.Tensor], check: Callable[[], object] | None = None
) -> None:
    """Write a file atomically: whoever opens `path` finds the old one or the new one, whole. check: see `atomic`.

    Raises OSError that names the file where it cannot be written.
    """
    metadata = {METADATA_KEY: json.dumps(header.document(complete=True))}
    try:
        with atomic(path, check=check) as file:
            tensors.write(file, content, metadata)
    except OSError as error:
        raise OSError(error.errno, f"{path} cannot be written ({error.strerror or error})") from None


def read_header(path: StrPath) -> Header:
    """The header of a file of ours. Raises ValueError with a sentence for any other file."""
    with _opened(path) as file:
        return _header(path, file)


def load(path: StrPath, device: Device = "cpu", ema: int = 0) -> Wrapped:
    """The model in a file, its weights fixed: a `Denoiser`, ready to be sampled, or an `edm.classifier.Classifier`. Its
    `header` says what it is.

    ema: which of the averages, where a checkpoint holds several (0: the first half-life).
    Raises ValueError for a file that is truncated, foreign, or not consistent in itself, and for weights that are not
    finite; OSError if there is none.
    """
    with _opened(path) as file:
        header = _header(path, file)
        network = _fitting(header.network, file, f"ema{ema}/", path)
    return model(network.to(device), header)


def broken(path: StrPath) -> str | None:
    """Why a file's averages cannot be sampled from, in a sentence; None where they can. Raises as `read_header`."""
    with _opened(path) as file:
        try:
            for name in list(file.keys()):
                if name.startswith("ema"):
                    check_finite(file.get_tensor(name), name, path)
        except (Refused, SafetensorError) as error:
            return str(error)
    return None


def model(network: nn.Module, header: Header) -> Wrapped:
    """A network in its preconditioning, as the header says."""
    told = header.preconditioning.build(), header.shape, header.classes, header
    if header.low is not None:
        return Upsampler(network, header.low, *told)
    return Classifier(network, *told) if header.classifies else Denoiser(network, *told)


def build(config: NetworkConfig, place: object = "the settings") -> Any:
    """The network of a config, with fresh weights. Raises ValueError that begins with `place` if sizes do not fit."""
    try:
        return networks.build(**config.document(complete=True))
    except Refused as error:
        raise Refused(f"{place}: {error}") from None


@torch.no_grad()
def _fitting(config, file, prefix, path):
    """The network with the tensors under `prefix` in it: every one has its place, and no place is left empty.

    The shapes are compared on a network without memory, so that a header cannot ask for more than its file holds.
    """
    keys = list(file.keys())
    names = {name.removeprefix(prefix) for name in keys if name.startswith(prefix)}
    if not names:
        present = ", ".join(sorted({key.split("/")[0] for key in keys}))
        raise Refused(f"{path} holds no weights under {prefix!r}; it has {present:.80}")
    with torch.device("meta"):
        shapes = {name: list(tensor.shape) for name, tensor in build(config, path).state_dict().items()}
    for name in sorted(names ^ set(shapes)):
        raise Refused(f"{path} does not fit its own header: {name!r:.80} is in only one of the two")
    for name, shape in shapes.items():
        found = file.get_slice(prefix + name).get_shape()
        if found != shape:
            raise Refused(f"{path} does not fit its own header: {name} has shape {found}, not {shape}")
    network = build(config, path)
    for name, tensor in network.state_dict().items():
        found = file.get_tensor(prefix + name)
        check_finite(found, name, path)
        tensor.copy_(found)
    return network.requires_grad_(False)


def check_finite(tensor: torch.Tensor, name: str, path: StrPath) -> None:
    """Raises ValueError, which names the file, for weights that no picture can come from."""
    if not (tensor.float().sum().isfinite() or tensor.isfinite().all()):  # the sum is quick, and may only overflow
        remedy = "the run that wrote them has diverged; take an earlier checkpoint, or train with a lower learning rate"
        raise Refused(f"{path} cannot be used: its weights {name} are not all finite numbers; {remedy}")


def _opened(path):
    path = expanded(path)
    if not path.is_file():
        if path.is_dir() and (kind := foreign(path)):
            raise Refused(f"{path} is no model file of ours: {kind.sentence}")
        raise FileNotFoundError(f"there is no file {path}")
    try:
        return safe_open(path, framework="pt")
    except (SafetensorError, OSError) as error:
        kind = foreign(path)
        why = f", as models of ours are: {kind.sentence}" if kind else f" ({error})"
        raise Refused(f"{path} is not a whole safetensors file{why}") from None


def _header(path, file) -> Header:
    text = (file.metadata() or {}).get(METADATA_KEY)
    if text is None or len(text) > MAX_HEADER:
        kind = foreign(path)
        why = kind.sentence if kind else "its metadata are longer than any of ours"
        raise Refused(f"{path} cannot be used: {why}")
    try:
        header = Header.parse(text)
    except SettingsError as error:
        raise Refused(f"{path} cannot be used: {error}") from None
    return header
