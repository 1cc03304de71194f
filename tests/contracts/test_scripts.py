"""The page's scripts: who may import whom, and what checks them. Types and form: `python -m tests.scripts`."""

import json
import os
import re
from pathlib import Path

import pytest

from app.instruments import INSTRUMENTS

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "assets" / "page"
SCRIPTS = sorted(PAGE.rglob("*.js"))


def room(path):
    """The folder of a script; main.js has none."""
    return path.relative_to(PAGE).parts[0] if path.parent != PAGE else ""


def imported(path):
    code = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.S)  # types may be of anybody's
    for name in re.findall(r'(?:from|import\()\s*"(\.[^"]+)"', code):
        yield Path(os.path.normpath(path.parent / name))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(PAGE)))
def test_a_room_imports_from_itself_and_from_what_all_share(path):
    allowed = {"": {room(other) for other in SCRIPTS}}.get(room(path), {room(path), "shared"})
    for other in imported(path):
        assert other.exists(), f"{path.name} imports {other}, which is not there"
        assert room(other) in allowed, f"{path.name} imports {other.relative_to(PAGE)}"


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(PAGE)))
def test_a_script_is_read_by_typescript_whole_and_fits_in_a_head(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"@ts-(nocheck|ignore|expect-error)", text)
    assert len(text.splitlines()) <= 300


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(PAGE)))
def test_a_script_keeps_no_bag_of_fields_and_tells_nobody_through_the_window(path):
    code = path.read_text(encoding="utf-8")
    assert not re.search(r"Object\.assign\(this|constructor\.name|window\.dispatchEvent|CustomEvent|setInterval", code)


def test_no_two_scripts_import_each_other():
    edges = {path: set(imported(path)) for path in SCRIPTS}
    while free := {path for path, others in edges.items() if not others & edges.keys()}:
        edges = {path: others for path, others in edges.items() if path not in free}
    assert not edges, f"a circle: {', '.join(sorted(str(path.relative_to(PAGE)) for path in edges))}"


def test_the_lock_file_is_of_the_package_file_and_holds_no_addresses():
    text = (ROOT / "package-lock.json").read_text(encoding="utf-8")
    wanted = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    assert "://" not in text
    assert json.loads(text)["packages"][""]["devDependencies"] == wanted


@pytest.mark.parametrize("instrument", INSTRUMENTS.values(), ids=lambda instrument: instrument.name)
def test_every_instrument_names_a_script_that_draws_it(instrument):
    text = (PAGE / "instruments" / f"{instrument.described()['script']}.js").read_text(encoding="utf-8")
    assert "export default class" in text
