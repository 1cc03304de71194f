"""Weights under published names (those of the paper's checkpoints) to and from ours.

The name of a parameter tells its place; three things change besides the name: attention's qkv, whose rows are
laid out (head, channel, {q, k, v}) there and ({q, k, v}, head, channel) here; the order of the decoder's output
layers' names; and resampling filters, which are stored there and are part of the kind of network here.
"""

from __future__ import annotations

import re

import torch

from edm.base.errors import Refused
from edm.networks.blocks import Attention
from edm.networks.unet import UNet

_PREFIXES = {"enc.": "encoder.", "dec.": "decoder.", "map_": "embedding."}


def our_name(name: str) -> str | None:
    """Our name of a published parameter or buffer; None for a resampling filter, which is no parameter here."""
    if name.endswith("resample_filter"):
        return None
    name = re.sub(r"^dec\.\d+x\d+_aux_(norm|conv)\.", r"out_\1.", name)
    for theirs, ours in _PREFIXES.items():
        if name.startswith(theirs):
            name = ours + name.removeprefix(theirs)
    return re.sub(r"\.(?:norm2|(qkv|proj))\.(weight|bias)$", _attention_name, name)


def _attention_name(match) -> str:
    return f".attention.{match[1] or 'norm'}.{match[2]}"


def configuration(class_name: str, given: dict) -> tuple[str, dict]:
    """(name, config) for `edm.networks.build` of a published network's class and constructor arguments.

    Raises ValueError for a class or a combination of arguments that is none of ours.
    """
    given = dict(given)
    if class_name == "DhariwalUNet":
        name, multipliers, blocks, attention = "adm", (1, 2, 3, 4), 3, (32, 16, 8)
    elif class_name == "SongUNet":
        name, multipliers, blocks, attention = "ddpmpp", (1, 2, 2, 2), 4, (16,)
        style = (
            given.pop("embedding_type", "positional"), given.pop("encoder_type", "standard"),
            given.pop("decoder_type", "standard"), given.pop("channel_mult_noise", 1),
            tuple(given.pop("resample_filter", (1, 1))),
        )  # fmt: skip
        styles = {
            ("positional", "standard", "standard", 1, (1, 1)): "ddpmpp",
            ("fourier", "residual", "standard", 2, (1, 3, 3, 1)): "ncsnpp",
        }
        if style not in styles:
            raise Refused(f"a SongUNet with {style} is neither DDPM++ nor NCSN++, which are all that is known here")
        name = styles[style]
    else:
        raise Refused(f"there is no network of class {class_name!r:.60} here; there are SongUNet and DhariwalUNet")
    if given.pop("channel_mult_emb", 4) != 4:
        raise Refused("channel_mult_emb must be 4, as in all published networks")
    given.pop("label_dropout", None)
    config = {
        "resolution": given.pop("img_resolution"),
        "in_channels": given.pop("in_channels"),
        "out_channels": given.pop("out_channels"),
        "classes": given.pop("label_dim", 0),
        "augment_dim": given.pop("augment_dim", 0),
        "channels": given.pop("model_channels", 192 if name == "adm" else 128),
        "channel_mult": tuple(given.pop("channel_mult", multipliers)),
        "blocks": given.pop("num_blocks", blocks),
        "attention": tuple(given.pop("attn_resolutions", attention)),
        "dropout": given.pop("dropout", 0.10),
    }
    if given:
        raise Refused(f"the network has arguments that are unknown here: {', '.join(map(str, given))}")
    return name, config


@torch.no_grad()
def filled(network: UNet, tensors: dict[str, torch.Tensor]) -> UNet:
    """Fill `network` with tensors under published names. Raises ValueError unless every one has its place."""
    places = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    places = {name: place for name, place in places.items() if not name.endswith(".kernel")}
    heads = {f"{name}.qkv": m.heads for name, m in network.named_modules() if isinstance(m, Attention)}
    missing = set(places)
    for theirs, tensor in tensors.items():
        ours = our_name(theirs)
        if ours is None:
            _check_filter(theirs, tensor, network.kind.filter)
            continue
        if ours not in missing:
            raise Refused(f"the network has no place for the tensor {theirs!r:.80}, or another one has taken it")
        if tensor.shape != places[ours].shape:
            expected, found = list(places[ours].shape), list(tensor.shape)
            raise Refused(f"the tensor {theirs!r} has shape {found}; this network needs {expected}")
        layer = ours.rsplit(".", 1)[0]
        if layer in heads:
            rows = tensor.reshape(heads[layer], -1, 3, *tensor.shape[1:])
            tensor = rows.movedim(2, 0).reshape(tensor.shape)
        places[ours].copy_(tensor)
        missing.discard(ours)
    if missing:
        raise Refused(f"there are no values for {', '.join(sorted(missing)[:5])}")
    return network


def _check_filter(name, tensor, filter):
    kernel = torch.tensor(filter, dtype=torch.float32)
    kernel = kernel.outer(kernel) / kernel.sum() ** 2
    if tensor.shape[-2:] != kernel.shape or not torch.allclose(tensor.float(), kernel.expand(tensor.shape), atol=1e-6):
        raise Refused(f"{name} is not the filter {list(filter)} that this kind of network resamples with")


__all__ = ["configuration", "filled", "our_name"]
