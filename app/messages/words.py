"""What the server sends back, continued: what explains the page to people."""

from __future__ import annotations

from app.messages.answers import Sent


class Symbol(Sent):
    """See `edm.lessons.glossary.Symbol`."""

    symbol: str
    say: str
    text: str
    paper: str
    forms: list[str]
    of: list[str]
    lesson: str


class Glossary(Sent):
    symbols: list[Symbol]


class Explained(Sent):
    """See `app.instruments.sheets.Sheet`. title: of what it is about."""

    title: str
    axes: str
    tries: str
    paper: str
    mistake: str
