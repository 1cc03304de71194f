"""From an `Experiment` to states: the one path that page, command line and copied scripts take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch

from edm.base import devices
from edm.base.errors import Refused
from edm.base.transfers import sent
from edm.data.classes import turns
from edm.experiments import cascades, guides, models
from edm.experiments.experiment import Experiment
from edm.sampling.clipping import Clipped
from edm.sampling.denoisers import on
from edm.sampling.guidance import GUIDANCES
from edm.sampling.guidance.tilted import tilted, tilted_path
from edm.sampling.loop import State, sample
from edm.sampling.noise import latents, seeds
from edm.sampling.path import path_of

if TYPE_CHECKING:
    from edm.base.types import Device
    from edm.experiments.classifiers import Guide
    from edm.sampling.denoisers import Denoise
    from edm.sampling.path import Path


def count(experiment: Experiment, model: models.Model | None = None) -> int:
    """How many samples the experiment draws: its own count, or the default of its model. model: that one, if known."""
    return experiment.count or (model or models.of(experiment)).count


STAYS = "exact toy models are computed on the CPU, where they are quicker"
_FEW = 1 << 21  # products of an evaluation that a CPU is done with before a GPU has begun its 65 operations


def place(model: models.Model, device: Device = "auto", count: int | None = None) -> torch.device:
    """The device on which a model is computed: one that is named; "auto": where it is quickest on this machine.

    count: of samples at once; None: the model's own. Raises Refused for a device that is not there.
    """
    if device == "auto":
        return quickest(model, devices.device(), count)
    return devices.device(device) if isinstance(device, str) else device


def quickest(model: models.Model, device: torch.device | str, count: int | None = None) -> torch.device:
    """Where a model is computed by who may use `device`: there, or on the CPU, if it is the exact denoiser of so few
    points that a GPU would take longer to begin with all its operations."""
    small = not model.trained and len(model.shape) == 1
    if small and (count or model.count) * model.denoiser.means.numel() <= _FEW:
        return torch.device("cpu")
    return devices.device(device) if isinstance(device, str) else device


def start(
    experiment: Experiment,
    device: Device = "cpu",
    numbers: range | None = None,
    model: models.Model | None = None,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """(latents, labels or None) of the experiment. Without a label, a trained model's classes take turns.

    numbers: which samples these are, of as many as one likes; None: 0, 1, … as many as the experiment draws.
    model: the experiment's, where it has been looked up already.
    """
    model, seed = model or models.of(experiment), experiment.sampling.seed
    if numbers is None:
        z = _latents(seed, count(experiment, model), model.shape).clone()  # that is kept stays
    else:
        z = latents(seeds(seed, len(numbers), numbers.start), model.shape)
    device = place(model, device, len(z))
    labels = _labels(_classes(experiment, model), range(len(z)) if numbers is None else numbers)
    return sent(z, device), None if labels is None else sent(torch.tensor(labels), device)


def labels_of(
    experiment: Experiment, numbers: range | None = None, model: models.Model | None = None
) -> list[int] | None:
    """The class of each sample, as the network counts them; None where it is told of none. numbers, model: as in
    `start`."""
    model = model or models.of(experiment)
    return _labels(_classes(experiment, model), range(count(experiment, model)) if numbers is None else numbers)


def classes_of(experiment: Experiment, model: models.Model | None = None) -> tuple[int, ...]:
    """The classes that samples have by turns, as the network counts them: one, if it is asked for; (): none."""
    return _classes(experiment, model or models.of(experiment))


def parts_of(experiment: Experiment, model: models.Model | None = None) -> tuple[int, ...]:
    """The classes that samples have by turns, as the exact denoiser of their data (`Dataset.labelled`) counts them; ():
    samples are of all, or none of these is known. model: its own, if known."""
    model = model or models.of(experiment)
    dataset = model.dataset
    if dataset is None or dataset.labelled.labels is None:
        return ()
    names, own = guides.teller(experiment, model).class_names, dataset.class_names or dataset.parts or model.class_names
    asked = [names[k] for k in classes_of(experiment, model)]
    return tuple(own.index(name) for name in asked) if set(asked) <= set(own) else ()


def part_of(experiment: Experiment, model: models.Model | None = None) -> int | None:
    """The one class of `parts_of` that all samples are of, whose density is drawn behind them; None: that of all."""
    found = parts_of(experiment, model)
    return found[0] if len(found) == 1 else None


def together(experiment: Experiment) -> bool:
    """Whether its samples are drawn as one population, so that each depends on the others."""
    return GUIDANCES[experiment.guidance].population


def _classes(experiment, model) -> tuple[int, ...]:
    if experiment.without_class(model):
        return ()
    teller = guides.teller(experiment, model)
    if experiment.label is not None and not experiment.by_turns(model):
        return (teller.class_of(experiment.label),)
    asked = model.trained or experiment.label is not None or GUIDANCES[experiment.guidance].classes
    return teller.drawn if teller.classes and asked else ()


def _labels(taking, numbers) -> list[int] | None:
    return turns(taking, len(numbers), numbers.start) if taking else None


@lru_cache(maxsize=32)
def _latents(seed, number, shape):
    return latents(seeds(seed, number), shape)


def denoiser(
    experiment: Experiment,
    model: models.Model | None = None,
    device: Device = "cpu",
    wrap: Callable | None = None,
) -> Denoise:
    """The denoiser of the experiment there, with its guidance. model: its own, where it has been looked up already.

    wrap: put around each denoiser that is evaluated, the model's and that of a guide.
    """
    model = model or models.of(experiment)
    there = place(model, device, count(experiment, model))
    plain = _ready(model.denoiser, there, wrap, experiment.clip)
    if model.low is not None:  # of a cascade the base is guided
        return cascades.joined(plain, lambda base: denoiser(base, None, there, wrap), experiment, model)
    if experiment.guidance == "none":
        return plain
    entry, load = GUIDANCES[experiment.guidance], guides.found(experiment, model)
    leading = None if load is None else load()
    if leading is not None:
        leading = on(leading, there) if entry.takes == "classifier" else _ready(leading, there, wrap, experiment.clip)
    return entry(plain, experiment, leading)


def _ready(denoiser, device, wrap, clip) -> Denoise:
    moved = on(denoiser, device)
    made = wrap(moved) if wrap else moved
    return Clipped(made) if clip else made


def guide(experiment: Experiment, model: models.Model | None = None) -> models.Model | Guide | None:
    """The model or classifier that guides the experiment's; None where none other does. model: its own, if known."""
    if experiment.guidance == "none":
        return None
    model = model or models.of(experiment)
    return guides.named(experiment, model if model.low is None else cascades.base_of(model, experiment.cascade))


