"""The page's scripts and sheets may be kept for ever under their version, which is another one whenever one changes."""

import os
import re
import shutil

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from app.routes.scripts import ALL_SHEETS, FOLDER, SHEETS, Scripts
from app.transport.first import First
from tests import loop


@pytest.fixture
def scripts(tmp_path):
    shutil.copytree(FOLDER, tmp_path / "page")
    return Scripts(tmp_path / "page")


@pytest.fixture
def get(scripts):
    """get(path, **headers): what is answered."""
    app = Starlette(routes=[Route("/explorer/{path:path}", scripts, methods=["GET"])])

    def answer(path, **headers):
        async def ask():
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://a") as client:
                return await client.get(path, headers=headers)

        return loop.run(ask())

    return answer


def places(head):
    return re.findall(r'(?:href|src)="([^"]+)"', head)


def test_all_that_the_head_names_is_there_and_may_be_kept_for_ever(scripts, get):
    named = places(scripts.head())
    assert len(named) == len(set(named)) + 1 > 60, "the first script is named twice"
    for place in named:
        told = get(f"/{place}")
        assert told.status_code == 200 and "immutable" in told.headers["cache-control"], place
        assert told.headers["content-type"].startswith("text/css" if place.endswith(".css") else "text/javascript")


def test_what_a_script_imports_is_named_with_it(scripts):
    named = {place.split("/", 2)[2] for place in places(scripts.head())}
    assert {"start.js", "main.js", "sampler/sampler.js", "shared/dom.js", "train/train.js", ALL_SHEETS} <= named
    assert not [name for name in named if name.endswith(".d.ts")]


def test_a_change_shows_at_once_and_under_another_version(scripts, get, tmp_path):
    before, old = scripts.head(), get("/explorer/main.js")
    path = tmp_path / "page" / "main.js"
    path.write_text("// another\n")
    os.utime(path, (1, 1))
    assert get("/explorer/main.js").text == "// another\n"
    assert scripts.head() != before
    stale = get("/" + next(place for place in places(before) if place.endswith("/main.js")))
    assert stale.headers["cache-control"] == "no-cache", "of a version that is over nothing is kept"
    assert get("/explorer/main.js", **{"If-None-Match": old.headers["etag"]}).status_code == 200


def test_what_a_browser_has_is_not_sent_again(get):
    told = get("/explorer/main.js")
    again = get("/explorer/main.js", **{"If-None-Match": told.headers["etag"]})
    assert told.headers["cache-control"] == "no-cache" and (again.status_code, again.content) == (304, b"")


def test_the_sheets_come_in_their_order(get):
    whole = get(f"/explorer/{ALL_SHEETS}").text
    assert whole == "\n".join((FOLDER / sheet).read_text(encoding="utf-8") for sheet in SHEETS)


@pytest.mark.parametrize(
    "path",
    ["", "main", "login.html", "shared/types.d.ts", "no.js", "../page.py", ".a.js", "a/../main.js"],
)
def test_nothing_else_is_there(get, path):
    told = get(f"/explorer/{path.replace('..', '%2e%2e')}")
    assert told.status_code == 404


def first(html, path="/", method="GET", status=200):
    async def inner(scope, receive, send):
        headers = [(b"content-type", b"text/html"), (b"content-length", str(len(html)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": html[:20], "more_body": True})
        await send({"type": "http.response.body", "body": html[20:]})

    async def ask():
        transport = httpx.ASGITransport(First(inner, lambda: "<b>ours</b>"))
        async with httpx.AsyncClient(transport=transport, base_url="http://a") as client:
            return await client.request(method, path)

    return loop.run(ask())


GRADIO = b'<html><head><script type="module" crossorigin src="./assets/index-1.js"></script></head></html>'


def test_gradio_s_script_waits_and_our_head_is_there():
    told = first(GRADIO)
    assert (
        "<b>ours</b>\n</head>" in told.text
        and 'type="explorer/later" crossorigin src="./assets/index-1.js"' in told.text
    )
    assert int(told.headers["content-length"]) == len(told.content)


def test_what_is_not_the_page_stays_as_it_is():
    assert first(GRADIO, path="/config").content == GRADIO
    assert first(GRADIO, status=500).content == GRADIO
    assert first(b"<p>a log-in page, say</p>").text == "<p>a log-in page, say</p>"
