"""Networks as sampling calls them, beside the commit before and beside plain ones that compute the same."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from edm import networks
from tests.benchmarks.plain import plain, side_by_side
from tests.benchmarks.sides import sides
from tests.benchmarks.table import Row

SIZES = {"channels": 32, "channel_mult": (1, 2, 2), "blocks": 1, "attention": (16, 8)}
WIDER = {**SIZES, "channels": 64}
NETWORKS = {"DDPM++, 1.3 M": ("ddpmpp", SIZES), "DDPM++, 5 M": ("ddpmpp", WIDER), "ADM": ("adm", WIDER)}
SHIPPED = "scenes_edm", "digits_edm"  # so small that to begin an operation is much of what it takes
ASKED, NOT_SLOWER = 1.35, 1


def devices() -> list[str]:
    return ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


def beside_plain(name, sizes, batch=16):
    torch.manual_seed(0)
    network = networks.build(name, in_channels=3, resolution=32, classes=10, **sizes)
    other = plain(network)
    x, c_noise, labels = torch.randn(batch, 3, 32, 32), torch.zeros(batch), torch.arange(batch) % 10
    with torch.no_grad():
        torch.testing.assert_close(network(x, c_noise, labels), other(x, c_noise, labels), rtol=1e-3, atol=1e-4)
        return side_by_side(lambda: network(x, c_noise, labels), lambda: other(x, c_noise, labels))


def rows(options, tree: Path | None):
    with sides(tree) as both:
        for device in devices():
            for title, (kind, sizes) in NETWORKS.items():
                shape = {"kind": kind, "sizes": sizes}
                yield from both.rows("network", f"{title}, 16 of 32×32", shape, device, asked_of(device, ASKED))
            for model in SHIPPED:
                arguments = {"model": model, "device": device, "precision": "fp32"}  # which is what they are drawn in
                what = f"16 {model}, 5 evaluations, {device}, fp32: before / now"
                yield both.compare("images", arguments).row(what, NOT_SLOWER)
    torch.set_num_threads(os.cpu_count() or 1)
    for title, (kind, sizes) in NETWORKS.items():
        ratios, ours, other = beside_plain(kind, sizes)
        yield Row(f"{title}, 16 of 32×32 ({other:.0f} ms when plain): plain / ours", ours, ratios=ratios, more=True)


def asked_of(device: str, ratio: float) -> float:
    """On a GPU, that it has not become slower: what is asked there, `tests.trials gpu` measures."""
    return ratio if device == "cpu" else NOT_SLOWER
