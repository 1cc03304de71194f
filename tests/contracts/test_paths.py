"""Nothing outside `edm.sampling.path` works out levels, times or amounts of noise, and nothing but the loop steps."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.contracts.floors import ROOT

PATH = "edm/sampling/path.py"
# What only the path may do, and who else, for a reason of its own.
EXCEPTIONS = {
    "the time of a level": {
        "edm/timesteps.py": "VP's levels are even in VP's own time, whatever the schedule is",
        "edm/preconditioning.py": "VP's network is told VP's own time",
        "edm/noises.py": "VP's distribution of levels in training is even in VP's own time",
    },
    "a schedule or scaling by its name": {"edm/schedules.py": "`of` is what the path asks"},
    "levels of settings": {
        "edm/timesteps.py": "`sigmas` is what the path asks",
        "edm/sampling/settings.py": "settings that have no levels are refused",
    },
    "churn's γ": {"edm/schedules.py": "VP's fit must reach what churn can ask for"},
    "a step": {"edm/sampling/loop.py": "the loop"},
}


def _names(node) -> list[str]:
    """["edm", "schedules", "of"] of edm.schedules.of; the attributes alone of what is no name."""
    names: list[str] = []
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        if isinstance(node, ast.Attribute):
            names.insert(0, node.attr)
        node = node.func if isinstance(node, ast.Call) else node.value
    return [node.id, *names] if isinstance(node, ast.Name) else names


def _deeds(node) -> list[str]:
    """What an expression does that is the path's to do."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and _names(node.left)[-1:] == ["S_churn"]:
        return ["churn's γ"]
    if isinstance(node, ast.Name | ast.Attribute) and _names(node)[-1:] == ["MAX_CHURN"]:
        return ["churn's γ"]
    if isinstance(node, ast.Subscript) and _names(node.value)[-1:] in (["SCHEDULES"], ["SCALINGS"]):
        return ["a schedule or scaling by its name"]
    if not isinstance(node, ast.Call):
        return []
    names = _names(node.func)
    if names[-1:] == ["inverse"] and len(names) > 1:
        return ["the time of a level"]
    if names[-2:] == ["schedules", "of"]:
        return ["a schedule or scaling by its name"]
    if names[-2:] == ["timesteps", "sigmas"] or names[-1:] == ["levels_of"]:
        return ["levels of settings"]
    if names[-1:] == ["levels"] and len(names) > 1 and len(node.args) >= 3:  # of a discretization
        return ["levels of settings"]
    if names and names[-1].endswith("_levels") and names[-1].split("_")[0] in ("vp", "ve", "iddpm", "edm"):
        return ["levels of settings"]
    return ["a step"] if names[-2:] in (["SOLVERS", "begin"], ["solver", "begin"]) else []


def breaches(root: Path = ROOT) -> set[tuple[str, str]]:
    """(file, what it does) for all of the library and the page that does what is the path's."""
    found = set()
    for path in sorted([*root.glob("edm/**/*.py"), *root.glob("app/**/*.py")]):
        name = path.relative_to(root).as_posix()
        for node in ast.walk(ast.parse(path.read_text())):
            found |= {(name, deed) for deed in _deeds(node)}
    return {(name, deed) for name, deed in found if name != PATH}


def test_only_the_path_works_out_levels_and_times():
    allowed = {(name, deed) for deed, files in EXCEPTIONS.items() for name in files}
    assert breaches() == allowed  # an exception that is needed no longer is taken off the list, too


@pytest.mark.parametrize(
    ("text", "deed"),
    [
        ("t = path.schedule.inverse(sigma)", "the time of a level"),
        ("s, scaling = schedules.of(sampling)", "a schedule or scaling by its name"),
        ("clock = edm.schedules.SCHEDULES['vp'](0.1, 80)", "a schedule or scaling by its name"),
        ("levels = timesteps.sigmas(sampling)", "levels of settings"),
        ("levels = DISCRETIZATIONS['edm'].levels(18, 0.002, 80, 7)", "levels of settings"),
        ("levels = timesteps.edm_levels(18, 0.002, 80, 7)", "levels of settings"),
        ("gamma = min(sampling.S_churn / steps, 0.4)", "churn's γ"),
        ("most = schedules.MAX_CHURN - 1", "churn's γ"),
        ("step = SOLVERS[name].begin(path, sampling)", "a step"),
        ("step = edm.solvers.SOLVERS[name].begin(path, sampling)", "a step"),
    ],
)
def test_what_works_them_out_elsewhere_is_found(tmp_path, text, deed):
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "toy.py").write_text(f"def f():\n    {text}\n")
    assert breaches(tmp_path) == {("app/toy.py", deed)}
