"""Gradio is imported without what it does for editors at every start."""

import inspect

import pytest

from app.transport import live
from app.transport.quiet import gr

QUIETLY = """
from app.transport.quiet import gr, without_stubs
with without_stubs():
    class Quiet(gr.HTML):
        pass
"""
LOUDLY = """
from app.transport.quiet import gr

class Loud(gr.HTML):
    pass
"""


@pytest.mark.parametrize(("name", "code", "stubs"), [("quietly", QUIETLY, 0), ("loudly", LOUDLY, 1)])
def test_a_component_that_is_defined_quietly_leaves_no_stub(tmp_path, monkeypatch, name, code, stubs):
    (tmp_path / f"{name}.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    __import__(name)
    assert len(list(tmp_path.glob("*.pyi"))) == stubs


def test_sources_are_found_again_once_it_is_imported():
    assert inspect.getfile(gr.HTML).endswith("html.py")


def test_the_page_is_built_of_gradios_own_components():
    """One of ours would have a stub written beside it at every start."""
    with gr.Blocks():
        assert type(live.place()) is gr.HTML
