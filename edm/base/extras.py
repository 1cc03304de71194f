"""Packages that only some of the program needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from edm.base.errors import Refused


@contextmanager
def needed(extra: str, purpose: str) -> Iterator[None]:
    """Around imports of packages of an extra in pyproject.toml. Raises Refused where one is not installed.

    purpose: what they are for, as the subject of a sentence.
    """
    try:
        yield
    except ImportError as error:
        remedy = f"pip install 'edm-explorer[{extra}]', or in a checkout pip install -r requirements.txt"
        raise Refused(f"{purpose} needs {error.name}, which is not installed: {remedy}") from None
