"""What guides an experiment, by its name: a worse model, an unconditional one, or a classifier of noisy samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from edm.base.errors import Refused
from edm.experiments import classifiers, models
from edm.sampling.guidance import GUIDANCES

if TYPE_CHECKING:
    from edm.experiments.classifiers import Guide
    from edm.experiments.model import Model
    from edm.sampling.guidance.settings import Guiding


class Unfit(Refused):
    """The guide is none for this model; the sentence says why, after its name."""


def check(settings: Guiding, model: Model) -> None:
    """Raises Refused, with what is wrong with `guide`, or the whole guidance, for that model. Loads nothing."""
    if settings.guidance != "none":
        found(settings, model)


def found(settings: Guiding, model: Model) -> Callable[[], Any] | None:
    """Of settings with guidance: what loads the guide, as `edm.guidance` takes it; None: there is none."""
    entry = GUIDANCES[settings.guidance]
    if entry.takes == "classifier":
        if not settings.guidance_told and not model.unconditional:
            raise Refused(
                f"with guidance_told = no needs {model.name} without a class, but it always had one in its training "
                "(label_dropout = 0): let it be told"
            )
        return _classifier(settings.guide, model)
    if entry.classes and not model.classes:
        raise Refused(
            f"leads to a class, and the model {model.name} knows none: choose a model with classes, auto, or a "
            "classifier, which knows them"
        )
    if entry.needs:
        guide = _model(settings.guide) if settings.guide else default(model)
        _same(guide, model)
        return lambda: guide.denoiser
    if settings.guide is None:
        if not model.unconditional:
            raise Refused(
                f"needs {model.name} without a class, but it always had one in its training (label_dropout = 0): "
                "name an unconditional model as guide"
            )
        return None
    guide = _model(settings.guide)
    _fits(guide, model)
    if not guide.unconditional:
        raise Unfit("always had a class in its training, so that it is no model without one")
    return lambda: guide.denoiser


def teller(settings: Guiding, model: Model) -> Model | Guide:
    """Whose classes samples are led to, and named by: the model's own, or where that knows none, of a classifier that
    guides it."""
    if model.classes or GUIDANCES[settings.guidance].takes != "classifier":
        return model
    return named(settings, model) or model


def named(settings: Guiding, model: Model) -> Model | Guide | None:
    """The model or classifier that guides: the one that is named, or taken where none is; None: there is none, or the
    model itself."""
    entry = GUIDANCES[settings.guidance]
    if entry.takes == "classifier":
        exact = _source(settings.guide, model)
        return exact if exact is not None else classifiers.guide_of(model, settings.guide)
    if settings.guide:
        return _model(settings.guide)
    return default(model) if entry.needs else None


def default(model: Model) -> Model:
    """The guide that autoguidance takes where none is named: of the model's own run, the checkpoint that saw least."""
    images = model.header.images if model.header else 0
    before = [other for other in models.every() if other.trained and other.family == model.family]
    before = [other for other in before if other.header and other.header.images < images]
    if not before:
        raise Refused(
            f"needs a guide, a worse model of the same data, and of {model.name} there is no earlier checkpoint: name "
            "one as guide"
        )
    return min(before, key=lambda other: other.header.images if other.header else 0)


def _model(name) -> Model:
    try:
        return models.load(name)
    except Refused as error:
        raise Unfit(str(error)) from None


def _same(guide, model):
    if guide.name == model.name:
        raise Unfit("is the model itself, which leads away from nothing; choose a worse one")
    _fits(guide, model)
    if guide.classes != model.classes:
        raise Unfit(f"knows {guide.classes} classes, the model {model.classes}, and both are told of the same")


def _fits(guide, model):
    if guide.shape != model.shape:
        shapes = (" × ".join(map(str, shape)) for shape in (guide.shape, model.shape))
        raise Unfit("makes samples of {}, the model of {}".format(*shapes))


def _classifier(name, model) -> Callable[[], Any]:
    """log p(c | x; σ): the exact posterior of a labelled distribution, or a classifier's."""
    source = _source(name, model)
    if source is None:
        try:
            guide = classifiers.guide_of(model, name)
        except Refused as error:
            raise (Unfit if name else Refused)(str(error)) from None
        return lambda: guide.classifier
    if source.shape != model.shape or (model.classes and source.classes != model.classes):
        raise Unfit("is for other classes, or other samples, than those of the model")
    return lambda: source.denoiser.log_class_probability


def _source(name, model) -> Model | None:
    """The exact model whose posterior guides: the one of that name, or where none is named, of the model's own data if
    there is no classifier of them; None: a classifier does."""
    found = model
    if name:
        found = models.load(name) if models.known(name) else None
    elif model.trained:
        found = models.exact(model.dataset) if model.dataset and classifiers.default(model) is None else None
        if found is not None and (found.shape != model.shape or model.class_names not in ((), found.class_names)):
            found = None
    return found if found is not None and not found.trained and found.classes else None
