"""A made driver: what the package pynvml would answer on a machine with such GPUs."""

from types import SimpleNamespace

GIB = 2**30


class NVMLError(Exception):
    pass


class Nvml:
    """cards: a document each, of its name, uuid, memory and processes (pid -> bytes). begun: how often it is in use."""

    NVMLError = NVMLError

    def __init__(self, *cards, broken=()):
        self.cards, self.broken, self.begun, self.most = list(cards), set(broken), 0, 0

    def __getattr__(self, name):
        if name in self.broken or "all" in self.broken:
            raise NVMLError(f"{name}: Driver/library version mismatch")
        raise AttributeError(name)

    def nvmlInit(self):
        if "nvmlInit" in self.broken:
            raise NVMLError("Driver Not Loaded")
        self.begun += 1
        self.most = max(self.most, self.begun)

    def nvmlShutdown(self):
        self.begun -= 1

    def nvmlDeviceGetCount(self):
        return len(self.cards)

    def nvmlDeviceGetHandleByIndex(self, k):
        return self.cards[k]

    def nvmlDeviceGetHandleByUUID(self, uuid):
        return next(card for card in self.cards if uuid in card.get("parts", ()))

    def nvmlDeviceGetUUID(self, card):
        return self._told(card, "uuid").encode()

    def nvmlDeviceGetName(self, card):
        return self._told(card, "name")

    def nvmlDeviceGetMemoryInfo(self, card):
        return SimpleNamespace(total=self._told(card, "total"), free=self._told(card, "free"), used=0)

    def nvmlDeviceGetUtilizationRates(self, card):
        return SimpleNamespace(gpu=self._told(card, "busy"), memory=0)

    def nvmlDeviceGetComputeRunningProcesses(self, card):
        held = self._told(card, "processes")
        return [SimpleNamespace(pid=pid, usedGpuMemory=bytes) for pid, bytes in held.items()]

    def nvmlDeviceGetGraphicsRunningProcesses(self, card):
        return []

    def _told(self, card, what):
        if what not in card:
            raise NVMLError("Not Supported")
        return card[what]


def h100(k, free=80, busy=0, **processes):
    """A card of 80 GiB. free: GiB; busy: per cent; p17=5: process 17 has 5 GiB of it."""
    held = {int(name[1:]): size * GIB for name, size in processes.items()}
    told = {
        "name": "NVIDIA H100 80GB HBM3",
        "uuid": f"GPU-{k}{k}{k}{k}-h100",
        "total": 80 * GIB,
        "free": int(free * GIB),
    }
    return {**told, "busy": busy, "processes": held}
