"""How a request is answered that cannot be served."""

from __future__ import annotations

from starlette.responses import JSONResponse

from app.sentences.visible import without_folders

UNLIMITED = "without the page: python -m edm train --path FILE"  # where none of its limits holds


class Denied(Exception):
    """status: of HTTP. The message is a sentence for whoever has asked."""

    def __init__(self, status: int, sentence: str):
        super().__init__(sentence)
        self.status = status


def sentence(status: int, error) -> JSONResponse:
    # the rest of a refused request is not read, so the connection cannot serve another
    return JSONResponse({"ok": False, "sentence": without_folders(str(error))}, status, headers={"Connection": "close"})
