"""Signs of life of workers of which nobody here can know whether they live: those on other machines."""

from __future__ import annotations

import json
import threading
import time

from edm.runs.clocks import uptime

LEASE = 30.0  # seconds for which a worker may write after a sign of life (see edm.runs.lease)
CACHE = 60.0  # seconds for which a machine may see files as they were (NFS's default)
SLACK = 30.0  # seconds that a write which has begun in time may take
SILENCE = LEASE + CACHE + SLACK  # after which, without a sign of life, a worker on another machine counts as gone
_REMEMBERED = 1000  # workers


class Ear:
    """Hears whether workers give signs of life. Clocks of two machines may differ by hours, so that only at first
    theirs is compared with ours; from then on it counts when the sign has changed. Thread-safe."""

    def __init__(self):
        self._lock, self._last = threading.Lock(), {}

    def hears(self, handle: dict, heartbeat: float | None) -> bool:
        """Whether the worker of a handle counts as alive, whose last sign of life (time.time()) is this."""
        if heartbeat is None:
            return False
        worker = json.dumps(handle, sort_keys=True)
        with self._lock:
            known, when, changed = self._last.get(worker, (None, 0.0, 0.0))
            if known is None:
                when, changed = uptime() - min(abs(time.time() - heartbeat), SILENCE), uptime()
                if len(self._last) >= _REMEMBERED:
                    self._last.clear()
            elif known != heartbeat:
                when = changed = uptime()
            self._last[worker] = heartbeat, when, changed
            return uptime() - when < SILENCE

    def silence(self, handle: dict) -> float:
        """Seconds for which this process itself has seen no new sign of life; no clock but its own tells that."""
        worker = json.dumps(handle, sort_keys=True)
        with self._lock:
            return uptime() - self._last[worker][2] if worker in self._last else 0.0


EAR = Ear()
