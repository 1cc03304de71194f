"""The application in this process, over real HTTP; and all the addresses that are mounted in it."""

import threading
import time
from contextlib import contextmanager

import torch
import uvicorn

from app.server import application


@contextmanager
def serving(room, front=None):
    """(application, address) of a server in a thread. front: what stands before it."""
    app = application(torch.device("cpu"), room, front=front)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield app, f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)


def gradio_in(app):
    """Gradio's application, that is mounted at /."""
    return next(route.app for route in app.routes if getattr(route, "path", None) == "" and hasattr(route, "app"))


def mounted(app, prefix=""):
    """(methods, path) of all addresses, also of what is mounted or included at any depth; {…} stands for anything."""
    for route in app.routes:
        path = prefix + getattr(route, "path", "")
        if hasattr(route, "effective_candidates"):  # FastAPI keeps a router that was included as it is
            context = route.include_context
            yield from mounted(route.original_router, prefix + context.prefix)
        elif getattr(route, "app", None) is not None and hasattr(route, "routes"):
            inner = list(mounted(route.app, path)) if getattr(route.app, "routes", None) else []
            yield from inner or [({"GET", "HEAD"}, path + "/{path:path}")]
        else:
            yield route.methods or {"GET"}, path
