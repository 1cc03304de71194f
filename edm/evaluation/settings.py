"""How samples are compared with data, as validated data: what a command, a file or a task says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import model_validator

from edm.base.fields import Place, SettingsError, Whole, knob, refusal
from edm.data import sources
from edm.data.settings import Data
from edm.experiments.experiment import Experiment
from edm.sampling.guidance import GUIDANCES
from edm.sampling.guidance.settings import Guiding
from edm.sampling.settings import Sampling

COUNT = 2000
MANY = 1_000_000


@dataclass(frozen=True)
class Protocol:
    """How many samples, how often, and against how many of the data; None: all of a finite set, at most 10 000.

    Repeat r draws the samples k = r·count … (r + 1)·count − 1; the least of their distances is the one that counts.
    """

    name: str
    title: str
    count: int = COUNT
    repeats: int = 1
    reference: int | None = None


PROTOCOLS = {
    one.name: one
    for one in (
        Protocol("plain", "One set of samples"),
        Protocol("paper", "The paper's: 50,000 samples, three times, and the least", 50_000, 3, MANY),
    )
}


class Evaluation(Guiding):
    """The evaluation: with what the model is compared, how much of it, and how its samples are guided."""

    dataset: str | None = knob(None, "dataset", "What to compare with; none: what the model has learned")
    path: Place = knob(None, "path", "Where that data lies, if not where it lay in training")
    count: Whole | None = knob(
        None, "samples", f"How many samples to draw; none: {COUNT}, or as the protocol says", ge=5, le=MANY
    )
    reference: Whole | None = knob(
        None, "reference", "How many of the data; none: all of a finite set, at most 10000", ge=5, le=MANY
    )
    inception: Place = knob(
        None, "Inception", "File of Inception's weights, for FID: the paper's .pkl, or torch-fidelity's .pth"
    )
    reference_stats: Place = knob(
        None,
        "statistics",
        "The data's statistics: a .npz with mu and sigma, as published, or a folder or zip of images",
    )
    protocol: str = knob(
        "plain", "protocol", "paper: 50000 samples three times against all data, and the least", choices=PROTOCOLS
    )
    sampling: Sampling = Sampling()

    @model_validator(mode="after")
    def _consistent(self):
        for name in ("inception", "reference_stats"):
            if getattr(self, name) == "":
                raise refusal(name, "", "must name a file")
        if self.dataset is not None:
            Data(dataset=self.dataset, path=self.path)
        return self

    def experiment(self, model: str) -> Experiment:
        """Of which the samples are drawn. Raises SettingsError for a guidance that the model cannot have."""
        guidance = {name: getattr(self, name) for name in Guiding.model_fields}
        check_alone(self.guidance)
        return Experiment(model=model, sampling=self.sampling, **guidance)

    def data(self, learned: Data | None) -> Data | None:
        """What to compare with: the data that are named, or those that the model has `learned`; None: statistics alone.

        Raises SettingsError where it is not known, or not where it lies.
        """
        if self.dataset is not None:
            return Data(dataset=self.dataset, path=self.path)
        if learned is not None and self.path is not None:
            return learned.changed(path=self.path)
        placed = learned is None or learned.path is None or Path(learned.path).is_absolute()
        if self.reference_stats is not None and self.inception is not None and (learned is None or not _there(learned)):
            return None
        if learned is None:
            raise SettingsError("the model does not say what it has learned; name it with --dataset", ("dataset",))
        if not placed:
            raise SettingsError(
                f"the model has learned {learned.path!r}, but does not know where it lies; say so with --path",
                ("path",),
            )
        return learned


def check_alone(guidance: str) -> None:
    """Raises SettingsError for a guidance whose samples are not measured: they depend on each other."""
    if GUIDANCES[guidance].population:
        said = f"guidance = {guidance!r} is not measured here: its samples are one population, not independent"
        raise SettingsError(said, ("guidance",))


def _there(data) -> bool:
    """Whether the data can be read here."""
    try:
        sources.open_source(data)
    except (ValueError, OSError):
        return False
    return True
