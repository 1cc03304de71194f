"""A denoiser that remembers: samplers which ask it the same thing get the same answer, computed once.

Settings that differ only below some noise level take the same steps down to it, from the same latents and with the
same noise. There is nothing to declare: the bytes of x and σ say whether it is the same question.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from functools import lru_cache
from hashlib import blake2b
from itertools import tee
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from edm.base.transfers import sent
from edm.sampling.denoisers import Around, At, Denoise, along
from edm.sampling.hearing import listening

if TYPE_CHECKING:
    from edm.base.protocols import PathLike
    from edm.base.types import Labels

_OVERHEAD = 500  # bytes of an entry besides its numbers


class Recent:
    """Values by key, the most recently used ones up to a sum of sizes."""

    def __init__(self, capacity: float):
        self.capacity, self.size = capacity, 0
        self._entries: OrderedDict = OrderedDict()

    def get(self, key: Hashable) -> Any:
        """The value, which becomes the most recent one; None if it is not there."""
        if key not in self._entries:
            return None
        self._entries.move_to_end(key)
        return self._entries[key][0]

    def put(self, key: Hashable, value: Any, size: int) -> None:
        """Keep a value that is not there yet; the least recent ones make room. One larger than all is not kept."""
        if size > self.capacity:
            return
        self._entries[key] = value, size
        self.size += size
        while self.size > self.capacity:
            self.size -= self._entries.popitem(last=False)[1][1]


class Shared(Around):
    """`denoiser` with a memory of `megabytes` for its results, by exact input: σ, labels, and the bytes of x.

    A result is bit for bit what the denoiser gave, in a tensor of its own. calls: how often it was asked;
    evaluations: how often it had to ask the denoiser. On a GPU inputs stay there, and are told apart by a digest of 128
    bits; the host waits for it only where it was asked before with this σ. With no megabytes nothing is remembered but
    what is computed `once`. A copy remembers nothing yet.
    """

    def __init__(self, denoiser: Denoise, megabytes: float = 256):
        super().__init__(denoiser)
        self._forget(megabytes * 1e6)

    def _forget(self, capacity):
        self._results = Recent(capacity)
        self._asked: set = set()  # what the host knows of questions on a GPU
        self._unread: list[tuple] = []  # results of theirs whose digest it has not read: (key, digest, result, size)
        self._once: dict[Hashable, tuple] = {}
        self.calls = self.evaluations = 0

    def __getstate__(self):
        fresh = Shared(self.inner, self._results.capacity / 1e6)
        return {**self.__dict__, **fresh.__dict__}

    def __call__(self, x: torch.Tensor, sigma: Any, labels: Labels = None) -> torch.Tensor:
        self.calls += 1
        if not self._results.capacity:
            self.evaluations += 1
            return super().__call__(x, sigma, labels)
        key, digest = _question(x, sigma, labels)
        unread = digest is not None and key not in self._asked
        if digest is not None and not unread:
            key = key, self._read(digest)
        known = None if unread else self._results.get(key)
        if known is not None:
            return known.clone()
        result = super().__call__(x, sigma, labels)
        self.evaluations += 1
        if isinstance(result, torch.Tensor):
            self._keep(key, digest if unread else None, result.detach().clone())
        return result

    def along(self, path: PathLike) -> At | None:
        """Of a denoiser that wants to know of a run's steps, nothing is remembered there: answers depend on them."""
        return along(self.inner, path)

    def listening(self, heard: dict[int, torch.Tensor]) -> Any:
        """Of one that is listened to nothing is remembered: what is heard is not a part of its answers."""
        return listening(self.inner, heard)

    def once(self, key: Hashable, given: tuple, make: Callable[[], Iterator]) -> Iterator:
        """The items of make(), each computed when it is first asked for: whoever asks with this key, and the very same
        objects `given`, gets those that there are. They must not be written into."""
        key = key, *map(id, given)
        known = self._once[key][1] if key in self._once else make()
        mine, further = tee(known)
        self._once[key] = given, further  # the objects are kept, or others would get their ids
        return mine

    def _keep(self, key, digest, result):
        size = entry_size(result.numel(), result.element_size())
        if digest is None:
            self._results.put(key, result, size)
        elif size <= self._results.capacity:
            self._asked.add(key)
            self._unread.append((key, digest, result, size))
            if sum(entry[-1] for entry in self._unread) > self._results.capacity:
                self._read(digest)

    def _read(self, digest) -> tuple:
        """The digest as numbers; those of all results that wait for theirs come with it."""
        *others, own = torch.stack([*(entry[1] for entry in self._unread), digest]).tolist()
        for numbers, (key, _, result, size) in zip(others, self._unread, strict=True):
            self._results.put((key, tuple(numbers)), result, size)
        self._unread = []
        return tuple(own)


def entry_size(numbers: int, bytes_each: int = 4) -> int:
    """What one result takes in the memory of `Shared`, in bytes."""
    return numbers * bytes_each + _OVERHEAD


def _question(*values) -> tuple[tuple, torch.Tensor | None]:
    """(a key that two questions share only if they are alike in every bit, and in how they lie in memory; a digest of
    what of them lies on a GPU, where the key does not tell of its bits)."""
    parts, there = [], []
    for value in values:
        if value is None or isinstance(value, int | float):
            parts.append((type(value), repr(value)))  # 0.0 == −0.0 == 0
            continue
        tensor = torch.as_tensor(value).detach()
        parts.append((tensor.dtype, tensor.device, tensor.shape, tensor.stride()))
        if tensor.device.type == "cpu":
            flat = tensor.reshape(-1)
            flat = flat.view(torch.uint8) if tensor.dtype is torch.bfloat16 else flat  # which NumPy does not know
            parts.append(blake2b(flat.numpy().data, digest_size=16).digest())
        else:
            there.append(tensor)
    return tuple(parts), _digest(there) if there else None


def _digest(tensors) -> torch.Tensor:
    """Two sums of all bits, in words of up to 32, times odd numbers drawn once, modulo 2⁶⁴: [2]. Tensors that differ
    share one by chance, of about 2⁻⁶⁶, or less."""
    words = [t.reshape(-1).view({1: torch.int8, 2: torch.int16}.get(t.element_size(), torch.int32)) for t in tensors]
    flat = torch.cat([part.long() for part in words])
    return (flat * _multipliers(len(flat), flat.device)).sum(1)


@lru_cache(maxsize=8)
def _multipliers(count, device) -> torch.Tensor:
    drawn = np.random.default_rng(0).integers(-(2**62), 2**62, (2, count))
    return sent(torch.from_numpy(2 * drawn + 1), device)
