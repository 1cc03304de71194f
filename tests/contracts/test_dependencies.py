"""What is imported is declared, and what is declared is imported, or says why."""

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
OURS = {"edm", "app", "tests"}


def distribution(requirement):
    """The name of what a requirement asks for, as registries write it."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


@cache
def imported(*folders):
    """{name of a distribution: files that import it}."""
    known, found = packages_distributions(), {}
    for path in sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            for name in {name.partition(".")[0] for name in names} - OURS - sys.stdlib_module_names:
                found.setdefault(distribution(known.get(name, [name])[0]), set()).add(str(path.relative_to(ROOT)))
    return found


def lines(file):
    """[(requirement, what is said of it)] of a requirements file."""
    split = [line.partition("#") for line in (ROOT / file).read_text(encoding="utf-8").splitlines()]
    return [(requirement.strip(), why.strip()) for requirement, _, why in split if requirement.strip()]


def test_what_the_program_imports_is_declared():
    declared = PROJECT["dependencies"] + [one for extra in EXTRAS if extra != "dev" for one in EXTRAS[extra]]
    missing = set(imported("edm", "app")) - set(map(distribution, declared))
    assert not missing, {name: imported("edm", "app")[name] for name in missing}


def test_what_tests_import_is_declared():
    declared = PROJECT["dependencies"] + EXTRAS["train"] + EXTRAS["dev"]
    missing = set(imported("tests")) - set(map(distribution, declared))
    assert not missing, {name: imported("tests")[name] for name in missing}


def test_what_is_declared_is_imported_or_says_why():
    for file, folders in (("requirements.txt", ("edm", "app")), ("tests/requirements.txt", ("tests",))):
        used = imported(*folders)
        silent = [requirement for requirement, why in lines(file) if not why and distribution(requirement) not in used]
        assert not silent, f"{file}: nothing imports {silent}"


def test_the_files_of_requirements_say_what_the_project_says():
    required = [requirement for requirement, _ in lines("requirements.txt")]
    assert sorted(required) == sorted(PROJECT["dependencies"] + EXTRAS["train"])
    assert sorted(requirement for requirement, _ in lines("tests/requirements.txt")) == sorted(EXTRAS["dev"])


def test_every_requirement_has_a_lowest_and_a_highest_version():
    for requirement in PROJECT["dependencies"] + [one for extra in EXTRAS.values() for one in extra]:
        assert re.fullmatch(r"[\w.\[\]-]+>=[\d.]+,<\d[\d.]*", requirement), requirement
