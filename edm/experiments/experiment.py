"""What to sample, and how: the document behind a picture.

One document serves as preset file, URL, command line, and the metadata of what is saved. It is an
`Experiment` (what to sample, of which model), whose `sampling` is a `Sampling` (how).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, model_validator
from pydantic_core import PydanticCustomError

from edm.base.errors import Refused
from edm.base.fields import Number, Whole, knob, refusal
from edm.classifier import NO_DENOISER
from edm.data import classes
from edm.experiments import cascades, classifiers, guides, models
from edm.sampling.guidance import GUIDANCES
from edm.sampling.guidance.settings import Guiding
from edm.sampling.settings import MAX_STEPS, Sampling

MAX_SAMPLES = 4096
MAX_DRAWN = 1000

NONE = "none"  # of a class, unless one is called so: of a network, told of no class
_OPEN = ("", "auto")  # likewise: not said
EACH = "each"  # likewise: all classes, by turns


def _label(value):
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | str | None):
        raise PydanticCustomError("label", "Input should be the name of a class")
    return value


Label = Annotated[int | str | None, BeforeValidator(_label)]


class Experiment(Guiding):
    """What to sample, and how: the document behind a picture."""

    model: str = knob(
        "eight_gaussians", "model", "What is sampled: the exact denoiser of a distribution, or a trained one"
    )
    count: Whole | None = knob(
        None, "samples", "How many samples to draw", slider=(1, 1000), step=1, ge=1, le=MAX_SAMPLES
    )
    label: Label = knob(
        None,
        "class",
        "Class to sample, by its name, where the model knows classes; of classes whose names are no numbers also by "
        "number, from 0; each, or left out of a network: one after the other; none: without a class, which a network "
        "must have been in part of its training",
    )
    points: tuple[tuple[Number, Number], ...] | None = knob(
        None, "points", f"A distribution of your own, for the model 'drawn': up to {MAX_DRAWN} points (x, y)"
    )
    cascade: str | None = knob(
        None,
        "base",
        "Of a model that makes images larger: the model whose samples these are; data: none, these are true images, "
        "made small; none: the first that fits",
    )
    cascade_noise: Number | None = knob(
        None,
        "σ<sub>c</sub>",
        "Of such a model: the noise in its low-resolution images, so that it need not believe their details; none: a "
        "third of the most that it was trained with",
        slider=(0, 1),
        step=0.01,
        ge=0,
        le=10,
    )
    cascade_steps: Whole | None = knob(
        None,
        "base's N",
        "Of such a model: the number of steps of its base; none: as many",
        slider=(2, 40),
        step=1,
        ge=1,
        le=MAX_STEPS,
    )
    sampling: Sampling = Sampling()

    def _settle_cascade(self, model) -> models.Model:
        """What is said of a cascade is said of a model that is one, and its base fits. What is guided: the base."""
        if model.low is None:
            for name in ("cascade", "cascade_noise", "cascade_steps"):
                if getattr(self, name) is not None:
                    raise refusal(name, getattr(self, name), f"must be none: {self.model} makes no images larger")
            return model
        if self.cascade == cascades.DATA:
            if self.guidance != "none":
                raise refusal("guidance", self.guidance, "leads the base of a cascade, and with cascade = data is none")
            return model
        try:
            return cascades.base_of(model, self.cascade)
        except Refused as error:
            raise refusal("cascade", self.cascade or "none", str(error)) from None

    @property
    def solvable(self) -> bool:
        """Whether finer steps come nearer to one solution: as of its guidance, and not of a cascade, of which finer
        steps also change what its second stage begins with."""
        return super().solvable and models.load(self.model).low is None

    @property
    def exponent(self) -> float | None:
        """See `Guiding`; one less where a classifier leads D without a class."""
        found, alone = super().exponent, GUIDANCES[self.guidance].takes == "classifier"
        if found is None or not alone or (self.guidance_told and models.of(self).classes):
            return found
        return found - 1

    def _settle_label(self, model) -> None:
        """However the class was written, it is written as its name."""
        teller = guides.teller(self, model)
        if self._says(teller, *_OPEN) or (self._says(teller, NONE) and not (model.trained and model.classes)):
            object.__setattr__(self, "label", None)
        if self._says(teller, NONE):
            if not model.unconditional:
                reason = "this model always had a class in its training (label_dropout = 0), so that it needs one"
                raise refusal("label", self.label, reason)
            object.__setattr__(self, "label", NONE)
        elif self.by_turns(model):
            object.__setattr__(self, "label", None if model.trained else EACH)
        elif self.label is not None:
            try:
                number = teller.class_of(self.label)
            except Refused as error:
                raise refusal("label", self.label, str(error)) from None
            object.__setattr__(self, "label", classes.written(teller.class_names[number]))

    def by_turns(self, model: models.Model) -> bool:
        """Whether it asks for all classes of its model by turns; a network, which has to be told of one, does so."""
        teller = guides.teller(self, model)
        return self._says(teller, EACH) and bool(teller.classes)

    def without_class(self, model: models.Model) -> bool:
        """Whether it asks a network for samples of no class."""
        return self._says(model, NONE) and model.trained and bool(model.classes)

    def _says(self, model: models.Model | classifiers.Guide, *words: str) -> bool:
        """Whether one of these words is said of the class, which is none's name."""
        return isinstance(self.label, str) and self.label.lower() in words and self.label not in model.class_names

    def _check_guidance(self, model) -> None:
        if self.clip and len(model.shape) != 3:
            raise refusal("clip", self.clip, f"is for images, which lie within −1 and 1; {model.name} makes points")
        try:
            guides.check(self, model)
        except guides.Unfit as error:
            raise refusal("guide", self.guide, str(error)) from None
        except Refused as error:
            raise refusal("guidance", self.guidance, str(error)) from None
        teller = guides.teller(self, model)
        if GUIDANCES[self.guidance].classes and model.trained and self._says(teller, NONE):
            raise refusal("label", self.label, f"the guidance {self.guidance} leads to a class: choose one, or each")

    @model_validator(mode="after")
    def _consistent(self):
        if not models.known(self.model):
            if classifiers.known(self.model):
                raise refusal("model", self.model, NO_DENOISER.format("is a classifier"))
            allowed = ", ".join(f"'{model.name}'" for model in (*models.every(), *models.upsamplers()))
            raise refusal("model", self.model, f"must be one of {allowed}")
        model = models.load(self.model)
        self._check_guidance(self._settle_cascade(model))
        self._settle_label(model)
        if (self.points is not None) != (self.model == "drawn"):
            raise refusal("points", self.points and "given", "must be given for the model 'drawn', and only for it")
        if self.points is not None:
            if not 1 <= len(self.points) <= MAX_DRAWN:
                raise refusal("points", f"{len(self.points)} points", f"must be 1 to {MAX_DRAWN} points")
            for i, point in enumerate(self.points):
                if max(map(abs, point)) > 10:
                    raise refusal(f"points[{i}]", point, "must lie within -10 and 10")
        return self
