"""Fine solutions that races share."""

from __future__ import annotations

from edm import diagnostics


class References:
    """Fine solutions by (lane, seed, σ_0), as `diagnostics.race` asks for them: one for all lanes, and all races, with
    the same model and start."""

    def __init__(self, learned, count, context, steps=diagnostics.REFERENCE_STEPS):
        self._learned, self._about = learned, (context.place(next(iter(learned.values()))), count, steps)
        self._remember, self._held = context.work.remember, {}

    def __contains__(self, key):
        return "x" in self._shared(key)

    def __getitem__(self, key):
        return self._shared(key)["x"]

    def __setitem__(self, key, x):
        self._shared(key)["x"] = x

    def _shared(self, key) -> dict:
        """Where the solution is, or comes to be; held while the race runs, whatever is forgotten meanwhile."""
        lane, seed, start = key
        name = "solution", *self._about, self._learned[lane].identity, seed, f"{start:.12g}"
        if name not in self._held:
            self._held[name] = self._remember(name, dict)
        return self._held[name]
