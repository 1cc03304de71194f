"""Answers as JSON text."""

from __future__ import annotations

import json


class Packed(str):
    """Base64: nothing of it has to be escaped in JSON."""


def text(body) -> str:
    """As `json.dumps(body)`, to the letter; what is packed in its dictionaries is not read through for that."""
    if isinstance(body, Packed):
        return f'"{body}"'
    if isinstance(body, dict):
        return f"{{{', '.join(f'{json.dumps(str(name))}: {text(value)}' for name, value in body.items())}}}"
    return json.dumps(body)
