"""Every test claims something: it asserts, or expects a refusal, itself or in a helper that it calls."""

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
FILES = sorted(path for path in TESTS.rglob("*.py") if path.name != "__init__.py")
CLAIMS = {"raises", "expect", "fail"}  # of pytest and Playwright; and whatever is called assert_…


@cache
def functions(path):
    """Those of a file by their names, and those that it has from other files of the tests."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {node.name: (path, node) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "tests":
            there = TESTS.joinpath(*node.module.split(".")[1:])
            for alias in node.names:
                for place, names in ((there, [alias.name]), (there / alias.name, None)):
                    home = place.with_suffix(".py") if place.with_suffix(".py").exists() else place / "__init__.py"
                    if not home.exists():
                        continue
                    for name in names or functions(home):
                        key = alias.asname or name if names else f"{alias.asname or alias.name}.{name}"
                        if name in functions(home):
                            found.setdefault(key, functions(home)[name])
    return found


def called(node):
    """Names of what is called in a function, as they are written there: helper, module.helper."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name | ast.Attribute):
            yield ast.unparse(call.func)


def claims(path, node, seen=()):
    """Whether a function asserts anything, or calls one of the tests' that does."""
    if any(isinstance(inner, ast.Assert) for inner in ast.walk(node)):
        return True
    known = functions(path)
    for name in called(node):
        last = name.rpartition(".")[2]
        if last in CLAIMS or last.startswith("assert_"):
            return True
        if name in known and known[name] not in seen and claims(*known[name], (*seen, known[name])):
            return True
    return False


@pytest.mark.parametrize(
    "path", [p for p in FILES if p.name.startswith("test_")], ids=lambda p: str(p.relative_to(TESTS))
)
def test_every_test_claims_something(path):
    tests = {name: found for name, found in functions(path).items() if name.startswith("test_") and found[0] == path}
    assert [name for name, found in tests.items() if not claims(*found)] == []


def test_a_test_that_can_fail_only_by_an_exception_is_found(tmp_path):
    path = tmp_path / "test_nothing.py"
    path.write_text("def helper():\n    print(1)\n\n\ndef test_nothing():\n    helper()\n")
    assert not claims(*functions(path)["test_nothing"])
    other = tmp_path / "test_something.py"
    other.write_text("def helper():\n    assert 1\n\n\ndef test_something():\n    helper()\n")
    assert claims(*functions(other)["test_something"])
