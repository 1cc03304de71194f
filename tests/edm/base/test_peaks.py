"""A GPU is known by what its driver calls it, or a person."""

import pytest

from edm.base import peaks
from edm.base.errors import Refused


@pytest.mark.parametrize(
    ("name", "found", "gigabytes"),
    [
        ("NVIDIA H100 80GB HBM3", "H100", 80),
        ("NVIDIA H100 PCIe", "H100 PCIe", 80),
        ("Tesla V100-SXM2-16GB", "V100", 16),
        ("Tesla V100-SXM2-32GB", "V100 32GB", 32),
        ("NVIDIA A100-SXM4-40GB", "A100", 40),
        ("NVIDIA A100 80GB PCIe", "A100 80GB", 80),
        ("NVIDIA A10G", "A10G", 24),
        ("NVIDIA GeForce RTX 4090", "RTX 4090", 24),
        ("v100 32 GB", "V100 32GB", 32),
        ("a100-80gb", "A100 80GB", 80),
    ],
)
def test_a_card_is_found_by_the_words_of_its_name(name, found, gigabytes):
    peak = peaks.peak_of(name)
    assert peak == peaks.named(name) == peaks.PEAKS[found]
    assert peak.memory == gigabytes * 2**30


@pytest.mark.parametrize("name", ["NVIDIA Quadro P400", "", "100", "GPU"])
def test_an_unknown_card_is_not_taken_for_another(name):
    assert peaks.peak_of(name) is None
    with pytest.raises(Refused, match="is not known here; known are P100, V100"):
        peaks.named(name)


@pytest.mark.parametrize("peak", peaks.PEAKS.values(), ids=lambda peak: peak.name)
def test_less_precision_is_never_slower(peak):
    exact = peak.speed("fp32", tf32=False)
    assert exact == peak.fp32 <= peak.speed("fp32") <= peak.speed("bf16") == peak.speed("fp16", tf32=False)
    assert peak.tf32 is None or peak.bf16, "both came with one generation"
    assert 1e11 < peak.bandwidth < 1e13
