"""guided-diffusion's networks (Dhariwal & Nichol 2021) to ours: what is where in its files, by the names of tensors.

    input_blocks.n.0    n = 0: the first convolution; else l, r = divmod(n − 1, B + 1): block r of level l, or the block
                        before level l + 1 that halves, where r = B
    middle_block.0 … 2  a block, attention, a block
    output_blocks.n.0   l = L − 1 − ⌊n/(B + 1)⌋, r = n mod (B + 1): block r of level l; its last part doubles if r = B

Attention is the part after a block. Its qkv's rows are (head, {q, k, v}, channel), or with the newer order as ours are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch

from edm import networks
from edm.base.errors import Refused
from edm.networks.blocks import Attention
from edm.networks.guided_flags import CLASSIFIER, GROUPS, MODEL, PUBLISHED, UPSAMPLER, Flags

FIRST, TIME, LABEL, LAST = "input_blocks.0.0.weight", "time_embed.0.weight", "label_emb.weight", "out.2.weight"
POSITIONS = "out.2.positional_embedding"
_PARTS = {
    "norm0": "in_layers.0", "conv0": "in_layers.2", "affine": "emb_layers.1", "norm1": "out_layers.0",
    "conv1": "out_layers.3", "skip": "skip_connection",
}  # fmt: skip
_ATTENTION = {"norm": "norm", "qkv": "qkv", "proj": "proj_out"}
_OTHERS = {
    "embedding.layer0": "time_embed.0", "embedding.layer1": "time_embed.2", "embedding.label": "label_emb",
    "out_norm": "out.0", "out_conv": "out.2", "pool.positional": POSITIONS, "pool.qkv": "out.2.qkv_proj",
    "pool.proj": "out.2.c_proj",
}  # fmt: skip
_LAYER = re.compile(r"(encoder|decoder)\.(\d+)x\d+_(conv|down|up|block|in)(\d*)\.(.*)")
Shapes = Mapping[str, tuple[int, ...]]


def kind_of(shapes: Shapes) -> str:
    """Which of the networks tensors of these shapes are of. Raises Refused for those of none that is known here."""
    if lacking := [name for name in (FIRST, TIME) if len(shapes.get(name, ())) < 2]:
        held = ", ".join(f"{name:.40}" for name in list(shapes)[:3])
        raise Refused(f"its tensors ({held}, …) are of another program than guided-diffusion: there is no {lacking[0]}")
    resampled = re.compile(r"(in|out)put_blocks\.\d+\.\d+\.(op|conv)\.weight")
    if odd := next(filter(resampled.fullmatch, shapes), None):
        raise Refused(
            f"it resamples by convolutions of their own ({odd}), as improved-diffusion does and networks here do not; "
            "only files trained with resblock_updown True are read"
        )
    rows, width = (shapes.get(f"input_blocks.1.0.{name}.weight", (0,))[0] for name in ("emb_layers.1", "in_layers.2"))
    if rows != 2 * width:
        raise Refused("it was trained with use_scale_shift_norm False, which no network here has")
    if POSITIONS in shapes:
        return CLASSIFIER
    if not any(name.startswith("output_blocks.") for name in shapes):
        raise Refused("it is a classifier that does not pool by attention, as those that were published do")
    return UPSAMPLER if shapes[FIRST][1] in (2, 6) else MODEL


def like(shapes: Shapes) -> str | None:
    """A published file whose tensors these may be: by its first convolution, embedding, and number."""
    for name, flags in PUBLISHED.items():
        first = int(flags.channel_mult[0] * flags.model_channels), _inputs(flags)
        told = len(shapes), shapes[FIRST][:2], shapes[TIME][1]
        if (flags.tensors, first, flags.model_channels) == told:
            return name
    return None


def configuration(flags: Flags, shapes: Shapes) -> dict[str, Any]:
    """Arguments of `edm.networks.build`. Raises Refused where the file says otherwise."""
    found = {
        "model_channels": (flags.model_channels, shapes[TIME][1]),
        "channel_mult[0]·model_channels": (int(flags.channel_mult[0] * flags.model_channels), shapes[FIRST][0]),
        "in_channels": (_inputs(flags), shapes[FIRST][1]),
    }
    if flags.kind != CLASSIFIER:
        out = flags.out_channels or 2 * flags.in_channels
        found["out_channels"] = (out, shapes.get(LAST, (0,))[0])
        found["num_classes"] = (flags.classes, shapes.get(LABEL, (0,))[0])
        if out not in (flags.in_channels, 2 * flags.in_channels):
            raise Refused(
                f"out_channels = {out}: must be {flags.in_channels}, or {2 * flags.in_channels} with a variance"
            )
    for name, (told, there) in found.items():
        if told != there:
            raise Refused(f"{name} is {told}, but {there} in the file")
    stem = int(flags.channel_mult[0] * flags.model_channels)
    sizes = [flags.image_size >> level for level in range(len(flags.channel_mult))]
    return {
        "name": "half" if flags.kind == CLASSIFIER else "adm",
        "in_channels": _inputs(flags),
        "out_channels": flags.classes if flags.kind == CLASSIFIER else found["out_channels"][0],
        "resolution": flags.image_size,
        "channels": flags.model_channels,
        "channel_mult": flags.channel_mult,
        "blocks": flags.num_res_blocks,
        "attention": tuple(size for level, size in enumerate(sizes) if 1 << level in flags.attention),
        "classes": 0 if flags.kind == CLASSIFIER else flags.classes,
        "dropout": flags.dropout,
        "stem": None if stem == flags.model_channels else stem,
        "heads": flags.heads,
        "decoder_heads": flags.decoder_heads,
        "head_channels": flags.head_channels or 64,
        "groups": GROUPS,
    }


def _inputs(flags):
    return flags.in_channels * (2 if flags.kind == UPSAMPLER else 1)


def ours(flags: Flags, config: Mapping[str, Any], saved: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """The tensors in a file under our names, float32. saved: of `edm.files.torch_saved`, or whatever has a shape and
    read(). Raises Refused unless every one has its place, and its shape."""
    with torch.device("meta"):  # where a network takes no memory
        network = networks.build(**config)
    heads = {}
    for name, module in network.named_modules():
        if isinstance(module, Attention):
            heads[name], channels = module.heads, module.proj.out_channels
            if flags.head_channels and channels != module.heads * flags.head_channels:
                raise Refused(f"num_head_channels = {flags.head_channels}: must divide attention's {channels} channels")
    places = {name: (_theirs(name, flags, heads), tensor) for name, tensor in network.state_dict().items()}
    _check(places, saved)
    made = {}
    for name, (theirs, place) in places.items():
        tensor = saved[theirs].read().float()
        if theirs == LABEL:
            tensor = tensor.T
        layer = name.rpartition(".qkv.")[0]
        if layer in heads and not flags.new_order:
            tensor = tensor.reshape(heads[layer], 3, -1, *tensor.shape[1:]).transpose(0, 1)
        made[name] = tensor.reshape(place.shape).contiguous()
    return made


def _theirs(name, flags, attention) -> str:
    """The published name of a parameter of ours."""
    for place, theirs in _OTHERS.items():
        if name == place or name.startswith(f"{place}."):
            return theirs + name.removeprefix(place)
    layer = _LAYER.fullmatch(name)
    assert layer is not None, name
    side, size, part, number, rest = layer.groups()
    level, blocks = (flags.image_size // int(size)).bit_length() - 1, flags.num_res_blocks + 1
    within, _, leaf = rest.rpartition(".")
    if part == "conv":
        return f"input_blocks.0.0.{rest}"
    if part == "in":
        prefix, first = "middle_block", 0 if number == "0" else 2
    elif side == "encoder":
        prefix, first = f"input_blocks.{1 + level * blocks + int(number) if part == 'block' else level * blocks}", 0
    elif part == "block":
        prefix, first = f"output_blocks.{(len(flags.channel_mult) - 1 - level) * blocks + int(number)}", 0
    else:  # it stands with the last block of the level below
        last = f"decoder.{flags.image_size >> level + 1}x{flags.image_size >> level + 1}_block{blocks - 1}.attention"
        prefix = f"output_blocks.{(len(flags.channel_mult) - 2 - level) * blocks + blocks - 1}"
        first = 2 if last in attention else 1
    if within.startswith("attention."):
        return f"{prefix}.{first + 1}.{_ATTENTION[within.removeprefix('attention.')]}.{leaf}"
    return f"{prefix}.{first}.{_PARTS[within]}.{leaf}"


def _check(places, saved):
    """Raises Refused for tensors that are missing, too many, or of other shapes."""
    wanted = {theirs: tuple(tensor.shape) for theirs, tensor in places.values()}
    if odd := sorted(wanted.keys() ^ saved.keys()):
        where = "only the file has" if odd[0] in saved else "the file lacks"
        raise Refused(f"its flags ask for {len(wanted)} tensors, and it has {len(saved)}: {where} {odd[0]:.80}")
    for theirs, shape in wanted.items():
        found = tuple(saved[theirs].shape)
        plain = found[: len(found) - (len(found) == 3)]  # convolutions over the pixels of attention: [o, i, 1]
        if not (shape in (found, plain, (*plain, 1, 1)) or (theirs == LABEL and shape == found[::-1])):
            raise Refused(f"its tensor {theirs} has shape {list(found)}; its flags ask for {list(shape)}")
