"""The web server: Gradio's page at /, our own scripts and styles under /explorer, and `app.routes`."""

from __future__ import annotations

import contextlib
import gc
import logging
import threading
import webbrowser

import torch
import uvicorn
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from app import page
from app.routes import events, runs, scripts, uploads
from app.sentences import visible
from app.transport import corners
from app.transport.first import First
from app.transport.forwarded import Front, Placed
from app.transport.gate import Gate
from app.transport.headers import Headers, frames
from app.transport.quiet import gr
from app.transport.same_site import SameSite
from app.transport.whole import Whole
from app.visitors import login
from app.visitors.room import Room
from app.visitors.time_keeper import keep_time
from app.work.jobs import Pool
from app.work.scripts import asked
from app.work.shared import Work
from app.work.threads import Threads
from edm.base.resources import ASSETS


class _Pictures(StaticFiles):
    """Of the paper's figures; the browser asks each time whether they changed."""

    def file_response(self, *arguments, **named):
        response = super().file_response(*arguments, **named)
        response.headers["Cache-Control"] = "no-cache"
        return response


def application(device, room: Room | None = None, pool: Pool | None = None, front: Front | None = None) -> FastAPI:
    """The whole app as an ASGI application. room: who may do what; None: everybody everything. pool: where computations
    go; None: they stay in this process, on `device`. front: what stands before it; None: nothing."""
    # Exact denoisers are many small operations: a second thread in each makes them slower (116 against 211 µs),
    # and several visitors keep several cores busy anyway.
    torch.set_num_threads(1)
    room, front = room or Room(), front or Front()
    asks = room.entrance.asks
    pool = pool or Threads(Work(device, own=room.kind == "own"))
    sessions = login.Sessions()
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    files = scripts.Scripts()
    scripts.add(app, files)
    app.mount("/explorer-figures", _Pictures(directory=ASSETS / "figures"))
    app.mount("/explorer-plotly", StaticFiles(packages=[("plotly", "package_data")]))
    login.add(app, room.entrance, sessions)
    uploads.add(app, room, sessions.name)
    runs.add(app, room, sessions.name)
    blocks, wiring = page.build(pool, room)
    events.add(app, wiring, sessions.name)
    corners.mount(
        app,
        blocks,
        sessions.name if asks else None,
        favicon_path=str(ASSETS / "favicon.png"),
        footer_links=[],
        theme=gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]),
        css_paths=[scripts.FOLDER / sheet for sheet in scripts.SHEETS],
        head='<meta name="viewport" content="width=device-width, initial-scale=1">',
    )
    entrance = login.page(room.entrance.message) if asks else None
    checks = {"sample": asked}
    app.add_middleware(First, head=files.head)
    app.add_middleware(Gate, blocks=blocks, entrance=entrance, name_of=sessions.name, checks=checks)
    app.add_middleware(SameSite, private=room.kind == "own" and not asks, proxied=front.believed)
    app.add_middleware(Placed, front=front, believed=asks or front.believed)
    app.add_middleware(Headers, framing=frames(front, asks))
    app.add_middleware(visible.Veil, folder=room.folder, own=room.kind == "own")
    app.add_middleware(Whole)
    return app


def serve(listener, device, room: Room, browser: bool, pool: Pool | None = None, front: Front | None = None) -> None:
    """Run until interrupted. pool, front: as of `application`."""
    host, port = listener.getsockname()[:2]
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{port}/"
    server = _Server(application(device, room, pool, front), address, browser)
    keep_time(room)
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn passes Ctrl+C on once it has shut down
        server.run(sockets=[listener])
    gc.freeze()  # Python ends by looking through all that there is, which takes a second, and seconds on a busy machine


class _Server(uvicorn.Server):
    """uvicorn that says when it answers."""

    def __init__(self, app, address, browser):
        super().__init__(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
        self._address, self._browser = address, browser

    async def startup(self, sockets=None):
        await super().startup(sockets=sockets)
        if self.started:
            gc.freeze()  # what is there now stays: to look through it for garbage would stop everybody for 0.2 s
            print(f"EDM explorer: {self._address}  (stop with Ctrl+C)", flush=True)
            if self._browser:
                threading.Thread(target=webbrowser.open, args=(self._address,), daemon=True).start()

    async def shutdown(self, sockets=None):
        # visitors' open streams are cut: not worth a traceback in the terminal of who stops the server
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        await super().shutdown(sockets=sockets)
