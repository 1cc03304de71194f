"""Guidance by a classifier: whose gradient, of what, and what is refused."""

import math

import pytest
import torch

import edm
from edm import guidance
from edm.exact import GaussianMixture, PointSet
from tests.problems import latents

KNOWS = GaussianMixture([[-0.9, 0.2], [0.7, -0.5], [0.3, 0.9]], 0.3, None, [0, 1, 0])
SAYS = GaussianMixture([[-0.9, 0.2], [0.7, -0.5], [0.3, 0.9]], 0.3)
X, CLASSES = latents(4), [0, 1, 1, 0]


def linear(x, sigma):
    """log p of two classes that are as likely, with gradients that are the same everywhere."""
    lean = (x * torch.tensor([[1.0, -2.0]], dtype=x.dtype)).cumsum(1)
    return lean - lean.detach() - math.log(2)


def test_the_gradient_is_of_the_sample_s_own_class_and_grows_with_the_variance():
    guided = guidance.classifier(SAYS, linear, 2.0)
    gradient = torch.tensor([[1.0, 0.0], [1.0, -2.0], [1.0, -2.0], [1.0, 0.0]], dtype=torch.float64)
    for sigma in (0.3, torch.tensor([0.1, 0.5, 2.0, 9.0], dtype=torch.float64), torch.tensor(0.7)):
        variance = torch.as_tensor(sigma, dtype=torch.float64).view(-1, 1) ** 2
        torch.testing.assert_close(guided(X, sigma, CLASSES), SAYS(X, sigma) + 2 * variance * gradient)


def test_it_is_found_where_gradients_are_off_and_leaves_none_behind():
    guided, asked = guidance.classifier(SAYS, lambda x, s: KNOWS.log_class_probability(x, s), 2.0), X.clone()
    expected = guided(asked, 0.5, CLASSES)
    for off in (torch.no_grad, torch.inference_mode):
        with off():
            found = guided(asked, 0.5, CLASSES)
        assert torch.equal(found, expected) and not found.requires_grad
    assert not asked.requires_grad and asked.grad is None


def test_half_precision_states_have_a_gradient_in_float32():
    seen = []

    def watched(x, sigma):
        seen.append(x.dtype)
        return linear(x, sigma)

    found = guidance.classifier(lambda x, sigma: x, watched, 1.0)(X.bfloat16(), 0.5, CLASSES)
    assert (seen, found.dtype) == ([torch.float32], torch.bfloat16)


def test_at_weight_0_and_outside_of_the_interval_the_classifier_is_not_asked():
    def never(x, sigma):
        raise AssertionError("it was asked")

    assert torch.equal(guidance.classifier(SAYS, never, 0.0)(X, 0.5, CLASSES), SAYS(X, 0.5))
    assert torch.equal(guidance.classifier(SAYS, never, 3.0, (1.0, 2.0))(X, 0.5, CLASSES), SAYS(X, 0.5))


def test_labels_are_passed_on_only_to_a_denoiser_that_knows_classes():
    told = []

    def denoiser(x, sigma, labels=None):
        told.append(labels)
        return x

    guidance.classifier(denoiser, linear, 1.0)(X, 0.5, CLASSES)
    assert told[0].tolist() == CLASSES
    assert torch.equal(guidance.classifier(SAYS, linear, 0.0)(X, 0.5, CLASSES), SAYS(X, 0.5))
    assert torch.equal(guidance.classifier(KNOWS, linear, 0.0)(X, 0.5, CLASSES), KNOWS(X, 0.5, CLASSES))
    assert guidance.classifier(SAYS, KNOWS.log_class_probability, 1.0).classes == 2


def test_points_that_are_labelled_are_a_classifier_and_patches_are_none():
    points = PointSet(torch.rand(6, 1, 8, 8), [0, 1, 0, 1, 0, 1])
    x, labels = torch.rand(2, 1, 8, 8), [0, 1]
    guided = guidance.classifier(PointSet(torch.rand(6, 1, 8, 8)), points.log_class_probability, 1.0)
    assert guided(x, 0.5, labels).isfinite().all()
    patches = PointSet(torch.rand(6, 1, 8, 8), [0, 1, 0, 1, 0, 1], patch=3)
    with pytest.raises(edm.Refused, match="no density"):
        guidance.classifier(patches, patches.log_class_probability, 1.0)(x, 0.5, labels)


BAD = {
    "finite": lambda x, s: linear(x, s) * float("nan"),
    "no gradient": lambda x, s: linear(x, s).detach(),
    "differentiated": lambda x, s: torch.ones(4, 2, requires_grad=True).log_softmax(1),
    "sum to 0.25, not to 1": lambda x, s: linear(x, s) * 3,
    "nor p": lambda x, s: linear(x, s).exp(),
    r"\[4, C\]": lambda x, s: linear(x, s)[:, 0],
    r"\[2, 2\] for 4": lambda x, s: linear(x, s)[:2],
    "ndarray": lambda x, s: linear(x, s).detach().numpy(),
    "knows 1 classes": lambda x, s: linear(x, s)[:, :1],
}


@pytest.mark.parametrize("words", BAD)
def test_what_is_no_classifier_is_refused_in_a_sentence(words):
    with pytest.raises(edm.Refused, match=words):
        guidance.classifier(SAYS, BAD[words], 1.0)(X, 0.5, CLASSES)


@pytest.mark.parametrize("labels", [None, [0, 1], [0, 1, 1, -1], [0, 1, 1, 2], [0.0, 1.0, 1.0, 0.0]], ids=str)
def test_labels_that_are_none_of_its_classes_are_refused(labels):
    with pytest.raises(edm.Refused, match="labels"):
        guidance.classifier(SAYS, KNOWS.log_class_probability, 1.0)(X, 0.5, labels)


def test_a_classifier_of_other_samples_is_refused_at_once():
    with pytest.raises(edm.Refused, match="shape"):
        guidance.classifier(SAYS, PointSet([[0.0], [1.0]], [0, 1]).log_class_probability, 1.0)
    with pytest.raises(edm.Refused, match="log_probability"):
        guidance.classifier(SAYS, 3, 1.0)
