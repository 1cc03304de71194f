"""From a checkpoint to a model file that is small and whole, and a card that says what it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from safetensors import safe_open

from edm.base import flat
from edm.base.atomic import atomic
from edm.base.errors import Refused
from edm.base.paths import expanded
from edm.data import sources
from edm.files import checkpoints
from edm.files.checkpoints import Header, Progress
from edm.training.settings import Training, trained_as

if TYPE_CHECKING:
    from edm.base.types import StrPath


def export(
    checkpoint: StrPath,
    out: StrPath,
    *,
    title: str = "",
    family: str = "",
    order: int = 99,
    note: str = "",
    ema: int = 0,
    metrics: dict | None = None,
) -> Header:
    """Write one of a checkpoint's averages to the model file `out`, in half precision, and its card beside it.

    note: a remark for the card; metrics: of an evaluation, for the card. Of where the data lay nothing goes with it.
    Raises ValueError for files and averages that are not there.
    """
    header = checkpoints.read_header(checkpoint)
    out = expanded(out)
    if out.suffix != ".safetensors":
        raise Refused(f"{out}: the name of a model file must end in .safetensors")
    with safe_open(expanded(checkpoint), framework="pt") as file:
        prefix = f"ema{ema}/"
        keys = [name for name in list(file.keys()) if name.startswith(prefix)]
        tensors = {f"ema0/{name.removeprefix(prefix)}": file.get_tensor(name) for name in keys}
    for name, tensor in tensors.items():
        checkpoints.check_finite(tensor, name, checkpoint)
    if not tensors:
        raise Refused(f"{checkpoint} holds no average number {ema}; it has {len(header.half_lives)}, from 0")
    header = header.changed(
        kind="classifier" if header.classifies else "model",
        title=title or header.title or out.stem,
        family=family,
        note=note,
        order=order,
        half_lives=header.half_lives[ema : ema + 1],
        metrics=header.metrics.changed(**(metrics or {})),
        progress=Progress(steps=header.progress.steps),
        training=(known := trained_as(header)) and elsewhere(known).document(complete=True),
    )
    # what is one-dimensional is small, and some of it (Fourier frequencies) would suffer
    halves = {name: _half(tensor) if tensor.ndim > 1 else tensor for name, tensor in tensors.items()}
    checkpoints.save(out, header, halves)
    with atomic(out.with_suffix(".md")) as file:
        file.write(card(header, out.name, sum(t.numel() for t in tensors.values())).encode())
    return header


def _half(tensor):
    """In half precision, where all of it has room there."""
    half = tensor.half()
    return half if half.isfinite().all() else tensor


def elsewhere(training: Training) -> Training:
    """Settings for other people: of a path to data the last name, and none to what torchvision knows how to fetch."""
    path, known = training.data.path, sources.file_of(training.data.dataset)
    return training.changed(data={"path": Path(path).resolve().name or "data" if path and known else None})


def command(header: Header) -> str:
    """The command that trains this model, for whoever has its data."""
    training = trained_as(header)
    if training is None:
        raise Refused("it comes from elsewhere: no settings are known that would train it again")
    return flat.command("train", elsewhere(training).changed(images=header.images))


def card(header: Header, name: str, numbers: int) -> str:
    """A page of Markdown about a model file: its data, settings, cost, measures, and how to make it again."""
    size = "×".join(map(str, header.shape))
    classes = f", {header.classes} classes" if header.classes else ""
    classes += f" ({', '.join(header.class_names)})" if header.class_names else ""
    if header.taught:
        names = [header.class_names[k] if header.class_names else str(k) for k in header.taught]
        classes += f", of which it has seen images of {len(names)} only ({', '.join(names)})"
    kind = "a checkpoint of a run" if header.kind == "checkpoint" else "a model file"
    kind += ", in half precision" if header.kind != "checkpoint" and header.training is not None else ""
    kind += "; a classifier of noisy samples, from which none is drawn: a guide" if header.classifies else ""
    lines = [f"# {header.title or Path(name).stem}", "", f"`{name}`, {numbers:,} parameters: {kind}.", ""]
    training = trained_as(header)
    if training is None:
        network, levels = header.network, header.preconditioning.name
        learned = ", with a variance of its own" if network.out_channels == 2 * header.shape[0] else ""
        upsampled = f", made of {'×'.join([str(header.low.resolution)] * 2)}" if header.low else ""
        made = f"{network.name} with preconditioning {levels}, samples of {size}{classes}{upsampled}{learned}"
        lines += [f"Converted from a published file: {made}."]
        return "\n".join(lines) + "\n"
    design = training.design
    hidden = f"; the class hidden for {design.label_dropout:.0%} of them" if design.label_dropout else ""
    lines += [
        f"- **Data** {training.data.dataset}: {size}{classes}{hidden}; σ_data {header.sigma_data:.4f}",
        f"- **Network** {header.network.name}, {header.network.channels} channels",
        f"- **Design** preconditioning {design.preconditioning}, noise {design.noise}{_weighted(header, training)}",
        f"- **Training** {header.images:,} images in {header.progress.steps:,} steps of "
        f"{training.batch}, {header.seconds:,.0f} s; average of half-life {header.half_lives[0]:,.0f} images",
    ]
    lines += [f"- **Coordinates** {header.units.told()}"] if header.units.scaled else []
    lines += [f"- **Arithmetic** {header.arithmetic}"] if header.arithmetic else []
    lines += [f"- **{title}** {text}" for title, text in _measures(header)]
    lines += ["", header.note] if header.note else []
    lines += ["", "Made by", "", "```bash", command(header), "```"]
    return "\n".join(lines) + "\n"


def _weighted(header, training) -> str:
    """What its loss is, and how the weights are kept small."""
    if not header.classifies:
        return f", weight {training.design.weight}"
    spread = f", P_mean {training.design.P_mean:g}, P_std {training.design.P_std:g}, cross-entropy"
    decay = f", weight decay {training.weight_decay:g}" if training.weight_decay else ""
    return f"{spread if training.design.noise == 'edm' else ', cross-entropy'}{decay}"


def _measures(header):
    metrics = header.metrics
    if metrics.validation and not header.classifies:
        pairs = list(zip(metrics.sigmas, metrics.validation, strict=True))[::2]
        where = "" if header.held_out else ", on images of the training"
        yield f"Squared error at σ{where}", ", ".join(f"{sigma:.3g}: {loss:.3g}" for sigma, loss in pairs)
    elif metrics.accuracy and not metrics.evaluation:
        pairs = list(zip(metrics.sigmas, metrics.accuracy, strict=True))[::2]
        yield "Accuracy at σ", ", ".join(f"{sigma:.3g}: {right:.1%}" for sigma, right in pairs)
    yield from metrics.evaluation.items()
