"""The rules that hold the house up (DESIGN.md), as tests."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ABOVE = {"app", "gradio"}
LATE = {"torchvision", "sklearn", "scipy", "pandas", "psutil", "yaml", "PIL", "gradio", "plotly", "tensorboardX"}
ONLY_IN = {"pandas": ("edm/data/", "edm/runs/"), "plotly": ("edm/plots",)}  # of the library, and only when asked for


def imports(path):
    return imported(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def imported(nodes):
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("path", sorted((ROOT / "edm").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_library_knows_nothing_of_the_page(path):
    assert not ABOVE & set(imports(path))


def test_figures_load_plotly_when_they_are_drawn_and_not_before():
    assert not {"plotly", "pandas"} & loaded_after("import edm; edm.plots.levels")
    assert "plotly" in loaded_after("import edm; edm.plots.levels(edm.Sampling())")


@pytest.mark.parametrize("path", sorted((ROOT / "app" / "figures").rglob("*.py")), ids=lambda p: p.name)
def test_figures_know_neither_gradio_nor_torch(path):
    assert not {"gradio", "torch"} & set(imports(path))


def at_once(path):
    """The statements that run when a module is imported."""
    waiting = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        yield node
        typing = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        if not typing and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)


@pytest.mark.parametrize("package", ONLY_IN)
def test_tables_and_figures_for_notebooks_are_made_where_they_are_asked_for(package):
    for path in (ROOT / "edm").rglob("*.py"):
        if package in imports(path):
            name = path.relative_to(ROOT).as_posix()
            assert name.startswith(ONLY_IN[package]), path
            late = (
                package not in imported(at_once(path)) or name == "edm/plots/drawn.py"
            )  # itself loaded late, see above
            assert late, f"{path} imports it before anybody has asked"


def loaded_after(statement):
    code = f"import sys; {statement}; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


def test_import_edm_loads_nothing_heavy():
    assert not {"torch", "numpy", "pydantic", *LATE} & loaded_after("import edm")


def test_sampling_needs_nothing_heavier_than_torch_and_numpy():
    statement = "import edm; edm.sample; edm.Sampling(); edm.latents; edm.exact; edm.preconditioning; edm.diagnostics"
    assert not LATE & loaded_after(statement)


def test_what_ships_with_the_code_is_found_through_one_module():
    for path in [*(ROOT / "edm").rglob("*.py"), *(ROOT / "app").rglob("*.py")]:
        names = {
            node.id for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Name)
        }
        assert "__file__" not in names or path == ROOT / "edm" / "base" / "resources.py", path


def test_the_top_level_is_as_designed():
    tracked = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True, cwd=ROOT).stdout.split()
    allowed = {"app", "edm", "presets", "assets", "tests", "requirements.txt", "README.md"}
    allowed |= {"LICENSE", "CITATION.cff", "CONTRIBUTING.md", ".ci", "pyproject.toml", ".gitignore"}
    allowed |= {"package.json", "package-lock.json"}  # for the page's scripts
    assert {name.split("/")[0] for name in tracked} <= allowed
