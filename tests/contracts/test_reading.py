"""What people read first is true: links lead somewhere, commands can be given, and names are where they are said."""

import argparse
import re
import shlex
import tomllib
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml

from app.__main__ import options as app_options
from app.tabs.links import opened_from
from app.tours.command import options as lesson_options
from edm.__main__ import COMMANDS, parser
from edm.commands import options as common

ROOT = Path(__file__).resolve().parents[2]
PAGES = ["README.md", "CONTRIBUTING.md", "assets/models/README.md"]
HOME = "http://127.0.0.1:7860/"


def text(page):
    return (ROOT / page).read_text(encoding="utf-8")


def written(page):
    """The commands in a page, whole though they may be on several lines."""
    blocks = re.findall(r"```bash\n(.*?)```", text(page), re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line.partition("  #")[0].strip() for line in lines if line.strip()]


def offered(capsys):
    """The commands in all help."""
    for read, arguments in [
        *((parser().parse_args, [name]) for name in COMMANDS),
        (parser().parse_args, []),
        (app_options, []),
        (lesson_options, ["export"]),
    ]:
        with pytest.raises(SystemExit):
            read([*arguments, "--help"])
    lines = [line.strip() for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    return [line for line in lines if re.match(r"(python|torchrun) .*-m ", line)]


def check(line):
    """Raises, or ends the process, if a command would."""
    for command in re.split(r"&&|;", line):
        rest = command.strip() if command.strip().startswith("bash") else command.partition(" -m ")[2] or command
        words = shlex.split(rest)
        match words:
            case ["edm", *arguments]:
                arguments = [word.replace("$L", "assets/models/ladder") for word in arguments]
                chosen = parser().parse_args(arguments)
                if re.search(r"--(resume|config|path)|/.*\.|\.safe", rest):
                    return
                if arguments[0] == "sample":
                    assert chosen.run(argparse.Namespace(**{**vars(chosen), "dry_run": True})) is None
                elif arguments[0] == "train":
                    common.settings(chosen)
            case ["app", "lessons", *arguments]:
                lesson_options(arguments)
            case ["app", *arguments]:
                app_options(arguments)
            case ["pytest", *arguments]:
                assert all((ROOT / word).exists() for word in arguments if "/" in word), line
            case ["bash", script, *_]:
                assert (ROOT / script).is_file(), line
            case ["venv", *_] | [".venv/bin/pip", *_] | ["L=assets/models/ladder"]:
                assert "requirements.txt" in line or "ladder" in line
            case [module, *_]:
                assert module.startswith("tests.") and find_spec(module), line


@pytest.mark.parametrize("line", [line for page in PAGES for line in written(page)])
def test_a_command_that_is_written_down_can_be_given(line):
    check(re.sub(r"PYTHON=\S+ ", "", line))


def test_every_example_in_the_help_can_be_given(capsys):
    lines = offered(capsys)
    assert len(lines) > 20
    for line in lines:
        check(line)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_what_is_there(page):
    for address in re.findall(r"\]\(([^)\s]+)\)", text(page)):
        if address.startswith("#"):
            headings = [
                re.sub(r"[^\w -]", "", line.lower()).strip() for line in text(page).splitlines() if line[:1] == "#"
            ]
            assert address[1:] in [heading.replace(" ", "-") for heading in headings], address
        elif not urlsplit(address).scheme:
            assert ((ROOT / page).parent / address).exists(), address
    for path in re.findall(r"`((?:edm|app|tests|assets|presets)/[\w./]*)`", text(page)):
        assert (ROOT / path).exists(), path


def test_links_into_the_page_are_read_whole():
    links = re.findall(re.escape(HOME) + r"\?([^)`\s]+)", text("README.md"))
    assert len(links) >= 10
    for query in [*links, *re.findall(r"`\?(figure=\w+)`", text("README.md"))]:
        assert opened_from(parse_qsl(query))["notice"] is None, query


def test_the_library_s_example_runs(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    code = re.search(r"```python\n(.*?)```", text("README.md"), re.DOTALL)[1]
    assert "images=20_000" in code
    exec(compile(code.replace("images=20_000", "images=256, tick=256, checkpoint=256"), "README.md", "exec"), {})
    assert "Checkpoint" in capsys.readouterr().out


def test_what_is_to_be_added_has_its_registry_where_it_is_said_to_be():
    part = text("CONTRIBUTING.md").split("## Add something")[1].split("\n## ")[0]
    names = 0
    for bullet in re.split(r"\n- |\*\*Data", part)[1:]:
        files = [(ROOT / path).read_text(encoding="utf-8") for path in re.findall(r"`([\w/]+\.(?:py|js))`", bullet)]
        for name in re.findall(r"`([A-Z]{5,})`", bullet):
            assert any(re.search(rf"^(?:const )?{name}\b.*=", file, re.MULTILINE) for file in files), name
            names += 1
    assert names >= 8


def test_the_citation_is_of_this_version_and_names_the_papers():
    citation, project = yaml.safe_load(text("CITATION.cff")), tomllib.loads(text("pyproject.toml"))["project"]
    assert citation["version"] == project["version"] and citation["license"] == project["license"] == "MIT"
    assert citation["authors"] == project["authors"] == [{"name": "the EDM Explorer authors"}]
    assert "the EDM Explorer authors" in text("LICENSE")
    papers = [paper["identifiers"][0]["value"] for paper in citation["references"]]
    assert "arXiv:2206.00364" in papers and len(papers) > 4


def test_every_room_is_named():
    for package in ("edm", "app"):
        rooms = [path for path in (ROOT / package).iterdir() if (path / "__init__.py").exists()]
        missing = [path.name for path in rooms if f"`{package}/{path.name}/`" not in text("CONTRIBUTING.md")]
        assert not missing, missing
