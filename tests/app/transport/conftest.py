"""Servers to ask, and who asks."""

from contextlib import closing

import httpx
import pytest

from app.visitors.room import Room
from tests.app.serving import serving
from tests.app.transport.served import inside


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Where Gradio would copy files to."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("GRADIO_TEMP_DIR", str(folder))
        yield folder


@pytest.fixture(scope="module")
def own(cache, tmp_path_factory):
    with serving(Room(tmp_path_factory.mktemp("own"))) as served:
        yield served


@pytest.fixture(scope="module")
def asking(cache, tmp_path_factory):
    with serving(Room(tmp_path_factory.mktemp("asking"), password="open sesame")) as served:
        yield served


@pytest.fixture(params=["own", "with a password", "student"])
def visitor(request):
    """Somebody who has come in, in each kind of room."""
    if request.param == "own":
        client = httpx.Client(base_url=request.getfixturevalue("own")[1], timeout=30)
    elif request.param == "student":
        client = request.getfixturevalue("classroom").login("Mallory")
    else:
        client = inside(request.getfixturevalue("asking")[1])
    with closing(client):
        yield client
