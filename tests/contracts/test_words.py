"""What explains the page: every symbol shown has words, every figure a sheet, and what they lead to is there."""

import ast
import re
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from app.instruments import INSTRUMENTS, sheets
from app.tabs import TABS, controls
from app.tabs.links import opened_from
from app.training import form, tasks
from edm import lessons
from edm.lessons import glossary

ROOT = Path(__file__).resolve().parents[2]
NAMED = {name: sheets.load(name) for name in sheets.names()}
DRAWN = ("app/instruments", "app/training", "edm/plots")  # where axes are called what they are
LETTER, GREEK, NAME = r"[^\W\d_]", r"[Ͱ-Ͽ∇]", r"[A-Z]{2,4}"
TOKEN = re.compile(rf"(?<![\w'’])(?:{LETTER}[\u0300-\u036f]?)+(?:_\w+)?")
PATTERN = re.compile(
    rf"(?<![\w'’\-])(?<!\d[ \u00a0])(?:{'|'.join(map(re.escape, glossary.forms()))})(?![\w'’\-\u0300-\u036f])"
)
SUPERSCRIPTS = str.maketrans("", "", "²³⁻¹′″½⅓⅔")
WORDS = {"a", "A", "I"}
METHODS = r"\b(?:EDM|VP|VE|PNG|CSV)\b"  # names, which are no symbols


def below(text):
    """A declared symbol as texts write it."""
    return re.sub(r"<sub>(.*?)</sub>", r"_\1", text)


def parts(text):
    """(the forms of the glossary in a text, what else in it looks like a symbol): single letters, Greek ones, letters
    with something below them, and capitals."""
    plain = below(text).translate(SUPERSCRIPTS)
    rest = {found[0] for found in TOKEN.finditer(re.sub(PATTERN, " ", plain))} - WORDS
    looks = {
        word
        for word in rest
        if len(word.strip("\u0300\u0301\u0302\u0303")) == 1 or re.search(f"{GREEK}|^.*_|^{NAME}$", word)
    }
    return set(re.findall(PATTERN, plain)), looks


@cache
def knobs():
    """(where, name, declaration) of every knob of the page."""
    train = form.boot(ROOT / "nowhere", ["cpu"])
    groups = [("Sampler", controls.boot()["knobs"]), ("Train", train["short"] | train["fields"])]
    groups += [(one.name, one.described()["knobs"]) for one in INSTRUMENTS.values()]
    groups += [(one["name"], one["knobs"]) for one in tasks.kinds(own=True)]
    return [(where, *one) for where, declared in groups for one in declared.items()]


