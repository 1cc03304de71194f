"""A lesson as a page of its own: all in one file, computed now, and nothing in it that could run."""

import html
import io
import re

from PIL import Image

from app.tours import document
from edm import lessons

STEP = {
    "text": "Try **ρ**. [Look](?show=race)",
    "open": "model=two_moons&rho=3&count=20&steps=6",
    "states": {"seven": "model=two_moons&rho=7&count=20&steps=6"},
    "ask": {
        "kind": "choice",
        "text": "Which?",
        "choices": [
            {"text": "seven", "when": "steps(seven) > 5", "because": "It has six."},
            {"text": "<b>none</b>", "when": "steps(seven) < 5", "because": "There are more."},
        ],
    },
    "reveal": "ρ = {rho}, N = {steps(here)}",
}
NUMBER = {
    "text": "n",
    "open": "steps=6",
    "ask": {"kind": "number", "text": "How many?", "truth": "steps(here)", "unit": "steps"},
}


class Page:
    """What the browser would draw."""

    asked: list[str]

    def __init__(self):
        self.asked = []

    def picture(self, query):
        self.asked.append(query)
        made = io.BytesIO()
        Image.new("RGB", (30, 20)).save(made, "PNG")
        return made.getvalue()

    def blocks(self, texts):
        return [f"<p>{one}</p>" for one in self.inline(texts)]

    def inline(self, texts):
        return [re.sub(r"\[(.+?)\]\((.+?)\)", r'<a href="\2">\1</a>', html.escape(text)) for text in texts]


def written(steps, **more):
    lesson = lessons.parse({"title": "A <i>title</i>", "about": "about", "paper": "Section 3", "steps": steps})
    page, said = Page(), []
    options = {"ships": "rho", "theme": "light", "address": "http://127.0.0.1:7860/"} | more
    return (
        document.written(lesson, options["ships"], page, options["theme"], options["address"], said.append).decode(),
        page,
        said,
    )


def test_it_holds_text_pictures_questions_and_numbers_that_are_computed_now():
    text, page, said = written([STEP, NUMBER])
    assert page.asked == [STEP["open"], NUMBER["open"]]
    assert text.count("data:image/png;base64,") == 2
    assert "ρ = 3, N = 6.0" in text
    assert "<li class=right>seven</li>" in text
    assert "— There are more." in text and "It has six" not in text
    assert "How many?</b> 6.0 steps" in text
    assert [line.split(":")[0] for line in said] == ["step 1 of 2", "step 2 of 2"]


def test_nothing_in_it_runs_or_is_fetched_and_what_a_stranger_wrote_is_text():
    text, *_ = written([STEP])
    assert "<script" not in text and "<i>title" not in text and "<b>none" not in text
    assert "default-src 'none'" in text
    sources = re.findall(r'src="(.{5})', text)
    assert sources == ["data:"]


def test_its_links_lead_to_the_live_state():
    text, *_ = written([STEP], address="https://edm.example/")
    assert 'href="https://edm.example/?show=race"' in text
    assert 'href="https://edm.example/?lesson=rho&amp;step=1"' in text
    text, *_ = written([STEP], ships=None)
    assert 'href="http://127.0.0.1:7860/?model=two_moons&amp;rho=3' in text, "no server knows a lesson of a file"


def test_both_themes_and_paper_are_styled():
    light, dark = (written([NUMBER], theme=theme)[0] for theme in ("light", "dark"))
    assert light != dark and "@media print" in light
