"""A lesson that somebody has made: as a word in a link, as a file, and what no such word or file can do."""

import base64
import json
import time
import zlib

import pytest

from edm import lessons
from edm.base.errors import Refused
from edm.lessons import links

STEP = {"text": "Look at **ρ**.", "open": "model=spiral&rho=3", "only": ["rho"], "control": "rho"}
LESSON = {"title": "A lesson", "steps": [STEP]}


def word(document):
    """What a link holds, of any making."""
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    return as_word(zlib.compress(text))


def as_word(data):
    return links.BEGIN + base64.urlsafe_b64encode(data).decode().rstrip("=") + links.END


@pytest.mark.parametrize("name", lessons.names())
def test_a_lesson_comes_back_from_a_link_and_from_a_file(name):
    lesson = lessons.load(name)
    packed = lessons.packed(lesson)
    assert lessons.find(packed) == lesson
    assert lessons.read(lessons.written(lesson)) == lesson
    assert len(packed) < 2000  # as an address that is sent around


def test_what_a_sentence_leaves_at_the_end_of_a_link_is_no_part_of_it():
    for text in ("x", "ab", "abc", "abcd"):
        assert lessons.packed(lessons.parse({**LESSON, "about": text}))[-1].isalnum()


def test_text_of_several_lines_is_a_block_in_a_file():
    text = lessons.written(lessons.parse({**LESSON, "steps": [{"text": "One\n\n- two\n"}]}))
    assert "- text: |\n    One\n\n    - two\n" in text


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("d-", "not whole"),
        ("d-%%%e", "not whole"),
        ("d-Ye", "cannot be read"),
        (as_word(b"no such thing"), "cannot be read"),
        (as_word(zlib.compress(b"{}" * 9)[:-3]), "cut|cannot be read"),
        (as_word(zlib.compress(b"{}") + b"more"), "not whole"),
        (word(b"\xff\xfe"), "not text|not valid"),
        (word(b"{"), "not valid JSON"),
        (word(b"[" * 5000), "nested too deeply|not valid"),
        (word(b'{"title": "a", "title": "b"}'), "twice"),
        (word([]), "names and values"),
        (word({}), "title is missing"),
        (word({**LESSON, "script": "x"}), "no such field"),
        (word({**LESSON, "title": 3}), "title = 3"),
        (word({**LESSON, "steps": "x"}), "steps"),
        (word({**LESSON, "steps": [STEP] * 41}), "at most 40"),
        (word({**LESSON, "steps": [{**STEP, "onclick": "x"}]}), "no such field"),
        (word({**LESSON, "steps": [{**STEP, "text": "x" * 4001}]}), "at most 4,000 letters"),
        (word({**LESSON, "steps": [{**STEP, "control": '"], *'}]}), "name of a control"),
        (word({**LESSON, "steps": [{**STEP, "only": ["<b>"], "control": ""}]}), "name of a control"),
        (word({**LESSON, "steps": [{**STEP, "reveal": "{error(here):999999999}"}]}), "how many figures"),
        (word({**LESSON, "steps": [{**STEP, "reveal": "{error(here).__class__}"}]}), "there are numbers"),
        (word({**LESSON, "steps": [{**STEP, "reveal": "{order(here, 1, 1e9)}"}]}), "from 0.0001 to 10000"),
        (word({**LESSON, "steps": [{**STEP, "reveal": "{answers(here, 0)}"}]}), "from 0.0001 to 10000"),
        (word({**LESSON, "steps": [{**STEP, "states": {"../x": ""}}]}), "small letters"),
        ("d-" + "A" * 200_000 + "e", "not whole"),
        ("../../etc/passwd", "there is no lesson"),
    ],
)
def test_a_word_that_is_no_lesson_is_refused_with_a_sentence(given, why):
    with pytest.raises(Refused, match=why) as refused:
        lessons.find(given)
    assert len(str(refused.value)) <= 800 and str(refused.value).isprintable()


def test_a_word_that_swells_is_read_no_further_than_a_lesson_can_be_large():
    bomb = as_word(zlib.compress(b" " * (64 << 20), 9))
    assert len(bomb) < 2 * links.MOST_BYTES
    begin = time.process_time()
    with pytest.raises(Refused, match="too large"):
        lessons.find(bomb)
    assert time.process_time() - begin < 0.1  # all of it would take several times as long, and 64 MB


def test_a_word_that_is_cut_anywhere_is_refused():
    whole = lessons.packed(lessons.parse(LESSON))
    for end in range(2, len(whole)):
        with pytest.raises(Refused):
            lessons.find(whole[:end])
    for end in range(2, len(whole) - 1):
        with pytest.raises(Refused):
            lessons.find(whole[:end] + links.END)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no lesson"),
        ("- a\n- b", "no lesson"),
        ("title: [", "not valid YAML"),
        ("title: &a x\nabout: *a", "alias"),
        ("a: &a [x, x]\nb: &b [*a, *a]\ntitle: t", "alias"),
        ("title: !!python/object/apply:os.system [ls]\nsteps: []", "tag"),
        ("title: a\ntitle: b", "twice"),
        ("title: " + "[" * 200, "nested too deeply|not valid"),
        ("title: a\nsteps:\n- text: b\n  run: rm", "no such field"),
        ("x" * 70_000, "too large"),
        ("title: 2026-01-01\nsteps: 3", "steps"),
        ("\x00", "not valid YAML"),
    ],
)
def test_a_file_that_is_no_lesson_is_refused_with_a_sentence(text, why):
    with pytest.raises(Refused, match=why):
        lessons.read(text)


def test_a_lesson_that_is_too_large_has_no_link():
    steps = [{"text": "x" * 4000}] * 20
    with pytest.raises(Refused, match="make two of it"):
        lessons.packed(lessons.parse({"title": "Long", "steps": steps}))


def test_what_is_wrong_with_a_draft_is_told_step_by_step_and_field_by_field():
    ask = {"kind": "choice", "text": "?", "choices": [{"text": "a"}, {"text": "b", "when": "error(here)"}]}
    draft = {"title": "", "steps": [STEP, {**STEP, "ask": ask}, {"text": "x", "ask": {"kind": "mark", "text": "?"}}]}
    found = [(one.step, one.field) for one in lessons.problems(draft)]
    assert found == [(None, "title"), (1, "ask.choices.1.when"), (2, "ask.truth")]
    assert [one.field for one in lessons.problems({"title": "a", "steps": []})] == ["steps"]
    assert [one.field for one in lessons.problems({"title": "a", "steps": "x"})] == ["steps"]
    assert [one.step for one in lessons.problems({"title": "a", "steps": [3]})] == [0]
    assert lessons.problems(LESSON) == []