def titles():
    """(file, text) of what axes and panels are called, as their code writes it."""
    for path in (path for folder in DRAWN for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            pairs = zip(node.keys, node.values, strict=True) if isinstance(node, ast.Dict) else ()
            for value in (value for key, value in pairs if isinstance(key, ast.Constant) and key.value == "title"):
                texts = value.values if isinstance(value, ast.JoinedStr) else [value]
                written = [one.value for one in texts if isinstance(one, ast.Constant) and isinstance(one.value, str)]
                yield path.name, " ".join(written)
    for path in (ROOT / "assets" / "page").rglob("*.js"):
        for text in re.findall(r'\btitle(?:: | = | \?\? )"([^"]*)"', path.read_text(encoding="utf-8")):
            yield path.name, text


def explains(entry, name, written):
    """Whether an entry of the glossary is of a knob with this symbol."""
    return (name in entry.of or not entry.of) and bool(not entry.written or set(entry.written) & parts(written)[0])


def explained(name, written):
    """Whether the page has words for a knob's symbol; one that is called by its place, as the x of a sweep, is none."""
    forms, rest = parts(written)
    found = {form for entry in glossary.symbols() if explains(entry, name, written) for form in entry.written}
    return written.lower() == name or (not rest and forms <= found)


def clauses(text):
    return {part.strip().lower() for part in re.split(r"[.,;:]", text) if len(part.strip()) > 12}


def test_every_symbol_of_a_control_is_in_the_glossary():
    found = [(where, name, re.sub(METHODS, "", knob["symbol"])) for where, name, knob in knobs()]
    assert len(found) > 200
    assert [one for one in found if not explained(*one[1:])] == []


def test_every_symbol_on_an_axis_is_in_the_glossary():
    found = list(titles())
    assert len(found) > 60
    assert {text for _, text in found} >= {"λ · loss, λ as in training", "E[λ · error] on fresh samples", "|D − D*|"}
    missing = {(file, word) for file, text in found for word in parts(re.sub(METHODS, "", text))[1]}
    assert not missing


def test_a_symbol_without_words_is_found():
    assert parts("ζ and x") == ({"x"}, {"ζ"})
    assert parts("E[λ · loss] over p<sub>train</sub>, 5 k, 1-D") == ({"E", "λ", "p_train"}, {"k", "D"})
    assert not explained("steps", "Q<sub>max</sub>") and explained("steps", "N ≤")


def test_a_symbol_s_words_are_few_and_not_its_knob_s():
    known = {name for _, name, _ in knobs()}
    for symbol in glossary.symbols():
        assert 1 <= len(re.findall(r"[.](?:\s|$)", symbol.text)) <= 2 and len(symbol.text) <= 190, symbol.symbol
        alike = [one for one in glossary.symbols() if one is not symbol and set(one.written) & set(symbol.written)]
        assert set(symbol.of) <= known and (not symbol.of or alike or not symbol.written), symbol.symbol
        for _, name, knob in knobs():
            alike = explains(symbol, name, knob["symbol"]) and clauses(symbol.text) & clauses(knob["help"])
            assert not alike, (symbol.symbol, name, alike)


def told_in(step, symbol):
    """Whether a lesson's step tries a symbol, or its text has it."""
    ask = step.ask
    texts = [step.text, step.reveal] + ([ask.text, *(one.text for one in ask.choices)] if ask else [])
    plain = " ".join(re.sub(r"\{.*?\}|\]\(.*?\)", "", text) for text in texts)
    tried = step.control in symbol.of or (symbol.written and set(symbol.written) & _tried(step.control))
    return bool(
        tried or set(symbol.written) & parts(plain)[0] or (not symbol.written and symbol.symbol in plain.lower())
    )


def _tried(control):
    return {form for _, name, knob in knobs() if name == control for form in parts(knob["symbol"])[0]}


def test_the_lesson_of_a_symbol_tries_it_or_tells_of_it():
    placed = [(symbol, *symbol.place) for symbol in glossary.symbols() if symbol.place]
    assert len(placed) > 25
    for symbol, name, step in placed:
        assert told_in(lessons.load(name).steps[step - 1], symbol), symbol.symbol


def test_a_symbol_that_a_lesson_tells_of_leads_there():
    steps = [step for name in lessons.names() for step in lessons.load(name).steps]
    silent = {one.symbol for one in glossary.symbols() if not one.lesson and not one.of and one.written}
    assert not {
        one.symbol for one in glossary.symbols() if one.symbol in silent and any(told_in(s, one) for s in steps)
    }


def test_everything_that_is_drawn_has_a_sheet():
    assert sorted(name for tab in TABS for name in tab.sheets) == sorted(NAMED)
    assert set(INSTRUMENTS) < set(NAMED)
    kinds = {
        path.stem for path in (ROOT / "assets/page/shared/stages").glob("*.js") if "static sheet" in path.read_text()
    }
    assert kinds == set(NAMED) & {"plane", "line", "images"}


@pytest.mark.parametrize("name", NAMED)
def test_a_sheet_leads_to_states_of_the_page(name, tmp_path):
    sheet = NAMED[name]
    former = form.Former(tmp_path)
    links = [link for text in (sheet.axes, sheet.tries, sheet.mistake) for link in re.findall(r"\]\((.*?)\)", text)]
    assert re.search(r"\]\(\?", sheet.tries) and all(link.startswith("?") for link in links)
    for link in links:
        assert (
            opened_from(parse_qsl(link[1:], strict_parsing=True), lambda values: former.plan(values, costs=False))[
                "notice"
            ]
            is None
        ), link


@pytest.mark.parametrize("name", NAMED)
def test_a_sheet_of_an_instrument_tries_that_instrument(name):
    links = [parse_qsl(link) for link in re.findall(r"\]\(\?(.*?)\)", NAMED[name].tries)]
    shown = [opened["show"]["name"] for opened in map(opened_from, links) if opened["show"]]
    assert name not in INSTRUMENTS or name in shown


@pytest.mark.parametrize("name", NAMED)
def test_a_sheet_holds_no_markup_and_no_measured_numbers(name):
    sheet = NAMED[name]
    assert not any(
        re.search(r"[<>]\w|</|&\w+;", text) for text in (sheet.axes, sheet.tries, sheet.mistake, sheet.paper)
    )
    assert not re.search(r"\b0\.\d\d", sheet.axes + sheet.mistake)
