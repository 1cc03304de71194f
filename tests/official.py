"""The small networks of tests/golden/networks.json, whose weights follow a rule, and checkpoints made of them."""

import json
import math
import pickle
import sys
import zlib
from collections import OrderedDict
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from edm import networks
from edm.files.convert import convert
from edm.networks import official

GOLDEN = json.loads((Path(__file__).parent / "golden" / "networks.json").read_text())
CLASSES = {"ddpmpp": "SongUNet", "ncsnpp": "SongUNet", "adm": "DhariwalUNet"}
SMALL = {"model_channels": 8}
C_NOISE = torch.tensor([-1.5, 0.25])


def shapes(kind) -> dict[str, list[int]]:
    """Of each parameter and buffer, by its published name."""
    return {**GOLDEN[kind]["parameters"], **GOLDEN[kind]["buffers"]}


def tensor(name, shape) -> torch.Tensor:
    """The values that the rule of the golden files gives."""
    if name.endswith("resample_filter"):
        row = torch.tensor([1.0, 1.0] if shape[-1] == 2 else [1.0, 3.0, 3.0, 1.0])
        return (row.outer(row) / row.sum() ** 2).expand(*shape).contiguous()
    values = np.sin(0.7 * np.arange(math.prod(shape)) + zlib.crc32(name.encode()) % 1000)
    if len(shape) > 1:
        values *= math.sqrt(2 / math.prod(shape[1:]))
    elif name.endswith("freqs"):
        values *= 4
    else:
        values = 1 + 0.1 * values if name.endswith(".weight") else 0.1 * values
    return torch.from_numpy(values.reshape(shape)).float()


def tensors(kind, **changes) -> dict[str, torch.Tensor]:
    """All of them. changes: of the arguments, from which other shapes follow."""
    name, config = official.configuration(CLASSES[kind], {**GOLDEN[kind]["config"], **changes})
    with torch.device("meta"):
        changed = networks.build(name, **config).state_dict()
    sizes = {name: changed.get(official.our_name(name)) for name in shapes(kind)}
    sizes = {name: shapes(kind)[name] if size is None else list(size.shape) for name, size in sizes.items()}
    return {name: tensor(name, size) for name, size in sizes.items()}


def inputs(kind):
    """(x, c_noise, labels, augment) of the golden outputs."""
    config = GOLDEN[kind]["config"]
    size, classes, parameters = config["img_resolution"], config["label_dim"], config["augment_dim"]
    x = torch.from_numpy(np.sin(0.37 * np.arange(6 * size * size)).reshape(2, 3, size, size)).float()
    labels = torch.tensor([1 % classes, 3 % classes]) if classes else None
    augment = torch.from_numpy(np.sin(np.arange(2 * parameters)).reshape(2, -1)).float() if parameters else None
    return x, C_NOISE, labels, augment


class Persistent:
    """An object of a class whose source code goes into the pickle with it."""

    def __init__(self, name, source="raise SystemExit", **state):
        self.meta = {"type": "class", "version": 6, "module_src": source, "class_name": name, "state": state}

    def __reduce__(self):
        return sys.modules["torch_utils.persistence"]._reconstruct_persistent_obj, (self.meta,)


class Call:
    """Pickled as a call, and a state for what it returns."""

    def __init__(self, function, *arguments, state=None):
        self.call = function, arguments, state

    def __reduce__(self):
        return self.call if self.call[2] is not None else self.call[:2]


TORCHS = {"enc": torch.nn.ModuleDict, "dec": torch.nn.ModuleDict, "output": torch.nn.Linear}  # layers of torch's own
TORCHS |= dict.fromkeys(("layers", "tower", "tower_1", "tower_2"), torch.nn.Sequential)


def layers(values: dict[str, torch.Tensor], name, **state):
    """A network's object with these tensors, in layers as their names say. name: of its class, or one of torch's."""
    parameters, buffers, inner = {}, {}, {}
    for path, value in values.items():
        head, _, rest = path.partition(".")
        if rest:
            inner.setdefault(head, {})[rest] = value
        elif head in ("resample_filter", "freqs", "u"):
            buffers[head] = value
        else:
            trained = isinstance(value, torch.Tensor) and value.is_floating_point()
            parameters[head] = torch.nn.Parameter(value) if trained else value
    modules = OrderedDict((key, layers(value, TORCHS.get(key, "Layer"))) for key, value in inner.items())
    state |= {"training": False, "_parameters": OrderedDict(parameters, absent=None), "_buffers": OrderedDict(buffers)}
    state |= {"_non_persistent_buffers_set": set(), "_forward_hooks": OrderedDict(), "_modules": modules}
    if isinstance(name, str):
        return Persistent(name, _init_args=(), _init_kwargs=state.pop("_init_kwargs", {}), **state)
    container = name.__new__(name)
    container.__dict__.update(state)
    return container


def checkpoint(wrapper, kind, values=None, network=None, buffers=None, **changes) -> dict:
    """What a published file holds, with changes of the wrapper's or the network's arguments.

    values: the network's tensors, instead of those that its arguments ask for. buffers: the wrapper's.
    """
    config = {**GOLDEN[kind]["config"], **(network or {})}
    values = tensors(kind, **config) if values is None else values
    outer = {"img_resolution": config["img_resolution"], "img_channels": config["in_channels"], "use_fp16": True}
    outer |= {"label_dim": config["label_dim"], "model_type": CLASSES[kind], **changes}
    ema = layers(buffers or {}, wrapper, _init_kwargs=outer)
    ema.meta["state"]["_modules"]["model"] = layers(values, CLASSES[kind], _init_kwargs=config)
    options = sys.modules["dnnlib.util"].EasyDict(resolution=16, use_labels=True, max_size=np.int64(7))
    return {"ema": ema, "loss_fn": Persistent("EDMLoss", P_mean=-1.2), "augment_pipe": None, "dataset_kwargs": options}


@contextmanager
def modules():
    """The names under which published files are pickled, for as long as one is made."""

    def _reconstruct_persistent_obj(meta):
        exec(meta["module_src"])  # as the original does

    class EasyDict(dict):
        pass

    places = {"torch_utils.persistence": _reconstruct_persistent_obj, "dnnlib.util": EasyDict}
    made = [name for place in places for name in (place.split(".")[0], place)]
    for name in made:
        sys.modules[name] = ModuleType(name)
    for place, item in places.items():
        item.__module__, item.__qualname__ = place, item.__name__
        setattr(sys.modules[place], item.__name__, item)
    try:
        yield
    finally:
        for name in made:
            del sys.modules[name]


def pickled(make, protocol=4) -> bytes:
    """The pickle of what `make()` returns."""
    with modules():
        return pickle.dumps(make(), protocol)


@cache
def small_tensors():
    return tensors("ddpmpp", **SMALL)


def small(**replaced) -> dict:
    """What a small published file holds, with some tensors replaced."""
    return checkpoint("EDMPrecond", "ddpmpp", {**small_tensors(), **replaced}, network=SMALL)


def written(folder, content, protocol=4) -> Path:
    """A file of these bytes, or of the pickle of what a function returns."""
    path = folder / "official.pkl"
    path.write_bytes(content if isinstance(content, bytes) else pickled(content, protocol))
    return path


def refuse(path, words=""):
    """It cannot be converted, says a sentence that names the file and has these words."""
    with pytest.raises(ValueError) as caught:
        convert(path)
    sentence = str(caught.value)
    assert sentence.startswith(f"{path} cannot be converted: ")
    assert words in sentence
    assert "\n" not in sentence
    assert 20 < len(sentence.removeprefix(str(path))) < 400
