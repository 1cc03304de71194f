"""Who is in: the log-in page, what it sends, and the cookie that says so from then on."""

from __future__ import annotations

import html
import secrets

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.requests import Request as Form
from starlette.responses import JSONResponse, RedirectResponse, Response

from app.sentences.denials import Denied, sentence
from app.transport import bodies
from app.visitors.delays import Busy
from app.visitors.entrance import Entrance
from edm.base.resources import ASSETS

PAGE = ASSETS / "page" / "login.html"
MOST_BYTES = 1 << 13
MOST_SESSIONS, MOST_EACH = 20_000, 50  # in all, and of one name; then the oldest ends


class Sessions:
    """Who has logged in, by a random token in a cookie. Its name is this server's: browsers send all cookies of a
    host to all its ports."""

    def __init__(self):
        self.cookie = f"edm-{secrets.token_hex(4)}"
        self._names: dict[str, str] = {}  # the oldest first

    def begin(self, name: str) -> str:
        own = [token for token, other in self._names.items() if other == name]
        if len(own) >= MOST_EACH or len(self._names) >= MOST_SESSIONS:
            del self._names[next(iter(own or self._names))]
        token = secrets.token_urlsafe(24)
        self._names[token] = name
        return token

    def name(self, request: HTTPConnection) -> str | None:
        """Who sends a request, or None."""
        return self._names.get(request.cookies.get(self.cookie, ""))

    def keep(self, answer: Response, request: HTTPConnection, token: str) -> None:
        """Have the browser keep a token; "": none any more.

        In a frame of another site it keeps one only with https, and for that site alone (Partitioned): whoever came in
        elsewhere is not in there, so that no page can make them click on what they do not see.
        """
        secure = request.url.scheme == "https"
        kept = {"max_age": None if token else 0, "httponly": True, "secure": secure}
        answer.set_cookie(self.cookie, token, samesite="none" if secure else "lax", **kept)
        if secure:
            answer.headers["set-cookie"] += "; Partitioned"

    def end(self, request: HTTPConnection) -> None:
        self._names.pop(request.cookies.get(self.cookie, ""), None)


def page(message: str) -> str:
    """The log-in page. It needs nothing else from the server."""
    return PAGE.read_text(encoding="utf-8").replace("{message}", html.escape(message))


def add(app: FastAPI, entrance: Entrance, sessions: Sessions) -> None:
    """Add the addresses of logging in and out."""

    @app.post("/login")
    async def login(request: Request):
        try:
            name, password = await _given(request)
            address = request.client.host if request.client else ""
            if not await entrance.login(name, password, address):
                return sentence(400, entrance.refusal)
        except Denied as denied:
            return sentence(denied.status, denied)
        except Busy:
            answer = sentence(503, "the server is busy; try again in a few seconds")
            answer.headers["Retry-After"] = "5"
            return answer
        answer = JSONResponse({"ok": True, "success": True})
        sessions.keep(answer, request, sessions.begin(name))
        return answer

    @app.get("/logout")
    async def logout(request: Request):
        sessions.end(request)
        answer = RedirectResponse("./", 302)
        sessions.keep(answer, request, "")
        return answer


async def _given(request) -> tuple[str, str]:
    """(name, password) of a form. Raises Denied."""
    body = await bodies.read(request.scope, request.receive, MOST_BYTES)

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    try:
        async with Form(request.scope, receive).form(max_files=0, max_fields=10) as form:
            name, password = form.get("username"), form.get("password")
    except (HTTPException, ValueError):  # with which its parsers refuse what is no form
        name = password = None
    if not isinstance(name, str) or not isinstance(password, str):
        raise Denied(400, "a log-in is a form with username and password")
    return name.strip(), password
