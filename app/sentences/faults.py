"""An error while somebody is served: a sentence for them, and for a defect of this program a traceback in the log."""

from __future__ import annotations

import logging
import secrets
from pathlib import Path

from app.sentences.visible import without_folders
from edm.base.errors import Refused, sentence_of
from edm.base.faults import fault

TOO_LARGE = "This does not fit into the server's memory; take fewer samples or steps, or a smaller network."


class Told(Exception):
    """What a visitor is told of an error that happened, and was logged, elsewhere."""


def told(error: Exception) -> str:
    """What to say of an error. Mistakes of whoever asked are not logged; names of files come without their folders."""
    if isinstance(error, Refused | Told):
        return without_folders(str(error))
    if isinstance(error, MemoryError | RuntimeError) and _out_of_memory(error):
        return TOO_LARGE
    if isinstance(error, RuntimeError) and (known := fault(f"{type(error).__name__}: {error}")):
        logging.getLogger(__name__).error("%s", known.sentence, exc_info=error)
        return f"{known.sentence[0].upper()}{known.sentence[1:]}."
    if sentence_of(error) is not None:
        name = f" ({Path(str(error.filename)).name})" if getattr(error, "filename", None) else ""
        return f"A file that this needs cannot be used{name}: {error.strerror or 'it is gone'}. Reload the page."
    return logged(error)


def _out_of_memory(error) -> bool:
    from edm.base.devices import out_of_memory  # which loads torch: whoever runs out of memory has it

    return out_of_memory(error)


def logged(error: Exception) -> str:
    """Write a defect into the log under a number, and say so."""
    number = f"{secrets.randbelow(10**6):06}"
    logging.getLogger(__name__).error("defect %s", number, exc_info=error)
    return f"Something went wrong here; it is in the server's log as {number}. Other settings may work."
