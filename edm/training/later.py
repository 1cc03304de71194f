"""Numbers that lie on a device until somebody asks for them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch


class Later:
    """The numbers in a tensor, as they are now.

    On a GPU whoever reads it waits for the work before it, and not for what has been given to the GPU since.
    """

    def __init__(self, value: torch.Tensor):
        self._value, self._done = value, None
        if value.device.type == "cuda":
            self._done: Any = torch.cuda.Event()
            self._done.record(torch.cuda.current_stream(value.device))

    def wait(self) -> None:
        """Until a GPU has come this far; on other devices not at all."""
        if self._done is not None:
            self._done.synchronize()

    def read(self) -> Any:
        """A float, or a list of them."""
        if self._done is None:
            return self._value.cpu().tolist()
        stream = _reading(self._value.device)
        stream.wait_event(self._done)
        with torch.cuda.stream(stream):
            return self._value.cpu().tolist()


@lru_cache(maxsize=64)
def _reading(device):
    """A stream of its own for what is read: what is copied there does not queue up behind the next step."""
    return torch.cuda.Stream(device)
