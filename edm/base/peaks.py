"""What GPUs can do, by name, as their makers say: for estimates, and for what share of it a run gets.

Operations a second are those of dense matrices, with sums in float32.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from edm.base.errors import Refused, shown


@dataclass(frozen=True)
class Peak:
    """name: as in PEAKS. memory: bytes. fp32, tf32, half: operations a second, without tensor cores, in TF32 and in
    16 bits; tf32 is None where there is no such thing. bandwidth: bytes/s of its memory. bf16: whether it has that."""

    name: str
    memory: int
    fp32: float
    tf32: float | None
    half: float
    bandwidth: float
    bf16: bool = True

    def speed(self, precision: str = "fp32", tf32: bool = True) -> float:
        """Operations a second of a training's precision."""
        return self.half if precision in ("bf16", "fp16") else self.tf32 or self.fp32 if tf32 else self.fp32


def _peak(name, gigabytes, fp32, tf32, half, bandwidth, bf16=True) -> Peak:
    tensor = None if tf32 is None else tf32 * 1e12
    return Peak(name, gigabytes << 30, fp32 * 1e12, tensor, half * 1e12, bandwidth * 1e9, bf16)


# Names are words of what the driver calls a card; of several that fit, the one with most words counts.
PEAKS = {
    peak.name: peak
    for peak in (
        # GB, then TFLOP/s in FP32, TF32 and 16 bits, then GB/s
        _peak("P100", 16, 9.5, None, 19, 732, bf16=False),
        _peak("V100", 16, 15.7, None, 125, 900, bf16=False),
        _peak("V100 32GB", 32, 15.7, None, 125, 900, bf16=False),
        _peak("T4", 16, 8.1, None, 65, 320, bf16=False),
        _peak("A100", 40, 19.5, 156, 312, 1555),
        _peak("A100 80GB", 80, 19.5, 156, 312, 2039),
        _peak("A10", 24, 31.2, 62.5, 125, 600),
        _peak("A10G", 24, 31.2, 35, 70, 600),
        _peak("A40", 48, 37.4, 74.8, 150, 696),
        _peak("L4", 24, 30.3, 60, 121, 300),
        _peak("L40", 48, 90.5, 90.5, 181, 864),
        _peak("L40S", 48, 91.6, 183, 362, 864),
        _peak("H100", 80, 67, 495, 989, 3350),
        _peak("H100 PCIe", 80, 51, 378, 756, 2000),
        _peak("H100 NVL", 94, 60, 418, 835, 3900),
        _peak("H200", 141, 67, 495, 989, 4800),
        _peak("B200", 180, 75, 1100, 2250, 7700),
        _peak("RTX A6000", 48, 38.7, 77.4, 155, 768),
        _peak("RTX 2080 Ti", 11, 13.4, None, 54, 616, bf16=False),
        _peak("RTX 3080", 10, 29.8, 29.8, 59.5, 760),
        _peak("RTX 3090", 24, 35.6, 35.6, 71, 936),
        _peak("RTX 4080", 16, 48.7, 48.7, 97.5, 717),
        _peak("RTX 4090", 24, 82.6, 82.6, 165, 1008),
        _peak("RTX 5090", 32, 104.8, 104.8, 209.5, 1792),
    )
}


def peak_of(card: str) -> Peak | None:
    """That of a card by its driver's name, such as "NVIDIA A100-SXM4-80GB"; None where it is not known."""
    words = _words(card)
    fitting = [peak for peak in PEAKS.values() if _words(peak.name) <= words]
    return max(fitting, key=lambda peak: len(_words(peak.name)), default=None)


def named(card: str) -> Peak:
    """The same of a card that somebody names. Raises Refused for one that is not known."""
    if (peak := peak_of(card)) is None:
        raise Refused(f"card {shown(card)} is not known here; known are {', '.join(PEAKS)}")
    return peak


def _words(name) -> set[str]:
    return set(re.findall(r"[a-z0-9]+", re.sub(r"(\d) (gi?b)\b", r"\1\2", name.lower()).replace("gib", "gb")))
