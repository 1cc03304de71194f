"""The rules that hold the house up (DESIGN.md), as tests."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ABOVE = {"app", "gradio", "plotly", "pandas"}
LATE = {"torchvision", "sklearn", "pandas", "yaml", "PIL", "gradio", "plotly"}


def imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("path", sorted((ROOT / "edm").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_library_knows_nothing_of_the_page(path):
    assert not ABOVE & set(imports(path))


@pytest.mark.parametrize("path", sorted((ROOT / "app" / "figures").rglob("*.py")), ids=lambda p: p.name)
def test_figures_know_neither_gradio_nor_torch(path):
    assert not {"gradio", "torch"} & set(imports(path))


def loaded_after(statement):
    code = f"import sys; {statement}; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


def test_import_edm_loads_nothing_heavy():
    assert not {"torch", "numpy", "pydantic", *LATE} & loaded_after("import edm")


def test_sampling_needs_nothing_heavier_than_torch_and_numpy():
    statement = "import edm; edm.sample; edm.Sampling(); edm.latents; edm.exact; edm.preconditioning; edm.diagnostics"
    assert not LATE & loaded_after(statement)


def test_the_top_level_is_as_designed():
    tracked = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True, cwd=ROOT).stdout.split()
    allowed = {"app", "edm", "presets", "assets", "tests", "requirements.txt", "README.md"}
    allowed |= {".ci", "pyproject.toml", ".gitignore", ".gitattributes", ".github"}
    allowed |= {"package.json", "package-lock.json", "jsconfig.json", "biome.json"}  # for the page's scripts
    assert {name.split("/")[0] for name in tracked} <= allowed
