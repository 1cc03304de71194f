"""Servers that take uploads, and senders of half of them, for tests."""

import contextlib
import io
import threading
import time
import zipfile

import httpx
import uvicorn
from fastapi import FastAPI
from PIL import Image

from app.routes import uploads
from app.uploads.arrivals import Arrivals
from app.visitors.room import Room, Visitor


class Lesson(Room):
    """A classroom in which everybody is who the header "who" says."""

    def __init__(self, folder):
        super().__init__(folder, password="chalk", classroom=True, teacher_password="red pencil")

    def visitor(self, request):
        return Visitor(request.username, False)


def named(request):
    return request.headers.get("who")


@contextlib.contextmanager
def serving(folder, own=False, **named_arrivals):
    app, folder = FastAPI(), folder / "runs"
    folder.mkdir(exist_ok=True)
    uploads.add(app, Room(folder) if own else Lesson(folder), named, Arrivals(**named_arrivals))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield lambda who: httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"who": who}, timeout=20)
    finally:
        server.should_exit = True
        thread.join()


def zipped(count, side=2000):
    """A small zip of large images."""
    file, pictures = io.BytesIO(), [io.BytesIO(), io.BytesIO()]
    for picture, color in zip(pictures, ("teal", "navy"), strict=True):
        Image.new("RGB", (side, side), color).save(picture, "PNG")
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(count):
            archive.writestr(f"{number}.png", pictures[number % 2].getvalue())
    return {"files": ("large.zip", file.getvalue())}
