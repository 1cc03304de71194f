"""Tables of names beside the registries that hold them, found in the text of the program."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEFAULTS = {
    "option",
    "knob",
    "lanes_option",
    "model_option",
    "solvers_option",
}  # what is chosen at first is said where it is declared


def in_python(names: dict[str, set[str]], folders=("edm", "app")) -> Iterator[tuple[str, int, str, list[str]]]:
    """(file, line, kind, names) of every literal that holds two names of one registry or more. names: by kind."""
    for path in sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        first = {id(node.args[0]) for node in ast.walk(tree) if isinstance(node, ast.Call) and _declares(node)}
        for node in ast.walk(tree):
            if id(node) not in first:
                found = _constants(node)
                for kind, known in names.items():
                    if len(known & found) >= 2:
                        yield str(path.relative_to(ROOT)), node.lineno, kind, sorted(known & found)


def in_scripts(names: dict[str, set[str]]) -> Iterator[tuple[str, int, str, list[str]]]:
    """The same of the page's scripts: lines with two such names as text or as keys."""
    for path in sorted((ROOT / "assets" / "page").rglob("*.js")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            code = "" if line.strip().startswith(("*", "/*")) else line.split("//")[0]
            found = set(re.findall(r"[\"'](\w+)[\"']", code)) | set(re.findall(r"[{,]\s*(\w+):", code))
            for kind, known in names.items():
                if len(known & found) >= 2:
                    yield str(path.relative_to(ROOT)), number, kind, sorted(known & found)


def _declares(call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return bool(call.args) and name in DEFAULTS


def _constants(node) -> set[str]:
    if isinstance(node, ast.Dict):
        parts = [*node.keys, *node.values]
    elif isinstance(node, ast.Set | ast.List | ast.Tuple):
        parts = node.elts
    else:
        return set()
    return {part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)}
