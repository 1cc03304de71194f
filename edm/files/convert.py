"""Published checkpoints as model files of ours: the paper's, and guided-diffusion's (see `edm.files.guided`).

The network is built anew from the name and the arguments of its class, and takes the tensors in the file if each has
its place and its shape. Nothing in the file runs; see `edm.files.persistent` and `edm.files.torch_saved`.
"""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Any

import torch

from edm import schedules, timesteps
from edm.base.errors import Refused
from edm.base.kinds_of_files import is_safetensors
from edm.base.paths import expanded
from edm.files import checkpoints, guided, persistent
from edm.files.checkpoints import Header, NetworkConfig, PreconditioningConfig
from edm.files.foreign import READ, foreign
from edm.networks import official
from edm.preconditioning import VP

if TYPE_CHECKING:
    from edm.base.types import StrPath

MAX_BYTES = 8 << 30
MAX_LETTERS = 300  # of a reason
# Wrong arguments in a file of any making
_STRANGE = (TypeError, ValueError, LookupError, ArithmeticError, struct.error, RuntimeError, MemoryError)
_SHAPE = {"img_resolution", "in_channels", "out_channels"}
_VE = timesteps.DISCRETIZATIONS["ve"].range

# class: (our preconditioning, parameters of theirs that ours has at these values only)
_WRAPPERS = {
    "VPPrecond": (
        "vp",
        {"beta_d": schedules.BETA_D, "beta_min": schedules.BETA_MIN, "M": VP.M, "epsilon_t": VP.EPSILON_T},
    ),
    "VEPrecond": ("ve", {"sigma_min": _VE[0], "sigma_max": _VE[1]}),
    "iDDPMPrecond": (
        "iddpm",
        {"C_1": timesteps.IDDPM_C1, "C_2": timesteps.IDDPM_C2, "M": timesteps.IDDPM_LEVELS},
    ),
    "EDMPrecond": ("edm", {"sigma_min": 0, "sigma_max": math.inf}),
}


def convert(path: StrPath, architecture: Any = None) -> tuple[Header, dict[str, torch.Tensor]]:
    """The averaged network in a published checkpoint, as `edm.checkpoints.save` takes it.

    architecture: flags of a file of guided-diffusion's that is not called as a published one, by the names that its
    constructors or scripts have for them, with noise_schedule; or the JSON file that holds them.
    Returns the header of a model file, and its float32 tensors under "ema0/".
    Raises ValueError that names the file and says why it cannot be converted; FileNotFoundError if there is none.
    """
    if check_kind(path) == "guided":
        return _named(path, lambda: guided.converted(path, architecture))
    if architecture is not None:
        raise Refused(
            f"{path} cannot be converted with --architecture: it is the paper's, and says its own; leave it out"
        )

    def read():
        with open(expanded(path), "rb") as file:
            document = persistent.read(file)
        return _converted(document, expanded(path).stem)

    return _named(path, read)


def _named(path, read) -> tuple[Header, dict[str, torch.Tensor]]:
    """What it reads. Raises Refused that names the file where that fails."""
    try:
        return read()
    except Refused as error:
        reason = str(error)
    except _STRANGE as error:
        reason = f"its contents are not those of a published file ({str(error) or type(error).__name__:.100})"
    raise Refused(f"{path} cannot be converted: {reason:.{MAX_LETTERS}}")


def convert_file(path: StrPath, out: StrPath, architecture: Any = None) -> Header:
    """Write the model in the published checkpoint `path` to the file `out`, and return its header.

    Raises as `convert` does, and OSError where `out` cannot be written.
    """
    header, tensors = convert(path, architecture)
    checkpoints.save(out, header, tensors)
    return header


