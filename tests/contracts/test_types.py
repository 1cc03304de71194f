"""The library says its types: every parameter and result of what is public, for whoever calls it with a checker."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.test_structure import ROOT

EDM = ROOT / "edm"
CALLED = {"__init__", "__call__"}  # by other names


def public(tree: ast.AST, inside: str = "") -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """(name, definition) of each function and method that others may call; what is inside a function is its own."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.ClassDef(name=name):
                yield from () if name.startswith("_") else public(node, f"{inside}{name}.")
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                if not name.startswith("_") or name in CALLED:
                    yield f"{inside}{name}", node
            case _:  # under an if, in a try
                yield from public(node, inside)


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.arg]:
    """All but the first of a method."""
    known = function.args
    named = [*known.posonlyargs, *known.args, *known.kwonlyargs, known.vararg, known.kwarg]
    return [argument for argument in named if argument is not None and argument.arg not in ("self", "cls")]


def unsaid(text: str) -> list[str]:
    """What the public functions of a module leave open: f(x) for a parameter, f → for a result."""
    found = []
    for name, function in public(ast.parse(text)):
        found += [f"{name}({argument.arg})" for argument in parameters(function) if argument.annotation is None]
        if function.returns is None and function.name != "__init__":
            found.append(f"{name} →")
    return found


@pytest.mark.parametrize("path", sorted(EDM.rglob("*.py")), ids=lambda path: str(path.relative_to(EDM)))
def test_every_public_function_says_its_types(path: Path):
    assert unsaid(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("def f(x, *rest, y: int = 0): ...", ["f(x)", "f(rest)", "f →"]),
        (
            "class A:\n    def __init__(self, x): ...\n    def g(self, **more) -> int: ...",
            ["A.__init__(x)", "A.g(more)"],
        ),
        ("def _f(x): ...\nclass _A:\n    def g(self, x): ...", []),
        ("def f(x: int) -> int:\n    def g(y): ...", []),
    ],
)
def test_what_is_left_open_is_found(text, found):
    assert unsaid(textwrap.dedent(text)) == found


def test_whoever_installs_the_library_gets_its_types():
    assert (EDM / "py.typed").is_file()
