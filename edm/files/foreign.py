"""Networks in other programs' files, by what is in them, whatever they are called: what each is, and its remedy.

Nothing in them is run: of a pickle in a zip the bytes are searched, of tensors the names are read.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edm.base import documents
from edm.base.errors import Refused
from edm.base.kinds_of_files import is_picture, is_safetensors
from edm.base.paths import expanded

if TYPE_CHECKING:
    from edm.base.types import StrPath

READ = "the paper's pickles (edm-….pkl) and guided-diffusion's files (64x64_diffusion.pt, …)"
_WRAP = "in Python any function D(x, sigma, labels=None) is a denoiser for edm.sample: {} and wrap it in one"
_AGAIN = "get the file itself"
_MUCH = 16 << 20  # bytes of a pickle or a header that are looked at
_BEGIN, _END = 4096, 48


@dataclass(frozen=True)
class Foreign:
    """A file that is no model of ours. what: it is, in words that follow upon "it is"; remedy: what to do then."""

    name: str
    what: str
    remedy: str

    @property
    def sentence(self) -> str:
        return f"it is {self.what}; {self.remedy}"


def _kinds(*kinds: Foreign) -> dict[str, Foreign]:
    return {kind.name: kind for kind in kinds}


KINDS = _kinds(
    Foreign("pickle", "a pickle, as the paper's networks are published", "python -m edm convert makes a model file"),
    Foreign("onnx", "an ONNX graph", _WRAP.format("run it with onnxruntime.InferenceSession")),
    Foreign("gguf", "a GGUF file, of llama.cpp and its kin", "it is for these; take the file it was made from"),
    Foreign("h5", "an HDF5 file, such as Keras writes", _WRAP.format("load it with keras.models.load_model")),
    Foreign("keras", "a Keras model", _WRAP.format("load it with keras.models.load_model")),
    Foreign(
        "guided",
        "weights of guided-diffusion's, or of a program of its kin",
        "python -m edm convert makes a model file",
    ),
    Foreign("torn", "the beginning of a file of torch.save, whose end is missing", "get it again"),
    Foreign(
        "torch",
        "a zip of torch.save, such as a state_dict: weights without the network they belong to",
        _WRAP.format("build its network, fill it by load_state_dict(torch.load(…, weights_only=True))"),
    ),
    Foreign(
        "old torch",
        "a file of torch.save before torch 1.6, such as a state_dict: weights without their network",
        _WRAP.format("build its network, fill it by load_state_dict(torch.load(…, weights_only=True))"),
    ),
    Foreign("torchscript", "a TorchScript program", _WRAP.format("load it with torch.jit.load, if you trust it,")),
    Foreign(
        "lightning",
        "a checkpoint of PyTorch Lightning",
        _WRAP.format("load it with its own LightningModule's load_from_checkpoint"),
    ),
    Foreign(
        "diffusers",
        "a model of diffusers",
        _WRAP.format("load its network with diffusers' from_pretrained"),
    ),
    Foreign(
        "safetensors",
        "a safetensors file of weights, but not one of ours: it has no 'edm' in its metadata",
        _WRAP.format("build its network, fill it by load_state_dict(safetensors.torch.load_file(…))"),
    ),
    Foreign(
        "msgpack",
        "a msgpack file, such as Flax writes",
        _WRAP.format("restore it with flax.serialization.msgpack_restore into its network"),
    ),
    Foreign("tensorflow", "TensorFlow's", _WRAP.format("load it with TensorFlow")),
    Foreign("tflite", "a TensorFlow Lite model", _WRAP.format("run it with its interpreter")),
    Foreign("run", "the folder of a run of ours", "python -m edm export makes a model file of it"),
    Foreign("arrays", "an archive of NumPy arrays", "as data: python -m edm data; as statistics: --reference_stats"),
    Foreign("zip", "a zip file", "if a network is in it, unpack it; if data are, python -m edm data reads it"),
    Foreign("picture", "a picture", "as data: python -m edm data; settings inside: python -m edm info"),
    Foreign("compressed", "compressed", "unpack it first, such as with gunzip"),
    Foreign("archive", "an archive", "unpack it first"),
    Foreign("pointer", "a pointer of Git LFS, in the place of a file", "git lfs pull, or " + _AGAIN),
    Foreign("page", "a web page", f"the download was none; {_AGAIN}"),
    Foreign("empty", "empty", "get it again"),
)
_MARKS = (  # (where, bytes, kind)
    (0, b"GGUF", "gguf"),
    (0, b"\x89HDF\r\n\x1a\n", "h5"),
    (4, b"TFL3", "tflite"),
    (0, b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.", "old torch"),
    (0, b"\x1f\x8b", "compressed"),
    (0, b"BZh", "compressed"),
    (0, b"\xfd7zXZ\0", "compressed"),
    (0, b"\x28\xb5\x2f\xfd", "compressed"),
    (0, b"7z\xbc\xaf\x27\x1c", "archive"),
    (0, b"Rar!", "archive"),
    (257, b"ustar", "archive"),
    (0, b"version https://git-lfs", "pointer"),
)


def foreign(path: StrPath) -> Foreign | None:
    """What a file or folder is in the place of a model file of ours; None: one of ours, or nothing that is known.

    Raises OSError where it cannot be opened.
    """
    path = expanded(path)
    name = _of_folder(path) if path.is_dir() else _of_file(path)
    return KINDS[name] if name else None


def _of_folder(path):
    holds = {entry.name for entry in path.iterdir()}
    if "model_index.json" in holds or _of_diffusers(path / "config.json"):
        return "diffusers"
    if "saved_model.pb" in holds or any(name.endswith(".index") for name in holds):
        return "tensorflow"
    if "_METADATA" in holds or "_CHECKPOINT_METADATA" in holds:
        return "msgpack"  # of orbax, which Flax saves with
    return "run" if {"config.json", "checkpoints"} <= holds else None


def _of_diffusers(path) -> bool:
    try:
        with open(path, "rb") as file:
            found = documents.from_json(file.read(_MUCH), "it")
    except (OSError, Refused):
        return False
    return isinstance(found, dict) and ("_diffusers_version" in found or "_class_name" in found)


def _of_file(path):
    with open(path, "rb") as file:
        begin = file.read(_BEGIN)
        file.seek(0, 2)
        file.seek(max(0, file.tell() - _END))
        end = file.read()
    if not begin:
        return "empty"
    for place, mark, name in _MARKS:
        if begin[place:].startswith(mark):
            return "guided" if name == "old torch" and _by_guided(_start(path)) else name
    if begin.startswith(b"PK\x03\x04"):
        found = _of_zip(path)
        return "torn" if found == "zip" and _TORCHS.match(begin) and not zipfile.is_zipfile(path) else found
    if is_safetensors(path):
        return _of_safetensors(path)
    if begin[:1] == b"\x80" and b"\x02" <= begin[1:2] <= b"\x05":
        return "pickle"
    if end.endswith(b"\x57\xfb\x80\x8b\x24\x75\x47\xdb") or b"model_checkpoint_path:" in begin[:200]:
        return "tensorflow"  # a table of LevelDB, as the .index of its checkpoints is
    if is_picture(path) and b"<html" not in begin.lower():
        return "picture"
    if begin.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        return "page"
    if begin.lstrip().startswith(b"{"):
        return "diffusers" if _of_diffusers(path) else None
    return _of_fields(begin) or ("msgpack" if _is_msgpack(begin) else None)


def _of_zip(path):
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            held = next((name for name in names if name.rpartition("/")[2] == "data.pkl"), None)
            pickled = b""
            if held is not None:
                with archive.open(held) as file:
                    pickled = file.read(_MUCH)
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, ValueError, EOFError):
        return "zip"  # what is damaged, has a password, or is packed in another way
    lasts = {name.rpartition("/")[2] for name in names}
    if held is not None:
        script = "constants.pkl" in lasts and any("/code/" in name for name in names)
        lightning = b"pytorch-lightning_version" in pickled
        diffusers = _by_diffusers(mark.decode() for mark in _NAMES if mark in pickled)
        if script or lightning or diffusers:
            return "torchscript" if script else "lightning" if lightning else "diffusers"
        return "guided" if _by_guided(pickled) else "torch"
    if "model_index.json" in lasts:
        return "diffusers"
    if "model.weights.h5" in lasts:
        return "keras"
    return "arrays" if names and all(name.endswith(".npy") for name in names) else "zip"


_NAMES = (b"down_blocks.0.", b"up_blocks.0.", b"conv_in.weight", b"time_embedding.linear_1", b"transformer_blocks.0.")


_TORCHS = re.compile(rb"PK\x03\x04.{22}..{1,200}/data\.pkl", re.DOTALL)  # how torch's zips begin
_GUIDED = re.compile(rb"(?:\0|\x8c.)input_blocks\.0\.0\.weight", re.DOTALL)  # the name of a tensor, whole


def _start(path) -> bytes:
    with open(path, "rb") as file:
        return file.read(_MUCH)


def _by_guided(pickled: bytes) -> bool:
    """Whether tensors are called as in guided-diffusion's networks."""
    return _GUIDED.search(pickled) is not None and b"time_embed.0.weight" in pickled


