"""Cascades: the samples of a base are the low-resolution images that an upsampler makes larger (arXiv 2106.15282).

Sample k of a cascade is sample k of its base, of the same class, made larger: latents, noise of the way and the noise
in the low-resolution image depend on (seed, k) only, in both stages. Both are sampled alike, but for N.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edm.base.errors import Refused
from edm.data.settings import data_learned
from edm.experiments import models, true_images
from edm.sampling.cascade import Cascade
from edm.sampling.path import path_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from edm.experiments.model import Model
    from edm.sampling.denoisers import Denoise


DATA = "data"  # in the place of a base: the low-resolution images of true images

# An experiment is an `edm.experiments.experiment.Experiment`, which asks this module itself.


def fitting(model: Model) -> list[Model]:
    """The trained models whose samples an upsampler can make larger: first those that have learned the same data."""
    shape = low_shape(model)
    found = [other for other in models.every() if other.trained and other.shape == shape]
    return sorted(found, key=lambda other: (_data(other) != _data(model), other.class_names != model.class_names))


def base_of(model: Model, name: str | None) -> Model:
    """The base of an upsampler: of that name, or the first that fits. Raises Refused where it does not fit, or none."""
    shape = low_shape(model)
    if name is None:
        found = fitting(model)
        if not found:
            raise Refused(
                f"{model.name} makes images of {_size(shape)} larger, and there is no model of those; name one"
            )
        return found[0]
    base = models.load(name)
    if base.shape != shape or base.low:
        known = ", ".join(repr(other.name) for other in fitting(model)) or "of which there is none"
        raise Refused(f"must be a model of {_size(shape)}, which {model.name} makes larger: {known}")
    return base


def low_shape(model: Model) -> tuple[int, int, int]:
    """Of the images that an upsampler makes larger."""
    low = model.low
    assert low is not None
    return (model.shape[0], low.resolution, low.resolution)


def _size(shape) -> str:
    return "×".join(map(str, shape))


def _data(model) -> Any:
    known = data_learned(model.header)
    return None if known is None else (known.dataset, known.path)


def base_experiment(experiment: Any, model: Model) -> Any:
    """What the base of a cascade samples: with the same seed, class and guidance, which is the base's alone."""
    base = base_of(model, experiment.cascade)
    alone = {"cascade": None, "cascade_noise": None, "cascade_steps": None}
    label = experiment.label if base.classes else None
    return experiment.changed(model=base.name, label=label, **alone)


def joined(upsampler: Denoise, base: Callable[[Any], Denoise], experiment: Any, model: Model) -> Cascade:
    """The two stages as the experiment asks for them. base: its experiment -> its denoiser."""
    assert model.low is not None
    first = true_images.of(model) if experiment.cascade == DATA else base(base_experiment(experiment, model))
    noise = model.low.usual if experiment.cascade_noise is None else experiment.cascade_noise
    return Cascade(upsampler, first, noise, experiment.cascade_steps)


def first(experiment: Any, cascade: Any) -> int:
    """The evaluations of a cascade's first stage."""
    if cascade.known:
        return 0
    return path_of(cascade.base_sampling(experiment.sampling), cascade.base).evaluations


def told(experiment: Any, model: Model, cascade: Any) -> str:
    """What a cascade evaluates, in a sentence."""
    then = path_of(experiment.sampling, cascade).evaluations
    if cascade.known:
        return (
            f"Made larger: true images that were held out, in {_size(low_shape(model))}, by {then} evaluations of "
            f"{model.name}; they get noise of σ_c = {cascade.sigma_c:g}"
        )
    base = base_of(model, experiment.cascade)
    return (
        f"A cascade: {first(experiment, cascade)} evaluations of {base.name} at {_size(base.shape)}, then {then} of "
        f"{model.name}, whose low-resolution images get noise of σ_c = {cascade.sigma_c:g}"
    )
