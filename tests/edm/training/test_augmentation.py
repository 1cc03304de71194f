"""Non-leaky augmentation: what the network is told is what was done, and nothing is done untold."""

import numpy as np
import pytest
import torch

from edm.base import streams
from edm.training.augmentation import Augmentation

IMAGES = torch.from_numpy(np.random.default_rng(0).uniform(-1, 1, (400, 3, 8, 8))).float()
IDLE = torch.full((1, Augmentation.width), 0.999, dtype=torch.float64)  # nothing is chosen, no flip


def drawn(count, p=0.12):
    return Augmentation(p)(IMAGES[:count], streams.uniforms(0, 1, range(count), Augmentation.width))


def chosen(**places):
    """One draw in which only the named numbers are special."""
    u = IDLE.clone()
    for name, value in places.items():
        u[0, int(name[1:])] = value
    return u


def test_untold_is_untouched_and_touched_is_told():
    """The data that the network sees under the condition 0 are the data: bit by bit, not only on average."""
    images, condition = drawn(400)
    idle = (condition == 0).all(1)
    assert 0.1 < float(idle.float().mean()) < 0.5
    assert torch.equal(images[idle], IMAGES[idle])
    changed = (images != IMAGES).flatten(1).any(1)
    assert (changed <= ~idle).all()
    assert changed[~idle].all()


def test_nine_numbers_shares_as_asked_and_independent_of_the_image():
    _, condition = Augmentation(0.3)(
        IMAGES[:1].expand(4000, -1, -1, -1), streams.uniforms(2, 1, range(4000), Augmentation.width)
    )
    assert condition.shape == (4000, 9)
    told = condition.double()
    assert float((told[:, 0] != 0).double().mean()) == pytest.approx(0.5, abs=0.03)  # x-flip: half of all
    for columns in ([1], [2], [3, 4], [5, 6], [7, 8]):
        assert float((told[:, columns] != 0).any(1).double().mean()) == pytest.approx(0.3, abs=0.03)
    rotated = told[:, 4] != 0
    assert ((told[rotated, 3] + 1) ** 2 + told[rotated, 4] ** 2).sub(1).abs().max() < 1e-5  # cos² + sin² = 1
    assert float(told[told[:, 2] != 0, 2].std()) == pytest.approx(1, abs=0.06)


def test_flips_are_exact_and_told():
    for number, axis, column in (("u0", 3, 0), ("u1", 2, 1)):
        images, condition = Augmentation(0.1)(IMAGES[:1], chosen(**{number: 0.01}))
        assert torch.equal(images, IMAGES[:1].flip(axis))
        assert condition[0].nonzero().flatten().tolist() == [column]


def smooth():
    """A soft blob right of and above the centre, on 32×32."""
    axis = (torch.arange(32) + 0.5) / 16 - 1
    return torch.exp(-((axis[None, :] - 0.4) ** 2 + (axis[:, None] + 0.2) ** 2) / 0.05)[None, None]


def centre(image):
    """(x, y) of the mass, in [−1, 1], y downwards; and its spread."""
    axis = (torch.arange(32) + 0.5) / 16 - 1
    mass = image[0, 0] / image.sum()
    x, y = float((mass.sum(0) * axis).sum()), float((mass.sum(1) * axis).sum())
    spread = float((mass * ((axis[None] - x) ** 2 + (axis[:, None] - y) ** 2)).sum()) ** 0.5
    return x, y, spread


def test_each_transformation_does_what_its_numbers_say():
    x0, y0, spread = centre(smooth())
    half = 0.05
    turned, told = Augmentation(0.1)(smooth(), chosen(u3=half, u7=0.75))  # θ = π/2
    assert told[0, 3:5].tolist() == pytest.approx([-1, 1], abs=1e-6)
    x, y, _ = centre(turned)
    assert (x, y) == pytest.approx((-y0, x0), abs=0.03)
    larger, told = Augmentation(0.1)(smooth(), chosen(u2=half, u6=0.8413447))  # n = 1
    assert float(told[0, 2]) == pytest.approx(1, abs=1e-5)
    assert centre(larger)[2] == pytest.approx(spread * 2**0.2, rel=0.03)
    moved, told = Augmentation(0.1)(smooth(), chosen(u5=half, u10=0.1586553, u11=0.5))  # n_x = −1
    assert told[0, 7:].tolist() == pytest.approx([-1, 0], abs=1e-5)
    x, y, _ = centre(moved)
    assert (x - x0, y - y0) == pytest.approx((-0.25, 0), abs=0.03)  # 0.125 of a size of 2
    stretched, told = Augmentation(0.1)(smooth(), chosen(u4=half, u8=0.8413447, u9=0.5))  # along x
    assert told[0, 5:7].tolist() == pytest.approx([1, 0], abs=1e-5)
    assert centre(stretched)[0] == pytest.approx(x0 * 2**0.2, abs=0.03)
    assert centre(stretched)[1] == pytest.approx(y0, abs=0.03)


def test_a_trained_network_does_not_leak():
    """Images that are dark on the left: after training with flips, samples under the condition 0 are never flipped."""
    from edm import networks
    from edm.objective import Design
    from edm.preconditioning import EDM, Denoiser
    from edm.training.loss import Loss

    torch.manual_seed(0)
    network = networks.build("ddpmpp", in_channels=1, resolution=4, channels=16, channel_mult=(1,), blocks=1,
                             attention=(), augment_dim=9).train()  # fmt: skip
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    ramp = torch.linspace(-1, 1, 4).expand(1, 4, 4)
    loss = Loss(Design(sigma_data=0.75, augment=0.0), 0, 0.75, Augmentation(0.0))  # only x-flip, of every second
    denoiser = Denoiser(network, EDM(0.75), (1, 4, 4))
    for step in range(120):
        y = ramp + 0.1 * streams.normals(0, 9, range(64 * step, 64 * step + 64), (1, 4, 4)).float()
        optimizer.zero_grad()
        loss(denoiser, y, None, np.arange(64 * step, 64 * step + 64)).mean().backward()
        optimizer.step()
    network.eval()
    import edm

    samples = edm.last(edm.sample(denoiser, edm.latents(range(64), (1, 4, 4)), edm.Sampling(steps=12))).x
    slope = samples[:, 0, :, 2:].mean((1, 2)) - samples[:, 0, :, :2].mean((1, 2))
    assert (slope > 0.5).all()

    def mirrored(x, sigma, labels=None):
        return denoiser(x, sigma, labels, torch.eye(9)[:1].expand(len(x), 9))

    flipped = edm.last(edm.sample(mirrored, edm.latents(range(64), (1, 4, 4)), edm.Sampling(steps=12))).x
    assert (flipped[:, 0, :, 2:].mean((1, 2)) - flipped[:, 0, :, :2].mean((1, 2)) < -0.5).all()
