"""Imports run one way: the floors of the house, and what of a folder of Python stands on which."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EDM = [  # from the ground; the rooms of a floor may use each other, but not in a circle
    ["base"],
    ["schedules", "respacing", "timesteps", "solvers", "wrapped", "mixtures", "patches", "given", "labelled"],
    ["preconditioning", "classifier", "exact", "embedded", "noises", "objective"],
    ["sampling", "networks", "data"],
    ["files"],
    ["experiments"],
    ["training"],
    ["evaluation"],
    ["runs", "diagnostics"],
    ["lessons"],
    ["commands", "__main__"],
    ["plots"],
]
APP = [
    ["sentences", "figures", "messages"],
    ["transport"],
    ["work"],
    ["uploads", "instruments", "tours"],
    ["visitors", "training"],
    ["tabs", "routes"],
    ["page", "schema"],
    ["server"],
    ["__main__"],
]
HOUSES = {"edm": EDM, "app": APP}


def modules(package: str, root: Path = ROOT) -> dict[str, Path]:
    """Every module of a package by its dotted name."""
    found = {}
    for path in sorted((root / package).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def arrows(package: str, root: Path = ROOT) -> dict[str, set[str]]:
    """Which modules of the package each of them imports, wherever in it that stands, and for types too."""
    known = modules(package, root)
    return {name: _imported(path, known) - {name} for name, path in known.items()}


def _imported(path, known) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports by dots; write the whole name"
            parts = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in known else node.module for name in parts}
    return found & set(known)


def room_of(module: str) -> str:
    """The room of a module: the folder or file right under its package."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def upward(package: str, floors: list[list[str]], root: Path = ROOT) -> list[str]:
    """The imports that lead to a higher floor, and the modules that stand on none."""
    height = {room: i for i, floor in enumerate(floors) for room in floor}
    found = []
    for module, imported in arrows(package, root).items():
        room = room_of(module)
        if not room:  # the package's front, which loads what it is asked for
            continue
        if room not in height:
            found.append(f"{module} stands on no floor")
            continue
        found += [f"{module} → {other}" for other in imported if height.get(room_of(other), -1) > height[room]]
    return sorted(found)


def circle(package: str, root: Path = ROOT) -> list[str]:
    """A circle of rooms, or of modules within them; [] if there is none."""
    inner = arrows(package, root)
    rooms: dict[str, set[str]] = {}
    for module, imported in inner.items():
        if room_of(module):
            rooms.setdefault(room_of(module), set()).update(room_of(other) for other in imported)
    for graph in (inner, {room: {other for other in below if other} - {room} for room, below in rooms.items()}):
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            return error.args[1]
    return []
