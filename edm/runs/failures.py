"""Why a run ended, as a sentence that says what to change."""

from __future__ import annotations

import errno

SAVED = "its last checkpoint is whole: resume it"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FULL_WORDS = ("No space left", "os error 28", "File too large", "os error 27", "quota exceeded")
_MEMORY = (
    "the run does not fit into memory; take fewer images at once (micro_batch), fewer samples, or a smaller network "
    "(channels, blocks)"
)
_DISK = f"the disk is full; make room (python -m edm runs gc) or keep fewer checkpoints (--keep); {SAVED}"


class Diverged(ValueError):
    """The loss is not a number any more."""

    def __init__(self, steps: int):
        super().__init__(
            f"the loss has not been a finite number for {steps} steps; lower lr, lengthen lr_ramp, use precision=fp32, "
            "or resume from the last checkpoint with a lower lr"
        )


class Superseded(ValueError):
    """Another worker has this run now."""


def explain(error: BaseException) -> tuple[str, str]:
    """(kind, sentence) of what ended a run; kind: memory, disk, diverged, settings (or data), stopped, unexpected."""
    text = " ".join(str(error).split())
    if isinstance(error, Diverged):
        return "diverged", text
    if isinstance(error, KeyboardInterrupt):
        return "stopped", "interrupted from its terminal; resume it from its last checkpoint"
    if isinstance(error, OSError) and (error.errno in _FULL or any(words in text for words in _FULL_WORDS)):
        return "disk", f"{_DISK} ({text:.200})"
    if isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and "memory" in text):
        return "memory", f"{_MEMORY} ({text:.200})"
    if isinstance(error, ValueError | OSError):
        return "settings", text[:1000]
    return "unexpected", f"the run met an error of the program, {type(error).__name__}: {text:.300}; its log has more"
