"""What stands for Inception where its weights are not needed: five numbers of an image."""

import torch

from edm.evaluation.features import INCEPTION, Features

WIDTH, DIGEST = 5, "made"


def _numbers(images):
    seeds = torch.arange(1, WIDTH + 1, dtype=torch.float64)
    pixels = images.flatten(1).double() / 255
    return torch.stack([(pixels * torch.sin(seed * torch.arange(pixels.shape[1]))).sum(1) for seed in seeds], 1)


_STUB = Features(INCEPTION, _numbers, WIDTH, DIGEST)


def stub(path, device="cpu") -> Features:
    return _STUB
