"""Training an upsampler: by the same loop, with low-resolution images whose noise is a function of the image."""

import numpy as np
import pytest
import torch

import edm
from edm.base.errors import Refused
from edm.objective import Design
from edm.preconditioning import EDM
from edm.sampling.upsampling import Low, Upsampler, lowered
from edm.training.loop import Checkpoint, train
from edm.training.loss import Loss, low_drawn
from edm.training.recording import checkpoints, record
from tests.edm.runs import tiny
from tests.edm.training.test_loop import run, same

LOW = Low(resolution=4, noise=0.3, sigma_data=0.5)


class Seen:
    """A network that notes what it sees and is told."""

    def __call__(self, x, c_noise, **told):
        self.x, self.told = x, told
        return torch.zeros_like(x[:, :1])


def asked(indices):
    """(what the network saw beside x, what it was told of σ_c) for these images of a run."""
    network, y = Seen(), torch.linspace(-1, 1, 64).view(1, 1, 8, 8).expand(len(indices), -1, -1, -1)
    Loss(Design(), 0, 0.5)(Upsampler(network, LOW, EDM(0.5), (1, 8, 8)), y, None, np.array(indices))
    return network.x[:, 1:], network.told["level"]


def upsampling(**changes):
    return tiny(data={"low_resolution": 4}, images=64, tick=64, checkpoint=32, **changes)


def test_the_noise_of_a_low_resolution_image_is_a_function_of_its_number():
    together, alone = asked([3, 4, 5]), asked([4])
    torch.testing.assert_close(together[0][1], alone[0][0])
    assert together[1][1] == alone[1][0]
    assert together[1].unique().numel() == 3


def test_sigma_c_is_spread_evenly_from_0_to_the_most():
    drawn = low_drawn(LOW, 0, range(2000), 1)
    assert drawn["low_sigma"].min() < 0.001
    assert 0.299 < drawn["low_sigma"].max() <= 0.3
    assert drawn["low_sigma"].mean() == pytest.approx(0.15, abs=0.005)
    assert drawn["low_noise"].std() == pytest.approx(1, abs=0.01)


def test_an_upsampler_goes_on_bit_for_bit_where_it_stopped_and_is_sampled_from_its_file(tmp_path):
    losses, whole, _ = run(upsampling())
    stopped = train(upsampling())
    for event in record(stopped, tmp_path):
        if isinstance(event, Checkpoint):
            stopped.close()
            break
    rest, resumed, _ = run(upsampling(), resume=checkpoints(tmp_path)[-1])
    assert rest == losses[2:]
    assert same(whole, resumed)
    loaded = edm.load(checkpoints(tmp_path)[-1])
    assert loaded.low.resolution == 4
    assert (
        loaded.given(torch.zeros(2, 1, 4, 4), 0.1)(torch.zeros(2, 1, 8, 8), 1.0, torch.tensor([0, 1])).isfinite().all()
    )
    with pytest.raises(Refused, match="another"):
        train(tiny(images=64), resume=checkpoints(tmp_path)[-1])


def test_low_resolution_images_have_fewer_pixels_that_divide_the_others():
    for size in (8, 3):
        with pytest.raises(Refused, match="low_resolution"):
            train(tiny(data={"low_resolution": size}))
    with pytest.raises(Refused, match="points"):
        train(
            tiny(
                data={"dataset": "two_moons", "low_resolution": 4},
                architecture={"network": "mlp"},
                design={"augment": 0},
            )
        )


def test_scenes_of_16_pixels_are_the_means_of_those_of_32():
    from edm.data import scenes

    large, labels = scenes.Scenes(2).read(range(5))
    small, same_labels = scenes.Scenes(2, 16).read(range(5))
    assert torch.equal(labels, same_labels)
    assert (small.float() - lowered(large.float(), 16)).abs().max() <= 0.5
    assert scenes.Scenes(resolution=64).read([0])[0].shape == (1, 3, 64, 64)
    with pytest.raises(Refused, match="use 4, 8 or 16"):
        scenes.Scenes(resolution=20)
