"""python -m edm convert: make a model file of a published checkpoint, running nothing that is in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from edm.base.errors import Refused
from edm.commands.help import command
from edm.commands.options import place

if TYPE_CHECKING:
    import argparse

ABOUT = """Make a model file of a checkpoint that was published: the paper's, a pickle (edm-….pkl) whose 'ema' is a
SongUNet (DDPM++, NCSN++) or a DhariwalUNet (ADM) in VPPrecond, VEPrecond, iDDPMPrecond or EDMPrecond; or ADM's own, of
guided-diffusion (64x64_diffusion.pt, 256x256_classifier.pt, 64_256_upsampler.pt, lsun_cat.pt, …). Such files may run
any program when they are loaded; they are read as data, and nothing in them runs.
A file of guided-diffusion's does not say what its network is. One that is called as published is known by its name;
others need --architecture, a JSON file of the flags it was trained with, as its constructors or scripts call them:
image_size, model_channels, num_res_blocks, channel_mult, attention_resolutions (as the constructors have them a list of
how much smaller images have become, as the scripts have them a text of their sizes), num_heads or num_head_channels,
noise_schedule; and where they are not the default, num_classes, num_heads_upsample, use_new_attention_order.
Of other kinds of file (ONNX, GGUF, HDF5, torch.save, Lightning, diffusers, Flax, TensorFlow) it says what each is, and
what can be done with it. guided-diffusion's sampler clips D to [-1, 1] by default; here --clip yes does."""
MORE = """examples:
  python -m edm convert edm-cifar10-32x32-cond-vp.pkl --out cifar10.safetensors
  python -m edm sample --model cifar10.safetensors --label 3
  python -m edm convert 256x256_diffusion.pt
  python -m edm sample --model 256x256_diffusion.safetensors --discretization adm_linear --respacing 250
  python -m edm convert ema_0.9999_250000.pt --architecture flags.json
with flags.json: {"image_size": 64, "num_channels": 128, "num_res_blocks": 3, "channel_mult": "",
  "attention_resolutions": "32,16,8", "num_heads": 4, "noise_schedule": "cosine", "learn_sigma": true}"""


def add(commands: argparse._SubParsersAction) -> None:
    parser = command(commands, "convert", "make a model file of a published checkpoint", ABOUT, MORE)
    parser.add_argument(
        "path", type=place, metavar="CHECKPOINT", help="a published .pkl or .pt file; no code in it runs"
    )
    parser.add_argument(
        "--out", type=place, help="model file to write; default: the checkpoint's name, ending in .safetensors"
    )
    parser.add_argument(
        "--architecture", type=place, metavar="FILE.json", help="flags of a file of guided-diffusion's, see above"
    )
    parser.add_argument("--force", action="store_true", help="overwrite the model file if there is one")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> Any:
    out = Path(options.out) if options.out else Path(options.path).with_suffix(".safetensors")
    if out.suffix.lower() != ".safetensors":
        raise Refused(f"--out {out}: the name must end in .safetensors")
    if not out.parent.is_dir() and "://" not in options.path:
        raise Refused(f"--out {out}: there is no folder {out.parent}")

    from edm.files.convert import check_kind, convert_file

    check_kind(options.path)
    if out.exists() and not options.force:
        raise Refused(f"{out} is there already; name another --out, or overwrite it with --force")
    header = convert_file(options.path, out, options.architecture)
    shape = "×".join(map(str, header.shape))
    classes = f", {header.classes} classes" if header.classes else ""
    print(f"{header.network.name} with preconditioning {header.preconditioning.name}, {shape}{classes} -> {out}")
