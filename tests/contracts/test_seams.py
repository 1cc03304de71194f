"""Tests ask what is there to be asked: none reaches into what the library or the page keep to themselves."""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = [path for room in ("edm", "app") for path in sorted((ROOT / room).rglob("*.py"))]
BY_NAME = {"setattr", "delattr", "getattr", "hasattr", "setitem", "attrgetter", "methodcaller", "patch", "object"}
EXCEPT: dict[str, str] = {}  # "tests/a/file.py: _name" -> why there is no other way


def is_private(name):
    return name.startswith("_") and not name.endswith("__") and name.strip("_") != ""


def kept():
    """The private names of functions, classes, variables and attributes of the library and the page."""
    for path in OURS:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                    yield name
                case ast.Name(id=name, ctx=ast.Store()):
                    yield name
                case ast.Attribute(attr=name, value=ast.Name(id="self" | "cls"), ctx=ast.Store()):
                    yield name


@cache
def private():
    return {name for name in kept() if is_private(name)}


def reached(text):
    """The private names of ours that a test uses: of a module, of an object that is not its own, or in quotes."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.ImportFrom(module=str(module), names=aliases) if module.split(".")[0] in ("edm", "app"):
                yield from (part for part in [*module.split("."), *(a.name for a in aliases)] if is_private(part))
            case ast.Attribute(attr="__wrapped__" | "__self__" as name):
                yield name  # what a cache or a bound method is made of
            case ast.Attribute(attr=name, value=ast.Name(id="self" | "cls")):
                pass
            case ast.Attribute(attr=name) if name in private():
                yield name
            case ast.Call(func=asked, args=arguments) if ast.unparse(asked).split(".")[-1] in BY_NAME:
                quoted = [each.value for each in arguments if isinstance(each, ast.Constant)]
                for word in [word.split(".")[-1] for word in quoted if isinstance(word, str)]:
                    if word in private():
                        yield word


def test_no_test_reaches_behind_a_seam():
    found = {}
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for name in reached(path.read_text(encoding="utf-8")):
            found.setdefault(f"{path.relative_to(ROOT).as_posix()}: {name}", None)
    assert list(found) == sorted(EXCEPT), "ask by a public name, or give what is asked for one"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("from edm.runs.lease import _win, seize", ["_win"]),
        ("import edm.exact\nedm.exact._like(1)", ["_like"]),
        ("with Worker(folder) as worker:\n    worker._held = True", ["_held"]),
        ("monkeypatch.setattr(worker, '_held', True)", ["_held"]),
        ("monkeypatch.setattr('edm.training.estimate._held', True)", ["_held"]),
        ("getattr(worker, '_held')", ["_held"]),
        ("shipped.__wrapped__('digits')", ["__wrapped__"]),
        ("class A:\n    def f(self):\n        return self._held", []),
        ("os._exit(1)", []),
        ("edm.__doc__, name.split('_'), {'_type': 1}", []),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_reaching_behind_a_seam_is_noticed(text, names):
    assert list(reached(text)) == names
