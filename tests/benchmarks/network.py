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
ASKED = 1.35
BOUNDS = {"fp32": 1e-4, "bf16": 0.05}  # of the largest number: what the two sides may be apart


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
                for precision, bound in BOUNDS.items():
                    shape = {"kind": kind, "sizes": sizes, "precision": precision, "device": device}
                    found = both.compare("network", shape, tolerance=bound)
                    yield found.row(f"{title}, 16 of 32×32, {precision}, {device}: before / now", _asked(device))
            for model in ("digits_edm", "scenes_edm"):
                found = both.compare("images", {"model": model, "precision": "fp32", "device": device})
                yield found.row(f"16 of {model}, 5 evaluations, fp32, {device}: before / now")
    torch.set_num_threads(os.cpu_count() or 1)
    for title, (kind, sizes) in NETWORKS.items():
        ratios, ours, other = beside_plain(kind, sizes)
        yield Row(f"{title}, 16 of 32×32 ({other:.0f} ms when plain): plain / ours", ours, ratios=ratios, more=True)


def _asked(device):
    """On a GPU, that it has not become slower: what is asked there, `tests.trials gpu` measures."""
    return ASKED if device == "cpu" else 1