def check_kind(path: StrPath) -> str:
    """The kind of a file that is read here, as `edm.files.foreign` calls it: "pickle" or "guided". Others are refused,
    each with its remedy: as `convert` raises."""
    if "://" in str(path):
        raise Refused(f"{path} is an address; download the file, and give its name")
    if not expanded(path).exists():
        raise FileNotFoundError(f"there is no file {path}")
    kind = foreign(path)
    if kind is not None and kind.name in ("pickle", "guided"):
        size = expanded(path).stat().st_size
        if size <= MAX_BYTES:
            return kind.name
        reason = f"it has {size / 1e9:.1f} GB, and published files have less than {MAX_BYTES / 1e9:.1f}"
    elif kind is not None:
        reason = f"{kind.sentence}. This reads {READ}"
    elif expanded(path).is_dir():
        reason = f"it is a folder; this reads {READ}"
    elif is_safetensors(path):
        reason = "it is a model file of ours, or a part of one: it needs no conversion"
    else:
        reason = f"it is not a pickle, as published files are; get it again. This reads {READ}"
    raise Refused(f"{path} cannot be converted: {reason}")


def _converted(document, title):
    if not isinstance(document, dict) or "ema" not in document:
        raise Refused("it has no 'ema', under which published files hold the averaged network")
    wrapper, outer, state = persistent.described(document["ema"], "its 'ema'")
    layers = state.get("_modules")
    kind, inner, _ = persistent.described(layers.get("model") if isinstance(layers, dict) else None, "its network")
    outer |= state  # attributes are what counts where they differ from the arguments
    preconditioning = _preconditioning(wrapper, outer)
    _check_arguments(kind, inner, outer, doubled=preconditioning.name == "iddpm")
    name, config = official.configuration(kind, inner)
    header = Header(
        kind="model",
        title=title,
        network=NetworkConfig(name=name, **config),
        preconditioning=preconditioning,
        shape=(config["in_channels"], config["resolution"], config["resolution"]),
        sigma_data=preconditioning.sigma_data,
        label_dropout=inner.get("label_dropout", 0),
    )
    tensors = persistent.tensors(document["ema"])
    if preconditioning.name == "iddpm":
        _check_levels(tensors.pop("u", None))
    return header, _ours(header, {name.removeprefix("model."): tensor for name, tensor in tensors.items()})


def _preconditioning(wrapper, outer) -> PreconditioningConfig:
    if wrapper not in _WRAPPERS:
        raise Refused(f"its network is wrapped in {wrapper!r}; known are {', '.join(_WRAPPERS)}")
    name, parameters = _WRAPPERS[wrapper]
    for parameter, ours in parameters.items():
        if (theirs := persistent.plain(parameter, outer.get(parameter, ours))) != ours:
            raise Refused(f"its {wrapper} has {parameter} = {theirs}; there is only {ours} here")
    sigma_data = persistent.plain("sigma_data", outer.get("sigma_data", 0.5)) if name == "edm" else 0.5
    return PreconditioningConfig(name=name, sigma_data=sigma_data)


def _check_arguments(kind, inner, outer, doubled):
    """Those that the network needs, and those that it shares with what is around it."""
    if missing := _SHAPE - inner.keys():
        raise Refused(f"its {kind} lacks the arguments {', '.join(sorted(missing))}")
    channels = inner["in_channels"]
    shared = {
        "img_resolution": inner["img_resolution"],
        "img_channels": channels,
        "label_dim": inner.get("label_dim", 0),
    }
    for name, value in shared.items():
        if (found := persistent.plain(name, outer.get(name, value))) != value:
            raise Refused(f"its {name} is {found} outside of the network and {value} inside")
    if inner["out_channels"] != channels * (2 if doubled else 1):
        raise Refused(f"its network maps {channels} channels to {inner['out_channels']}, unlike published ones")


def _check_levels(u):
    """iDDPM's levels are computed here; those in the file must be the same."""
    ours = torch.tensor(timesteps.iddpm_u())
    if u is None or u.shape != ours.shape or not torch.allclose(u.double(), ours, rtol=1e-3, atol=1e-6):
        raise Refused("its noise levels u are not those of iDDPM")


def _ours(header, tensors):
    """The tensors under our names."""
    with torch.device("meta"):  # where a network takes no memory, whatever the arguments say
        network = checkpoints.build(header.network)
    official.filled(network, tensors)
    network = official.filled(checkpoints.build(header.network), tensors)
    if bad := [name for name, tensor in network.state_dict().items() if not tensor.isfinite().all()]:
        raise Refused(f"its weights {bad[0]} are not all finite numbers; get it again")
    return {f"ema0/{name}": tensor.contiguous() for name, tensor in network.state_dict().items()}
