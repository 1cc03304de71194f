"""What a wheel installs does without the checkout: commands, models and presets, the page, workers."""

import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
import time
import zipfile
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest

import edm

ROOT = Path(__file__).resolve().parents[2]
BIN = "Scripts" if os.name == "nt" else "bin"
QUICK = ["--preset=training/toy", "--images=640", "--batch=64", "--tick=320", "--samples=4", "--validation=8"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps"]
    builder = ["--no-build-isolation"] if find_spec("hatchling") else []  # else pip brings one
    subprocess.run([*pip, *builder, f"--wheel-dir={folder}", str(ROOT)], check=True, cwd=folder)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """An environment that holds nothing but the wheel, and reads what that needs where these tests have it."""
    place = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(place)]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)], check=True)
    packages = next(place.rglob("site-packages"))
    needed = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
    (packages / "needed.pth").write_text("".join(f"{path}\n" for path in needed))
    return place


class Elsewhere:
    """Commands that begin at the same time in a folder of their own, since each takes seconds to import torch."""

    def __init__(self, place, folder):
        self._place, self.folder = place, folder
        self._environment = {
            name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "EDM_RUNS")
        }

    def begin(self, command, *arguments):
        words = [str(self._place / BIN / command), *arguments]
        output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        return subprocess.Popen(words, cwd=self.folder, env=self._environment, **output)

    @staticmethod
    def said(process):
        text, _ = process.communicate(timeout=120)
        assert process.returncode == 0, text
        return text


def test_a_wheel_holds_the_code_and_what_ships_with_it_and_no_other_name(wheel):
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
    assert {name.split("/")[0] for name in names} == {"edm", "app", f"edm_explorer-{version()}.dist-info"}
    places = {"assets": "edm/share/assets", "presets": "edm/share/presets", "app": "app", "edm": "edm"}
    for folder, inside in places.items():
        tracked = subprocess.run(["git", "ls-files", folder], capture_output=True, text=True, check=True, cwd=ROOT)
        wanted = {f"{inside}{name.removeprefix(folder)}" for name in tracked.stdout.splitlines()}
        assert wanted <= set(names), f"{wanted - set(names)}"


def version():
    return re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)[1]


def test_what_is_installed_runs_in_another_folder(installed, tmp_path):
    here = Elsewhere(installed, tmp_path)
    server = here.begin("edm-explorer", "--no-browser")
    run = here.begin("edm", "runs", "start", *QUICK, "--name=moons", "--device=cpu")
    sample = ["sample", "--model=digits_edm", "--preset=designs/vp", "--count=2", "--steps=2", "--device=cpu"]
    picture = here.begin("edm", *sample, "--out=two.png")
    places = here.begin("python", "-c", "import edm, app; print(edm.__file__); print(app.__file__)")
    try:
        assert "sample a model" in here.said(here.begin("edm", "--help"))
        assert "2 samples" in here.said(picture)
        assert edm.render.read_document(tmp_path / "two.png")["model"] == "digits_edm"
        assert all(line.startswith(str(installed)) for line in here.said(places).splitlines())
        address = next(found[0] for line in server.stdout if (found := re.search(r"http://\S+/", line)))
        for path in ("", "explorer/main.js", "explorer-figures/figure1.png", "favicon.ico"):
            assert httpx.get(f"{address}{path}", timeout=30).status_code == 200, path
        here.said(run)
        status = tmp_path / "runs" / "moons" / "status.json"
        while not status.exists() or json.loads(status.read_text())["state"] not in ("finished", "failed"):
            time.sleep(0.1)
        assert json.loads(status.read_text())["state"] == "finished", (status.parent / "log.txt").read_text()
    finally:
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=20)
