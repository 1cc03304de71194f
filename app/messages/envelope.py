"""What goes around every body that the server sends back."""

from __future__ import annotations

from typing import Generic, Literal, TypeVar

from app.messages.answers import Sent

Body = TypeVar("Body")


class Answer(Sent, Generic[Body]):
    """serial: of the request. finished: no better answer follows."""

    serial: int
    finished: bool
    body: Body


class Failed(Sent):
    """Instead of an answer. error: a sentence."""

    serial: int
    finished: Literal[True]
    error: str