def used(experiment: Experiment, model: models.Model | None = None) -> list[models.Model | Guide]:
    """All whose files its samples depend on: its model, of a cascade its base, and what guides. model: its own, if
    known."""
    model = model or models.of(experiment)
    sampled = model.low is not None and experiment.cascade != cascades.DATA
    base = [cascades.base_of(model, experiment.cascade)] if sampled else []
    led = guide(experiment, model)
    return [model, *base, *([] if led is None else [led])]


def path(experiment: Experiment, model: models.Model | None = None) -> Path:
    """What its sampling means for its denoiser; evaluations and notes are those of its guidance, too, and a cascade's
    are those of its second stage, whose notes tell of both."""
    model = model or models.of(experiment)
    if together(experiment):
        found = tilted_path(model.denoiser, experiment.sampling)
    else:
        asked = denoiser(experiment, model)
        found = path_of(experiment.sampling, asked)
        if model.low is not None:
            found = replace(found, notes=(*found.notes, cascades.told(experiment, model, asked)))
    return replace(found, notes=(*found.notes, *_notes(experiment, found)))


MANY = 100  # steps of a population, from which on it is near what it would be with any number


def _notes(experiment, path) -> list[str]:
    """What is to be known of an experiment's guidance."""
    name, weight = experiment.guidance, experiment.guidance_weight
    if name != "none" and weight == GUIDANCES[name].neutral:
        return [f"At w = {weight:g} the guidance {name} changes nothing"]
    if together(experiment) and path.steps < MANY:
        return [f"A population of {path.steps} steps is coarse; from about {MANY} on it is near p(x)·p(c|x)^w"]
    if experiment.guidance_interval is not None and name != "none" and not path.passes:
        return ["No step begins within guidance_interval, so that none is guided"]
    return []


def states(
    experiment: Experiment,
    device: Device = "cpu",
    wrap: Callable | None = None,
    numbers: range | None = None,
    model: models.Model | None = None,
    made: Denoise | None = None,
) -> Iterator[State]:
    """Sample the experiment. `wrap` may put something around what is evaluated, such as a check for cancellation.

    device: "auto" is where it is quickest (see `place`). numbers, model: as in `start`. made: what `denoiser` gave.
    Raises Refused, in place of the last state, for samples that are not finite.
    """
    model = model or models.of(experiment)
    device = place(model, device, count(experiment, model) if numbers is None else len(numbers))
    asked = denoiser(experiment, model, device, wrap) if made is None else made
    z, labels = start(experiment, device, numbers, model)
    own = seeds(experiment.sampling.seed, len(z), numbers.start if numbers else 0)
    if together(experiment):
        plain: Any = asked  # what leads them, around the denoiser
        found = tilted(plain.inner, z, experiment.sampling, labels, experiment.guidance_weight, seeds=own)
    else:
        found = sample(asked, z, experiment.sampling, labels, seeds=own)
    return _finite(found, experiment.model)


def _finite(states, name):
    with closing(states):
        for state in states:
            if state.sigma == 0 and not torch.isfinite(state.x).all():
                raise Refused(
                    f"the samples of {name} are not all finite numbers with these settings; try a smaller range of σ, "
                    "less churn or more steps"
                )
            yield state
