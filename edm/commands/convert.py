"""python -m edm convert: make a model file of a published checkpoint, running nothing that is in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from edm.base.errors import Refused
from edm.commands.help import command
from edm.commands.options import place

if TYPE_CHECKING:
    import argparse

ABOUT = """Make a model file of a checkpoint that was published with the paper: a pickle (edm-….pkl) whose 'ema' is a
SongUNet (DDPM++, NCSN++) or a DhariwalUNet (ADM) in VPPrecond, VEPrecond, iDDPMPrecond or EDMPrecond. A pickle may run
any program when it is loaded; it is read as data, and nothing in it runs. Of other kinds of file (ONNX, GGUF, HDF5,
torch.save, Lightning, diffusers, Flax, TensorFlow) it says what each is, and what can be done with it."""
MORE = """examples:
  python -m edm convert edm-cifar10-32x32-cond-vp.pkl --out cifar10.safetensors
  python -m edm sample --model cifar10.safetensors --label 3"""


def add(commands: argparse._SubParsersAction) -> None:
    parser = command(commands, "convert", "make a model file of a checkpoint of the paper's", ABOUT, MORE)
    parser.add_argument(
        "path", type=place, metavar="CHECKPOINT", help="a .pkl file published with the paper; no code in it runs"
    )
    parser.add_argument(
        "--out", type=place, help="model file to write; default: the checkpoint's name, ending in .safetensors"
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
    header = convert_file(options.path, out)
    shape = "×".join(map(str, header.shape))
    classes = f", {header.classes} classes" if header.classes else ""
    print(f"{header.network.name} with preconditioning {header.preconditioning.name}, {shape}{classes} -> {out}")
