"""Why a run ended, as a word for programs, a sentence for people, and changes with which it may go on."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edm.base import faults
from edm.base.devices import out_of_memory
from edm.base.errors import Refused
from edm.files import saved
from edm.training.events import BUILDING, DRAWING, VALIDATING

if TYPE_CHECKING:
    from edm.training.settings import Training

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FULL_WORDS = ("No space left", "os error 28", "File too large", "os error 27", "os error 122", "quota exceeded")
_PEER_WORDS = ("gloo", "Gloo", "NCCL", "TCPStore")
_TOO_LARGE = (
    "the run does not fit into memory; take fewer images at once (micro_batch), fewer samples, or a smaller network "
    "(channels, blocks)"
)
_REPORTS_TOO_LARGE = (
    "its reports do not fit into memory, though its steps do; draw fewer samples at each tick (samples), or validate "
    "on fewer images (validation)"
)
_NETWORK_TOO_LARGE = (
    "its network, with averages and Adam's moments, does not fit into memory, however few images it takes at once; "
    "take a smaller network (channels, blocks), fewer averages (ema), or a device with more memory free"
)


class Diverged(Refused):
    """The loss, or the weights, are not numbers any more."""

    def __init__(self, steps: int, checkpoint: Path | None = None):
        what = f"the loss has not been a finite number for {steps} steps" if steps else "the weights are not finite"
        again = "resume from the last checkpoint" if checkpoint else "it has no checkpoint yet: start it again"
        super().__init__(f"{what}: training has diverged; {again} with a lower lr")


class Superseded(Refused):
    """Another worker has this run now."""


@dataclass(frozen=True)
class Failure:
    """reason: memory, disk, diverged, data, settings, device (a GPU or its driver), stopped, lost (a process of
    several), unexpected.

    remedies: (title, {field: value}) each; `resume` takes the fields. An empty one: do what the title says before.
    """

    reason: str
    sentence: str
    remedies: tuple[tuple[str, dict[str, str]], ...] = ()

    @classmethod
    def parse(cls, document: dict) -> Failure | None:
        """From the document of one, as a file has it; None if it is none."""
        reason, sentence = document.get("reason"), document.get("sentence")
        if not (isinstance(reason, str) and isinstance(sentence, str)):
            return None
        return cls(reason, sentence, remedies_of(document.get("remedies")))


def remedies_of(found: Any) -> tuple[tuple[str, dict[str, str]], ...]:
    """Remedies in JSON data; none for anything else there."""
    with suppress(TypeError, ValueError):
        return tuple((str(title), dict(changes)) for title, changes in found or ())
    return ()


def explain(
    error: BaseException, settings: Training | None = None, share: int | None = None, checkpoint: Path | None = None
) -> Failure:
    """What ended a run. settings: its `edm.Training`, to say what to change; share: a device's images of a step.
    checkpoint: its newest whole one; None: it has none, and begins anew when it is resumed."""
    from edm.data.identity import OtherData
    from edm.data.sources import DataError

    kept = "its last checkpoint is whole" if checkpoint else "and it has no checkpoint yet"
    resume, again = ("resume", "resume it") if checkpoint else ("begin anew", "start it again")
    text = " ".join(str(error).split())
    if isinstance(error, Diverged):
        return Failure("diverged", text, _calmer(settings))
    if isinstance(error, KeyboardInterrupt):
        last = "resume it from its last checkpoint" if checkpoint else "it has no checkpoint yet: start it again"
        return Failure("stopped", f"interrupted from its terminal; {last}")
    if disk_full(error):
        advice = f"make room (python -m edm runs gc), or keep fewer checkpoints (--keep), then {again}"
        remedy = (f"Make room, then {resume}", {})
        return Failure("disk", f"the disk is full, {kept}; {advice} ({text:.200})", (remedy,))
    if out_of_memory(error):
        return _memory(error, text, settings, share)
    if isinstance(error, OtherData):
        return Failure("data", text[:1000], (("Go on with the data as they are now", {"accept_data": "true"}),))
    if isinstance(error, DataError):
        return Failure("data", f"the data cannot be read: {text:.1000}")
    if isinstance(error, Refused | OSError):
        return Failure("settings", text[:1000])
    if known := faults.fault(f"{type(error).__name__}: {text}"):
        if not known.remedies:
            return Failure(known.reason, f"{known.sentence}, {kept}; {again} ({text:.200})")
        remedies = tuple(remedy for name in known.remedies for remedy in _remedies(name, settings, share, resume))
        return Failure(known.reason, f"{known.sentence} ({text:.200})", remedies)
    if isinstance(error, RuntimeError) and any(words in text for words in _PEER_WORDS):
        return Failure("lost", f"one of its processes was lost, {kept}; {again} ({text:.200})")
    name = type(error).__name__
    return Failure("unexpected", f"the run met an error of the program, {name}: {text:.300}; its log has more")


FORCED_TASK = "it did not end by itself and was ended by force; what it has finished is kept"


def silent(checkpoint: Path | bool | None) -> str:
    """About a worker that has gone without a word. checkpoint: whether there is anything from which to go on."""
    return f"its worker ended without a word: killed, out of memory, or the machine went down; {_again(checkpoint)}"


def forced(checkpoint: Path | None) -> str:
    """About a worker that was asked to end, and did not."""
    lost = "what came after its last checkpoint is lost" if checkpoint else "it had no checkpoint yet, so all is lost"
    return f"it did not end by itself and was ended by force; {lost}"


def torn(found: Sequence[Path], checkpoint: Path | None) -> str:
    """About checkpoints that are not whole. checkpoint: the newest whole one, or None."""
    rest = f"resuming goes on from {checkpoint.name}" if checkpoint else "there is no other"
    return f"{saved.described(found)}: {rest}"


def _again(checkpoint):
    return "resume it" if checkpoint else "it has no checkpoint yet: resuming begins anew"


def disk_full(error: BaseException) -> bool:
    full = getattr(error, "errno", None) in _FULL
    return isinstance(error, OSError) and (full or any(words in str(error) for words in _FULL_WORDS))


def _calmer(settings):
    if settings is None:
        return ()
    lower = (f"Lower the learning rate to {settings.lr / 4:.3g}", {"lr": f"{settings.lr / 4:.3g}"})
    full = ("Train in full precision", {"precision": "fp32"})
    return (lower,) if settings.precision == "fp32" else (lower, full)


def _memory(error, text, settings, share) -> Failure:
    """By what was under way: a step, a report, or neither yet."""
    when = getattr(error, "__notes__", ())
    if DRAWING in when:
        return Failure("memory", f"{_REPORTS_TOO_LARGE} ({text:.200})", _fewer_reports(settings, VALIDATING in when))
    if BUILDING in when:
        return Failure("memory", f"{_NETWORK_TOO_LARGE} ({text:.200})", _remedies(faults.ANOTHER, settings, share, ""))
    sparing = ()
    if settings is not None and not settings.checkpointing:
        sparing = (("Compute each block twice, which takes less memory", {"checkpointing": "true"}),)
    return Failure("memory", f"{_TOO_LARGE} ({text:.200})", _smaller(settings, share) or sparing)


def _fewer_reports(settings, validating):
    if settings is None:
        return ()
    if validating:
        half = settings.validation // 2
        return ((f"Validate on {half} images", {"validation": str(half)}),) if half else ()
    half = settings.samples // 2
    return ((f"Draw {half} samples at each tick", {"samples": str(half)}),) if half else ()


def _remedies(name, settings, share, resume) -> tuple:
    """What a fault's remedy is for a run."""
    lower = settings is not None and settings.precision != "fp32"
    return {
        faults.FEWER: _smaller(settings, share),
        faults.FULL: (("Train in full precision", {"precision": "fp32"}),) if lower else (),
        faults.PLAIN: (("Train without compiling", {"compile": "false"}),),
        faults.LOOSE: (("Train without bit-for-bit repeats", {"deterministic": "false"}),),
        faults.ANOTHER: (("Use the GPU with the most free memory", {"device": "auto"}),),
        faults.CPU: (("Train on the CPU", {"device": "cpu"}),),
        faults.ONE: (("Train on one GPU", {"device": "auto"}),),
        faults.AGAIN: ((f"{resume.capitalize()} as it is", {}),),
    }[name]


def fewer_at_once(settings: Training, share: int | None = None) -> int | None:
    """The largest micro_batch of at most half of what a device takes at once now; None: it takes one image."""
    share = share or settings.batch
    half = min(settings.micro_batch or share, share) // 2
    return next((n for n in range(half, 0, -1) if share % n == 0), None)


def _smaller(settings, share):
    fewer = settings and fewer_at_once(settings, share)
    return ((f"Take {fewer} images at once", {"micro_batch": str(fewer)}),) if fewer else ()
