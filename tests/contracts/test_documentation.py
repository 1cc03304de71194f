"""The library's documentation can be made, says something of every module, and needs no network."""

import re
import warnings
from importlib import import_module
from pathlib import Path

import pytest

import edm
from tests import documentation


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """{name of a page: its HTML}, made without a warning."""
    folder = tmp_path_factory.mktemp("documentation")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        documentation.build(folder, documentation.modules(), source=False)
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in folder.rglob("*.*")}


def test_every_module_of_the_library_has_a_page(pages):
    wanted = {f"{name.replace('.', '/')}.html" for name in documentation.modules()}
    assert {"edm.html", "edm/sampling/loop.html"} < wanted and set(pages) == {*wanted, "index.html", "search.js"}
    for name in wanted:
        folder = Path(name).parent.parts
        for address in re.findall(r'href="(?!https?:|data:|#|\$)([^"#]+)', pages[name]):
            parts = list(folder)
            for part in Path(address).parts:
                parts = parts[:-1] if part == ".." else [*parts, part]
            assert "/".join(parts) in pages, f"{name} leads to {address}"


def test_the_pages_fetch_nothing_from_elsewhere(pages):
    for name, text in pages.items():
        fetched = re.findall(r"""(?:<script[^>]*\ssrc=|<link[^>]*\shref=|<img[^>]*\ssrc=|url\()["']?https?:""", text)
        assert not fetched, name


def test_docstrings_are_shown_as_they_are_written(pages):
    page = pages["edm/preconditioning.html"]
    assert edm.preconditioning.__doc__.splitlines()[0] in page
    assert "<em>" not in page
    knobs = pages["edm/sampling/settings.html"]
    assert "Number of steps; Heun costs 2N − 1 evaluations" in knobs
    assert "Annotated" not in knobs and "object at 0x" not in knobs, "types are written for people"


def test_every_module_and_every_name_at_the_front_says_what_it_is():
    for name in documentation.modules():
        assert (import_module(name).__doc__ or "").strip(), name
    for name in edm.__all__:
        assert (getattr(edm, name).__doc__ or "").strip(), name
