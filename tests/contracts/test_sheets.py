"""Style sheets: one for each part of the page's rooms, drawing with tokens, in what Gradio can rewrite."""

import re

import pytest

from app.routes.scripts import SHEETS
from edm.base.resources import ASSETS

PAGE = ASSETS / "page"
TOKENS = "shared/tokens.css"
GRADIO = {"gradio-container", "main", "contain", "wrap", "html-container", "column", "block", "dark"}  # its own classes


def read(name):
    return re.sub(r"/\*.*?\*/", "", (PAGE / name).read_text(encoding="utf-8"), flags=re.S)


def top_level(text):
    """The selectors and at-rules that stand in nothing else."""
    depth, prelude = 0, ""
    for character in text:
        if character == "{":
            if depth == 0:
                yield prelude.strip()
            depth, prelude = depth + 1, ""
        elif character == "}":
            depth, prelude = depth - 1, ""
        elif depth == 0:
            prelude += character
    assert depth == 0


def test_every_sheet_is_served_and_tokens_come_first():
    assert sorted(SHEETS) == sorted(path.relative_to(PAGE).as_posix() for path in PAGE.rglob("*.css"))
    assert SHEETS[0] == TOKENS
    rooms = [name.split("/")[0] for name in SHEETS]
    assert [room for k, room in enumerate(rooms) if room not in rooms[:k]] == [
        "shared",
        "sampler",
        "instruments",
        "lessons",
        "train",
    ]


@pytest.mark.parametrize("name", SHEETS)
def test_a_sheet_keeps_to_what_gradio_can_rewrite(name):
    # It says each rule of the top level again for its own container, by splitting the selector at its commas, and
    # leaves out what it does not know; a rule that mentions the dark theme anywhere is said again for that alone.
    for prelude in top_level(read(name)):
        assert prelude.startswith("@keyframes ") or "@" not in prelude, prelude
        assert not re.search(r"\([^)]*,", prelude), prelude
    assert name == TOKENS or ".dark" not in read(name)


@pytest.mark.parametrize("name", sorted(set(SHEETS) - {TOKENS}))
def test_colours_are_written_among_the_tokens_alone(name):
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b|\b(?:rgba?|hsla?|oklch)\(", read(name)) == []


def test_both_themes_have_the_same_colours_and_every_token_is_used():
    light, dark, both = (
        set(re.findall(r"(--ex-[\w-]+):", block)) for block in re.findall(r"\{(.*?)\}", read(TOKENS), re.S)
    )
    assert dark == light and not both & light
    used = set(re.findall(r"var\((--ex-[\w-]+)", "".join(map(read, SHEETS))))
    assert used <= light | both
    scripts = "".join(path.read_text(encoding="utf-8") for path in PAGE.rglob("*.js"))
    assert {
        token for token in light | both if token not in used and f'"{token.removeprefix("--ex-")}"' not in scripts
    } == set()


def test_every_class_of_the_sheets_is_one_that_the_scripts_give():
    scripts = "".join(path.read_text(encoding="utf-8") for path in PAGE.rglob("*.js"))
    scripts += (ASSETS.parent / "app" / "transport" / "live.py").read_text(encoding="utf-8")
    given = set(re.findall(r"[\w-]+", " ".join(re.findall(r'"[^"\n]*"|`[^`\n]*`|\'[^\'\n]*\'', scripts))))
    classes = set(re.findall(r"\.([a-z][\w-]*)", re.sub(r"\{[^{}]*\}", "{}", "".join(map(read, SHEETS)))))
    classes |= set(re.findall(r"^\s*[^:;{}]*?\.([a-z][\w-]*)[^;]*\{", "".join(map(read, SHEETS)), re.M))
    assert classes - given - GRADIO == set()
