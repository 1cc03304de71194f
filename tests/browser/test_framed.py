"""In a frame of another site: who may hold the page, and what it says where a frame keeps it from its server."""

import threading
import time
from contextlib import closing, contextmanager

import pytest
import uvicorn
from fastapi import FastAPI, Request
from starlette.responses import HTMLResponse, Response

from app.visitors import login
from app.visitors.entrance import Entrance


@contextmanager
def serving(app):
    """The port of an application in a thread."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(20)


@contextmanager
def course(context, address, sandbox=""):
    """A page of another site that holds ours in a frame: localhost is none with 127.0.0.1."""
    held = HTMLResponse(f'<iframe src="{address}" width="900" height="600" {sandbox}></iframe>')
    with serving(held) as port:
        page = context.new_page()
        page.goto(f"http://localhost:{port}")
        yield page


def test_where_nobody_logs_in_no_other_page_may_hold_ours(browser, server):
    """The attack (clickjacking): ours lies, unseen, over a game, and its visitors click on Delete."""
    with closing(browser.new_context()) as context:
        failed = []
        context.on("requestfailed", lambda request: failed.append((request.url, request.failure)))
        with course(context, server) as page:
            assert failed == [(server, "net::ERR_BLOCKED_BY_RESPONSE")]
            assert not page.frame_locator("iframe").locator(".explorer").count()


def room():
    """What somebody sees who is not in, and the log-in behind it."""
    app, sessions, entrance = FastAPI(), login.Sessions(), Entrance("open sesame")
    login.add(app, entrance, sessions)

    @app.get("/{path:path}")
    def answer(path: str, request: Request):
        name = sessions.name(request)
        if path:
            return Response(status_code=401 if name is None else 200)
        return HTMLResponse(login.page(entrance.message) if name is None else "<h1>in</h1>")

    return app


def enter(page):
    page.get_by_label("username").fill("edm")
    page.get_by_label("password").fill("open sesame")
    page.get_by_role("button", name="Login").click()


@pytest.mark.parametrize("sandbox", ["", 'sandbox="allow-scripts allow-forms allow-popups"'])
def test_a_log_in_whose_cookie_is_blocked_says_so_and_leads_to_a_tab_where_it_is_not(browser, sandbox):
    with closing(browser.new_context()) as context, serving(room()) as port:
        address = f"http://127.0.0.1:{port}/"
        with course(context, address, sandbox) as page:
            frame = page.frame_locator("iframe")
            enter(frame)
            link = frame.get_by_role("alert").get_by_role("link", name="open it in a new tab")
            link.wait_for()
            assert "your browser keeps no log-in" in frame.get_by_role("alert").inner_text()
            if not sandbox:  # a tab that is opened out of one is in it, too
                with context.expect_page() as opened:
                    link.click()
                enter(opened.value)
                opened.value.get_by_role("heading", name="in", exact=True).wait_for()
                assert len(context.cookies(address)) == 1
