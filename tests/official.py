"""The small networks of tests/golden/networks.json, whose weights follow a rule, and checkpoints made of them."""

import json
import math
import pickle
import sys
import zlib
from collections import OrderedDict
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import numpy as np
import torch

GOLDEN = json.loads((Path(__file__).parent / "golden" / "networks.json").read_text())
CLASSES = {"ddpmpp": "SongUNet", "ncsnpp": "SongUNet", "adm": "DhariwalUNet"}
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


def tensors(kind) -> dict[str, torch.Tensor]:
    return {name: tensor(name, shape) for name, shape in shapes(kind).items()}


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


def layers(values: dict[str, torch.Tensor], name, **state):
    """A network's object with these tensors, in layers as their names say."""
    parameters, buffers, inner = {}, {}, {}
    for path, value in values.items():
        head, _, rest = path.partition(".")
        if rest:
            inner.setdefault(head, {})[rest] = value
        elif head in ("resample_filter", "freqs", "u"):
            buffers[head] = value
        else:
            parameters[head] = torch.nn.Parameter(value)
    modules = OrderedDict((key, layers(value, "Container" if key in ("enc", "dec") else "Layer")) for key, value in inner.items())
    state |= {"training": False, "_parameters": OrderedDict(parameters, absent=None), "_buffers": OrderedDict(buffers)}
    state |= {"_non_persistent_buffers_set": set(), "_forward_hooks": OrderedDict(), "_modules": modules}
    if name != "Container":
        return Persistent(name, _init_args=(), _init_kwargs=state.pop("_init_kwargs", {}), **state)
    container = torch.nn.ModuleDict()
    container.__dict__.update(state)
    return container


def checkpoint(wrapper, kind, values=None, **changes) -> dict:
    """What a published file holds. changes: of the wrapper's or the network's arguments."""
    config, buffers = {**GOLDEN[kind]["config"], **changes.pop("network", {})}, changes.pop("buffers", {})
    values = tensors(kind) if values is None else values
    outer = {"img_resolution": config["img_resolution"], "img_channels": config["in_channels"], "use_fp16": True}
    outer |= {"label_dim": config["label_dim"], "model_type": CLASSES[kind], **changes}
    ema = layers(buffers, wrapper, _init_kwargs=outer)
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
    yield
    for name in made:
        del sys.modules[name]


def pickled(make, protocol=4) -> bytes:
    """The pickle of what `make()` returns."""
    with modules():
        return pickle.dumps(make(), protocol)
