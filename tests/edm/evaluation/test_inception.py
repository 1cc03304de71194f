"""Inception as the usual FID takes it: with made weights it computes what torch-fidelity's network computes."""

import pickle

import pytest
import torch
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x

from edm.evaluation import inception, weights
from tests import official


def made():
    """Weights in torchvision's names, seeded, that keep the size of what flows; γ = 1, as in the paper's file."""
    generator, values = torch.Generator().manual_seed(0), {}
    for convolution in inception.Inception().convolutions():
        kernel, gamma, beta, mean, variance = convolution.names(published=False)
        shape = convolution.weight.shape
        values[kernel] = torch.empty(shape).normal_(0, (2 / shape[1:].numel()) ** 0.5, generator=generator)
        values[gamma] = torch.ones(len(values[kernel]))
        values[beta], values[mean] = torch.empty(2, shape[0]).uniform_(-0.2, 0.2, generator=generator)
        values[variance] = torch.empty(shape[0]).uniform_(0.8, 1.3, generator=generator)
    return {name: value.half() for name, value in values.items()}


def published(values):
    """The same in the names of the paper's file, and its last layer."""
    found = {"output.weight": torch.zeros(1008, 2048), "output.bias": torch.zeros(1008)}
    for convolution in inception.Inception().convolutions():
        own = [name for name in convolution.names(published=False) if not name.endswith("bn.weight")]
        found |= dict(zip(convolution.names(published=True), (values[name] for name in own), strict=True))
    return found


@pytest.fixture(scope="module")
def values():
    return made()


@pytest.fixture(scope="module")
def file(values, tmp_path_factory):
    """A file as torch-fidelity's, whose γ is not 1."""
    path = tmp_path_factory.mktemp("weights") / "weights-inception.pth"
    more = {"fc.weight": torch.zeros(1008, 2048).half(), "fc.bias": torch.zeros(1008)}
    counted = {name.replace("running_var", "num_batches_tracked"): torch.tensor(1) for name in values}
    counted = {name: value for name, value in counted.items() if name.endswith("tracked")}
    gammas = {name: torch.linspace(0.9, 1.2, len(value)) for name, value in values.items() if "bn.weight" in name}
    torch.save({**values, **gammas, **more, **counted}, path)
    return path


def test_the_features_are_torch_fidelitys(file):
    theirs = FeatureExtractorInceptionV3("of a file", ["2048"], feature_extractor_weights_path=str(file))
    ours, _ = weights.read(file)
    grey = torch.randint(0, 256, (1, 1, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        features, expected = ours(grey), theirs(grey.expand(-1, 3, -1, -1))[0]
    assert features.dtype == torch.float32
    assert 0.1 < float(expected.std()) < 10
    torch.testing.assert_close(features, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("size", [(32, 32), (64, 64), (17, 300), (299, 299), (512, 1)])
def test_images_are_stretched_as_tensorflow_1_did(size):
    images = torch.randint(0, 256, (2, 3, *size), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    expected = interpolate_bilinear_2d_like_tensorflow1x(images.float(), size=(299, 299), align_corners=False)
    torch.testing.assert_close(inception.stretched(images), expected, rtol=0, atol=2e-5)


def test_the_papers_pickle_is_read_as_data(values, tmp_path):
    """The same numbers as from a file of tensors; the source code in it, which would end the program, does not run."""
    path = official.written(tmp_path, lambda: official.layers(published(values), "InceptionV3", training=False))
    torch.save(values, tmp_path / "tensors.pth")
    network, digest = weights.read(path)
    assert digest == weights.read(tmp_path / "tensors.pth")[1]
    first = next(network.convolutions())
    weight, variance = values["Conv2d_1a_3x3.conv.weight"].double(), values["Conv2d_1a_3x3.bn.running_var"].double()
    scale = (variance + inception.EPSILON).rsqrt()[:, None, None, None]
    torch.testing.assert_close(first.weight.double(), weight * scale, rtol=1e-6, atol=0)


def test_a_pickle_of_torchs_own_layers_is_read_too(values, tmp_path):
    """With counts of batches, which are whole numbers, and layers without numbers."""
    values = {name: value[(0,) * value.ndim].clone() for name, value in values.items()}  # small in a file
    counted = {name.replace("running_var", "num_batches_tracked"): torch.tensor(7) for name in values if "_var" in name}
    kinds = {"conv": torch.nn.Conv2d, "bn": torch.nn.BatchNorm2d, "pool": torch.nn.AvgPool2d}

    def made():
        root = official.layers({**values, **counted}, "InceptionV3")
        state = root.meta["state"]["_modules"]
        state["pool"] = official.layers({}, kinds["pool"])
        for convolution in (state["Conv2d_1a_3x3"], state["Mixed_5b"].meta["state"]["_modules"]["branch1x1"]):
            inner = convolution.meta["state"]["_modules"]
            inner.update({name: official.layers(dict(numbers(inner[name])), kinds[name]) for name in ("conv", "bn")})
        return root

    path = official.written(tmp_path, made)
    with pytest.raises(
        ValueError, match=r"its Conv2d_1a_3x3.conv.weight has shape \[\], where \[32, 3, 3, 3\] belongs"
    ):
        weights.read(path)


def numbers(layer):
    state = layer.meta["state"]
    yield from ((name, value) for name, value in state["_parameters"].items() if value is not None)


class Program:
    def __reduce__(self):
        return eval, ("1/0",)


def test_a_file_that_is_not_inceptions_is_refused_with_what_is_wrong(values, tmp_path):
    path = tmp_path / "weights.pth"
    values = {name: torch.ones(1).expand(value.shape) for name, value in values.items()}  # small in a file
    block = "Mixed_7c.branch_pool.bn.running_var"
    less = {name: value for name, value in values.items() if name != block}
    short, sunken = values[block][:-1], values[block] - 9
    for changed, words in (
        (less, "it has 469 of 470 tensors; Mixed_7c.branch_pool.bn.running_var is missing"),
        ({}, "it has 0 of 470 tensors; Conv2d_1a_3x3.conv.weight and 469 more"),
        ({**values, block: short}, r"has shape \[191\], where \[192\] belongs"),
        ({**values, block: values[block] * torch.nan}, "running_var holds NaN"),
        ({**values, block: sunken}, "negative variances"),
        ({**values, "fc.weight": torch.zeros(1000, 2048)}, "1000 classes apart, as torchvision's"),
        ([1, 2], "not a dictionary of tensors"),
        ({"a": Program()}, "holds more than tensors"),
    ):
        torch.save(changed, path)
        with pytest.raises(ValueError, match=f"is not the Inception of FID: .*{words}.*; it must be") as caught:
            weights.read(path)
        assert "weights.pth" in str(caught.value)
    path.write_bytes(pickle.dumps(Program()))
    with pytest.raises(ValueError, match=r"it calls 'builtins.eval'|it calls '__builtin__"):
        weights.read(path)
    path.write_bytes(b"PK\3\4 no zip file")
    with pytest.raises(ValueError, match="damaged"):
        weights.read(path)
    with pytest.raises(FileNotFoundError, match=r"weights-inception-2015-12-05-6726825d.pth"):
        weights.read(tmp_path / "nowhere.pkl")
    with pytest.raises(ValueError, match="download the file"):
        weights.read("https://example.org/inception-2015-12-05.pkl")
