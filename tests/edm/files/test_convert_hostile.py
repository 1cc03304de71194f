"""No file can run a program by being converted, take more memory than it has, or end the process."""

import gzip
import io
import os
import pickle
import random
import resource
import struct
from collections import OrderedDict

import numpy as np
import pytest
import safetensors.torch
import torch

from edm.files.convert import convert
from tests.official import Call, Persistent, modules, pickled, refuse, small, written

WEIGHT = "map_layer0.bias"  # one of the tensors, of 32 numbers


def storage(content: bytes):
    return Call(torch.storage._load_from_bytes, content)


def view(source, offset=0, size=(32,), stride=(1,)):
    """A tensor as it is pickled, whatever its parts are."""
    return Call(torch._utils._rebuild_tensor_v2, source, offset, size, stride, False, OrderedDict())


def saved(value, **options) -> bytes:
    torch.save(value, file := io.BytesIO(), **options)
    return file.getvalue()


def within(layer) -> dict:
    """A small network with one more layer."""
    content = small()
    content["ema"].meta["state"]["_modules"]["model"].meta["state"]["_modules"]["more"] = layer
    return content


def container(**layers):
    made = torch.nn.ModuleDict()
    made._modules.update(layers)
    return made


def circle():
    made = container(a=container())
    made["a"]._modules["b"] = made
    return made


def doubling(step, start, depth=60):
    for _ in range(depth):
        start = step(start)
    return start


def hostile(mark):
    """Files that try something; those that run a program would make the file `mark`."""
    command = f"touch {mark}"
    attack = Call(os.system, command)
    code = f"__import__('os').system({command!r})"
    numbers = torch.zeros(32)._typed_storage()
    one = torch.zeros(1)._typed_storage()
    legacy = {"_use_new_zipfile_serialization": False}
    plain = saved(numbers, **legacy)
    names = b"\x80\x02}X\x03\x00\x00\x00emac"
    giant = b"\x80\x02c__builtin__\nbytearray\n\x8a\x05\0\0\0\0\x08\x85R."
    return {
        "os.system": lambda: {"ema": attack},
        "eval": lambda: {**small(), "loss_fn": Call(eval, code)},
        "exec": lambda: {**small(), "dataset_kwargs": {"use": [Call(exec, code)]}},
        "in a tensor": lambda: small(**{WEIGHT: attack}),
        "as a state": lambda: {"ema": Call(torch._utils._rebuild_parameter, state=attack)},
        "in a storage": lambda: small(**{WEIGHT: view(storage(pickle.dumps(attack)))}),
        "in a saved storage": lambda: small(**{WEIGHT: view(storage(saved(attack, **legacy)))}),
        "in a zip": lambda: small(**{WEIGHT: view(storage(saved(attack)))}),
        "a zip": lambda: small(**{WEIGHT: view(storage(saved(torch.zeros(32))))}),
        "the real loader": lambda: {"ema": Call(torch.load, str(mark))},
        "another rebuild": lambda: {"ema": Call(torch._utils._rebuild_tensor, numbers, 0, (32,), (1,))},
        "words for numbers": lambda: small(**{WEIGHT: view(storage("words"))}),
        "no storage": lambda: small(**{WEIGHT: view(plain)}),
        "no arguments": lambda: small(**{WEIGHT: Call(torch._utils._rebuild_tensor_v2)}),
        "not a tensor": lambda: small(**{WEIGHT: Call(torch._utils._rebuild_parameter, [1.0] * 32, False, {})}),
        "beyond": lambda: small(**{WEIGHT: view(numbers, offset=1)}),
        "far beyond": lambda: small(**{WEIGHT: view(numbers, stride=(2**61,))}),
        "before": lambda: small(**{WEIGHT: view(numbers, offset=-4)}),
        "backwards": lambda: small(**{WEIGHT: view(numbers, offset=31, stride=(-1,))}),
        "giant": lambda: small(**{WEIGHT: view(one, size=(2**20, 2**20), stride=(0, 0))}),
        "odd size": lambda: small(**{WEIGHT: view(numbers, size=(32, 1))}),
        "huge storage": lambda: small(**{WEIGHT: view(storage(plain.replace(b"K\x20N", b"J\0\0\0\x7fN")))}),
        "huge in a storage": lambda: small(**{WEIGHT: view(storage(giant))}),
        "cut storage": lambda: small(**{WEIGHT: view(storage(plain[:-1]))}),
        "empty storage": lambda: small(**{WEIGHT: view(storage(b""))}),
        "numpy object": lambda: {"ema": Call(np.dtype, "O8")},
        "circle": lambda: within(circle()),
        "laughing list": lambda: {"ema": Persistent("EDMPrecond", _init_kwargs={"C": doubling(lambda a: [a, a], [1])})},
        "laughing layers": lambda: within(doubling(lambda layer: container(a=layer, b=layer), container())),
        "positional": lambda: {"ema": Persistent("EDMPrecond", _init_args=(32, 3), _init_kwargs={})},
        "no class": lambda: {"ema": Persistent(["EDMPrecond"], _init_kwargs={})},
        "no network": lambda: {"ema": Persistent("EDMPrecond", _init_kwargs={})},
        "no averages": lambda: {"net": 1},
        "list": lambda: [1],
        "state of a class": names + b"torch._utils\n_rebuild_tensor_v2\n}X\x08\x00\x00\x00__init__K\x01sbs.",
        "slots of a class": names + b"collections\nOrderedDict\nN}X\x05\x00\x00\x00clearK\x01s\x86bs.",
        "old call": b"\x80\x02(S" + repr(command).encode() + b"\nios\nsystem\n.",
        "object": b"\x80\x02(cos\nsystem\nX" + struct.pack("<I", len(command)) + command.encode() + b"o.",
        "extension 1": b"\x80\x02\x82\x01.",
        "extension 2": b"\x80\x02\x83\x01\x00.",
        "extension 4": b"\x80\x02\x84\x01\x00\x00\x00.",
        "persistent": b"\x80\x02Pfile\n.",
        "persistent object": b"\x80\x02K\x01Q.",
        "memo": b"\x80\x02Nr\xff\xff\xff\x7f.",
        "integer": b"\x80\x02\x8b\xff\xff\xff\x7f.",
        "bytes": b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b".",
        "frame": b"\x80\x04\x95" + struct.pack("<Q", 2**62) + b"N.",
        "nest": b"\x80\x02}" + b"(" + b"N" + b"\x85" * 200_000 + b"Nu.",
        "deep lists": b"\x80\x02" + b"]" * 200_000 + b"a" * 199_999 + b".",
        "no end": b"\x80\x04N",
        "line": b"\x80\x04cos\n",
        "empty": b"",
        "a word": b"hello",
        "a page": b"<!DOCTYPE html><html>",
        "compressed": gzip.compress(pickle.dumps(1)),
        "saved by torch": saved({"a": torch.zeros(2)}),
        "saved long ago": saved({"a": torch.zeros(2)}, **legacy),
        "safetensors": safetensors.torch.save({"a": torch.zeros(2)}),
    }


