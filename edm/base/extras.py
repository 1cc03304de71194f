"""Packages that only some of the program needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from edm.base.errors import Refused

_IN_A_CHECKOUT = {"train": "-r requirements.txt"}  # which holds that extra; of others the package alone is fetched


@contextmanager
def needed(extra: str, purpose: str) -> Iterator[None]:
    """Around imports of packages of an extra in pyproject.toml. Raises Refused where one is not installed.

    purpose: what they are for, as the subject of a sentence.
    """
    try:
        yield
    except ImportError as error:
        package = _IN_A_CHECKOUT.get(extra, str(error.name).replace("_", "-"))
        remedy = f"pip install 'edm-explorer[{extra}]', or in a checkout pip install {package}"
        raise Refused(f"{purpose} needs {error.name}, which is not installed: {remedy}") from None
