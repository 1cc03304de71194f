"""Memory that a network has freed stays with the process, to be taken again.

What one operation of a network gives back, the next one takes. GNU's C library returns large blocks to the system in
between, which then fills each page with zeros anew: a fifth of the time of a small U-Net. It has limits for that, of
the whole process, which are raised here, unless the environment sets them. Other libraries are left as they are.
"""

from __future__ import annotations

import ctypes
import os
import sys
from functools import lru_cache

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # as GNU's malloc.h numbers them
_LARGEST = 32 << 20  # bytes of a block that can be kept; the library knows no higher limit
_KEPT = 1 << 30  # bytes that are kept, at most
_CHOSEN = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")


@lru_cache(maxsize=1)
def keep() -> bool:
    """From now on, in this process. Whether anything has been changed."""
    if not sys.platform.startswith("linux") or any(name in os.environ for name in _CHOSEN):
        return False
    change = getattr(ctypes.CDLL(None), "mallopt", None)
    return change is not None and bool(change(_MMAP_THRESHOLD, _LARGEST) and change(_TRIM_THRESHOLD, _KEPT))