@pytest.mark.parametrize("kind", hostile("x"))
def test_a_hostile_file_is_refused_and_runs_nothing(tmp_path, kind):
    path = written(tmp_path, hostile(tmp_path / "ran")[kind])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refuse(path)
    assert not (tmp_path / "ran").exists()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB


def test_a_hostile_file_leaves_nothing_behind(tmp_path):
    files = hostile(tmp_path / "ran")
    for kind in ("state of a class", "slots of a class", "as a state"):
        refuse(written(tmp_path, files[kind]))
    assert convert(written(tmp_path, small))[0].network.channels == 8


def test_source_code_in_a_file_is_never_run(tmp_path):
    source = f"open({str(tmp_path / 'ran')!r}, 'w').close()"

    def sourced():
        content = small()
        content["ema"].meta["module_src"] = content["loss_fn"].meta["module_src"] = source
        return content

    path = written(tmp_path, sourced)
    convert(path)
    assert not (tmp_path / "ran").exists()
    with modules(), pytest.raises(SystemExit):  # by the source of its layers, which come first
        pickle.loads(path.read_bytes())


def test_the_same_file_would_run_its_program_elsewhere(tmp_path):
    pickle.loads(pickled(hostile(tmp_path / "ran")["os.system"]))
    assert (tmp_path / "ran").exists()


def test_cut_and_damaged_files_are_refused_or_read(tmp_path):
    whole, chance = pickled(small), random.Random(0)
    for length in (1, 2, 11, 100, len(whole) // 2, len(whole) - 1):
        refuse(written(tmp_path, whole[:length]))
    refused = 0
    for _ in range(60):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 16)):
            damaged[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        path = written(tmp_path, bytes(damaged))
        try:
            convert(path)
        except ValueError as error:
            refused += 1
            assert str(error).startswith(f"{path} cannot be converted: ")
    assert 5 < refused < 60
