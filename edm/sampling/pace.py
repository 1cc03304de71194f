"""How far the host may run ahead of a GPU.

A GPU is given its work long before it does it, so that it never stands still. But what it has been given is done,
wanted or not: a picture that a newer one has overtaken ends once the GPU has done all that is ahead.
"""

from __future__ import annotations

from collections import deque

import torch

EVERY, BEHIND = 4, 2  # evaluations between two marks, and how many marks the GPU may not have passed yet


class Pace:
    """Of one run: `keep(device)` before each evaluation. On CUDA the host waits there for the GPU, where that is
    EVERY·BEHIND evaluations behind, or more; elsewhere it never does."""

    def __init__(self) -> None:
        self._asked = 0
        self._marks: deque = deque()

    def keep(self, device: torch.device) -> None:
        if device.type != "cuda":
            return
        if self._asked and self._asked % EVERY == 0:
            mark = torch.cuda.Event(blocking=True)  # while the host waits, its core is free for others
            mark.record(torch.cuda.current_stream(device))
            self._marks.append(mark)
        self._asked += 1
        if len(self._marks) > BEHIND:
            self._marks.popleft().synchronize()