def _by_diffusers(names: Iterable[str]) -> bool:
    """Whether tensors are called as in diffusers' networks."""
    text = "\n".join(names)
    return ("down_blocks.0." in text and "conv_in.weight" in text) or "\ntransformer_blocks.0." in f"\n{text}"


def _of_safetensors(path):
    try:
        with open(path, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = documents.from_json(file.read(min(length, _MUCH)), "its header")
    except (OSError, Refused):
        return None  # which is cut off, and may be ours
    told = header.get("__metadata__")
    if isinstance(told, dict) and "edm" in told:
        return None
    return "diffusers" if _by_diffusers(header) else "safetensors"


def _is_msgpack(begin) -> bool:
    """Whether it is a map whose first key is a word."""
    skip = {0xDE: 3, 0xDF: 5}.get(begin[0], 1 if 0x81 <= begin[0] <= 0x8F else 0)
    key = begin[skip : skip + 40] if skip else b""
    if not key:
        return False
    length, start = (key[0] & 0x1F, 1) if 0xA1 <= key[0] <= 0xBF else (key[1] if key[:1] == b"\xd9" else 0, 2)
    word = key[start : start + length]
    return bool(word) and word.decode("latin1").isprintable() and word.isascii()


def _of_fields(begin):
    """A message of protobuf that begins with a small version: ONNX's, or TensorFlow's if a graph follows at once."""
    if len(begin) < 4 or begin[0] != 0x08 or not 1 <= begin[1] <= 30 or begin[2] & 7 not in (0, 2):
        return None
    if begin[2] == 0x12:  # ONNX names the program that made it; TensorFlow has a graph there
        length, word = begin[3], begin[4 : 4 + begin[3]]
        return "onnx" if length < 0x80 and word.isascii() and word.decode().isprintable() else "tensorflow"
    return "onnx" if begin[2] >> 3 in range(3, 26) and begin[2] & 7 == 2 else None
