"""How to train, as validated data: the lower half of Table 1, the network, the data and the loop's own knobs."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import model_validator

from edm.fields import Number, Settings, Whole, check_choices, knob, refusal

MAX_CHANNELS, MAX_BLOCKS, MAX_LEVELS = 1024, 32, 8
RAMP = 1e9  # images: the longest of all lengths
_DOWNLOADED = ("mnist", "fashion_mnist", "cifar10")
FILES = {"folder": "folder or zip file", "points": ".csv or .npy file"}
READERS = {  # of each field that is not for all data
    **dict.fromkeys(("resolution", "crop", "greyscale"), ("folder",)),
    "path": (*FILES, *_DOWNLOADED),
    "download": _DOWNLOADED,
}
PRECISIONS = ("fp32", "bf16", "fp16")


def _check_names(group) -> None:
    check_choices(group, {name: names for name, names in choices().items() if name in type(group).model_fields})


def choices() -> dict[str, list[str]]:
    """The allowed names of each field that picks from a registry."""
    return {name: list(registry) for name, registry in registries().items()}


def registries() -> dict[str, Mapping]:
    """The registry of each field that picks from one."""
    from edm.data import sources
    from edm.networks import NETWORKS
    from edm.preconditioning import PRECONDITIONINGS
    from edm.training.loss import NOISES, WEIGHTS

    return {
        "dataset": sources.offered(),
        "network": NETWORKS,
        "preconditioning": PRECONDITIONINGS,
        "noise": NOISES,
        "weight": WEIGHTS,
        "precision": dict.fromkeys(PRECISIONS),
    }


class Data(Settings):
    """The data: what is learned."""

    dataset: str = knob("eight_gaussians", "dataset", "The distribution that is learned")
    path: str | None = knob(
        None, "path", "Folder or zip of images, .csv or .npy file of points, or where downloaded sets lie"
    )
    download: bool = knob(False, "download", "Fetch MNIST, FashionMNIST or CIFAR-10 if they are not there")
    resolution: Whole | None = knob(None, "resolution", "Resize images to this size; none: as they are", ge=4, le=1024)
    greyscale: bool = knob(False, "greyscale", "Read a folder's images in greyscale")
    crop: bool = knob(False, "crop", "Cut a square out of the middle of images that are not square")
    conditional: bool = knob(True, "classes", "Train on the classes, where the data has any")
    holdout: Whole | None = knob(
        None, "held out", "Images kept from training, to validate on; none: 5 %, at most 1000", ge=0, le=100_000
    )

    @model_validator(mode="after")
    def _consistent(self):
        _check_names(self)
        for name, readers in READERS.items():
            if getattr(self, name) not in (None, False) and self.dataset not in readers:
                raise refusal(name, getattr(self, name), f"is only for the datasets {', '.join(readers)}")
        if self.path == "" or (self.dataset in FILES and self.path is None):
            file = FILES.get(self.dataset, "folder")
            raise refusal("path", self.path, f"must name the {file} of the dataset {self.dataset!r}")
        return self


class Architecture(Settings):
    """The network: its kind and size."""

    network: str | None = knob(None, "network", "Kind of network; none: MLP for points, DDPM++ for images")
    channels: Whole = knob(
        64, "channels", "Width of the network at full resolution", slider=(8, 256), step=4, ge=4, le=MAX_CHANNELS
    )
    channel_mult: tuple[Whole, ...] = knob(
        (1, 2, 2), "multipliers", "Multipliers of the width, level by level; each level halves the size"
    )
    blocks: Whole = knob(
        2, "blocks", "Residual blocks a level (of an MLP: in all)", slider=(1, 6), step=1, ge=1, le=MAX_BLOCKS
    )
    attention: tuple[Whole, ...] = knob((8, 16), "attention", "Resolutions with self-attention")
    dropout: Number = knob(
        0.0, "dropout", "Share of activations dropped in training", slider=(0, 0.5), step=0.01, ge=0, lt=1
    )

    @model_validator(mode="after")
    def _consistent(self):
        _check_names(self)
        if not 1 <= len(self.channel_mult) <= MAX_LEVELS or not all(1 <= m <= 32 for m in self.channel_mult):
            raise refusal("channel_mult", list(self.channel_mult), f"must be 1 to {MAX_LEVELS} numbers from 1 to 32")
        if len(self.attention) > MAX_LEVELS or not all(1 <= r <= 1024 for r in self.attention):
            raise refusal("attention", list(self.attention), f"must be at most {MAX_LEVELS} resolutions up to 1024")
        if self.channels % 4:
            raise refusal("channels", self.channels, "must be a multiple of 4")
        return self


class Design(Settings):
    """The design: preconditioning and training rows of Table 1."""

    preconditioning: str = knob("edm", "preconditioning", "c_skip, c_out, c_in, c_noise: how the network is wrapped")
    sigma_data: Number | None = knob(
        None,
        "σ<sub>data</sub>",
        "Standard deviation of the data; none: measured",
        slider=(0.05, 2),
        log=True,
        gt=0,
        le=1e3,
    )
    noise: str = knob("edm", "p<sub>train</sub>(σ)", "Distribution of noise levels in training")
    P_mean: Number = knob(
        -1.2, "P<sub>mean</sub>", "Mean of ln σ, for EDM's distribution", slider=(-4, 2), step=0.1, ge=-20, le=20
    )
    P_std: Number = knob(
        1.2,
        "P<sub>std</sub>",
        "Standard deviation of ln σ, for EDM's distribution",
        slider=(0.2, 3),
        step=0.1,
        gt=0,
        le=10,
    )
    weight: str = knob("edm", "λ(σ)", "Weight of the loss; 'simple' is 1/σ², of VP, VE and iDDPM's L_simple")
    augment: Number = knob(
        0.0, "augment p", "Probability of each non-leaky augmentation; 0: none", slider=(0, 0.5), step=0.01, ge=0, le=1
    )
    label_dropout: Number = knob(
        0.0,
        "label dropout",
        "Share of images whose class is hidden, for guidance",
        slider=(0, 0.5),
        step=0.01,
        ge=0,
        le=1,
    )

    @model_validator(mode="after")
    def _consistent(self):
        _check_names(self)
        return self


class Training(Settings):
    """The run: its length, its steps, and what it reports. Lengths are numbers of training images."""

    data: Data = Data()
    architecture: Architecture = Architecture()
    design: Design = Design()
    seed: Whole = knob(
        0, "seed", "Seed of weights, data order, noise and dropout", slider=(0, 50), step=1, ge=0, le=2**32 - 1
    )
    images: Whole = knob(
        200_000, "images", "Length of the run", slider=(1e4, 1e7), log=True, unit="images", ge=1, le=10**11
    )
    batch: Whole = knob(
        128, "batch", "Images in a step, over all devices", slider=(16, 4096), log=True, ge=1, le=65_536
    )
    micro_batch: Whole | None = knob(
        None, "at once", "Images that a device takes at once; none: its whole share", ge=1, le=65_536
    )
    lr: Number = knob(1e-3, "learning rate", "Adam's step size", slider=(1e-5, 1e-2), log=True, gt=0, le=1)
    lr_ramp: Number = knob(
        10_000, "ramp-up", "The learning rate grows linearly over these", unit="images", ge=0, le=RAMP
    )
    ema: tuple[Number, ...] = knob(
        (20_000,),
        "EMA half-lives",
        "Half-lives of the averaged weights in images; the first average is the one that is used",
    )
    ema_ramp: Number | None = knob(
        0.05, "EMA ramp-up", "Half-lives are at most this share of the images seen", gt=0, le=1
    )
    precision: str = knob("fp32", "precision", "fp32, or automatic bf16 or fp16")
    compile: bool = knob(False, "compile", "Compile the network first (torch.compile)")
    tick: Whole = knob(20_000, "tick", "Validate, sample and report after each of these", unit="images", ge=1, le=10**9)
    checkpoint: Whole = knob(20_000, "checkpoint", "Save after each of these", unit="images", ge=1, le=10**10)
    samples: Whole = knob(16, "samples", "Samples drawn at each tick", ge=1, le=1024)
    validation: Whole = knob(
        64, "validation", "Images on which the loss is measured at each noise level", ge=1, le=4096
    )

    @model_validator(mode="after")
    def _consistent(self):
        _check_names(self)
        if not self.ema or len(self.ema) > 8 or min(self.ema) < 0 or len(set(self.ema)) < len(self.ema):
            raise refusal("ema", list(self.ema), "must be 1 to 8 different half-lives in images, each 0 or more")
        if self.micro_batch is not None and self.batch % self.micro_batch:
            raise refusal("micro_batch", self.micro_batch, f"must divide the batch of {self.batch}")
        return self
