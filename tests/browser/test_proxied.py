"""Behind nginx, as README says, at a path of its own; and in a frame of another site."""

import re
import shutil
import socket
import subprocess
import time
from contextlib import closing, contextmanager

import httpx

from tests.asking import Visitor
from tests.browser.conftest import ROOT
from tests.browser.test_connections import MOVE, SETTLED

AROUND = """daemon off; pid {folder}/pid; error_log stderr;
events {{}}
http {{
    access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port}; {block} }}
}}
"""
# As browsers have it in a frame of another site, if somebody wishes so.
NO_STORAGE = """for (const name of ["localStorage", "sessionStorage", "indexedDB"])
  Object.defineProperty(window, name, { get() { throw new DOMException("Access is denied", "SecurityError"); } });
"""


def free_port():
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@contextmanager
def nginx(folder, server):
    """The address under which nginx serves the page, with the block that README has."""
    (block,) = re.findall(r"```nginx\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    port = free_port()
    block = block.replace("127.0.0.1:7860", httpx.URL(server).netloc.decode())
    (folder / "nginx.conf").write_text(AROUND.format(folder=folder, port=port, block=block))
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/opt/homebrew/bin")
    assert program, "there is no nginx: tests/run installs it"
    process = subprocess.Popen([program, "-p", folder, "-c", folder / "nginx.conf", "-e", "stderr"])
    try:
        for _ in range(100):
            with closing(socket.socket()) as line:
                if line.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, "nginx did not start"
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}/edm/"
    finally:
        process.terminate()
        process.wait(10)


def test_behind_nginx_at_a_path_the_page_is_whole_and_answers_come_as_they_are_made(browser, server, tmp_path):
    with nginx(tmp_path, server) as address, closing(browser.new_context(reduced_motion="reduce")) as context:
        context.add_init_script(NO_STORAGE)
        page, asked, refused = context.new_page(), [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("response", lambda answer: answer.status >= 400 and refused.append(answer.url))
        page.on("pageerror", lambda error: refused.append(str(error)))
        page.goto(f"{address}?steps=6&count=30")
        page.wait_for_selector(SETTLED, timeout=30_000)
        page.evaluate(MOVE, 3)
        page.wait_for_function("location.href.includes('/edm/?') && location.search.includes('rho=3')", timeout=60_000)
        assert refused == [] and [url for url in asked if not url.startswith((address, "data:"))] == []
        assert streamed(address) > 0.03


def streamed(address):
    """Seconds between the first two lines of an answer: small ones, which nginx would keep for each other."""
    with Visitor(address).said("order", values={}) as answers:
        times = [(time.monotonic(), answer["finished"]) for answer, _ in zip(answers, range(2), strict=False)]
    assert not any(finished for _, finished in times)
    return times[1][0] - times[0][0]
