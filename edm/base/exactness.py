"""float32 that is float32. On NVIDIA GPUs torch rounds what convolutions multiply to TF32, of 10 bits, unless it is
told not to.

Torch has one switch for the whole process. Whoever samples, measures or evaluates holds `exact`, a training step that
may round holds `tf32`; where threads hold both at once, nothing is rounded. Once nobody holds either, the switch is
where it was found. Matrix products are exact unless `torch.set_float32_matmul_precision` says otherwise.
"""

from __future__ import annotations

import threading
from typing import Any

import torch

EXACT, TF32 = "ieee", "tf32"


class Held:
    """A context that may be entered in any thread, any number of times at once."""

    def __init__(self, what: str):
        self._what = what

    def __enter__(self) -> None:
        _hold(self._what, 1)

    def __exit__(self, *error: object) -> None:
        _hold(self._what, -1)


def exact() -> Held:
    """While this lasts, convolutions of float32 are computed in float32."""
    return Held(EXACT)


def tf32(wanted: bool = True) -> Held:
    """While this lasts, convolutions of float32 may round to TF32 where the GPU has it; not `wanted`: they must not."""
    return Held(TF32 if wanted else EXACT)


_lock = threading.Lock()
_holding = {EXACT: 0, TF32: 0}
_found: list[str] = []  # where the switch was before anybody held anything
# Torch refuses to say what `allow_tf32` is while the two differ.
_switches: Any = (torch.backends.cudnn.conv, torch.backends.cudnn.rnn)  # pyright: ignore[reportAttributeAccessIssue]


def _hold(what, change):
    with _lock:
        if not any(_holding.values()):
            _found[:] = [_switches[0].fp32_precision]
        _holding[what] += change
        position = next((kind for kind, held in _holding.items() if held), *_found)
        for switch in _switches:
            if switch.fp32_precision != position:
                switch.fp32_precision = position
