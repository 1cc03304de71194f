"""A lesson as one HTML file: text, pictures, questions, and what comes of them, computed now. No scripts."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from html import escape
from typing import Any

from app.tours.pictures import Drawn
from app.work.reveals import Reveal
from app.work.shared import Work
from app.work.watch import Watch
from edm import lessons
from edm.lessons.documents import HERE
from edm.lessons.expressions import written as figures

PAPER = "https://arxiv.org/abs/2206.00364"
SAME = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_COLORS = {
    "light": "--bg: #fbfbfa; --ink: #1d2330; --mute: #5f6673; --line: #d5d8dd; --data: #2f6fb5; --told: #f0f2f5",
    "dark": "--bg: #14161b; --ink: #e8eaee; --mute: #9aa2af; --line: #2f343f; --data: #6ba6e8; --told: #262b35",
}
_STYLE = """
body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; font: 16px/1.55 system-ui, sans-serif;
  background: var(--bg); color: var(--ink); }
h1 { margin-bottom: 0; line-height: 1.2; }
h2 { font-size: 1.05rem; color: var(--mute); }
a { color: var(--data); }
img { width: 100%; border: 1px solid var(--line); border-radius: 6px; }
section { margin-top: 2.2rem; border-top: 1px solid var(--line); break-inside: avoid; }
.lead, .foot { color: var(--mute); }
.told { padding: .1rem 1rem; border-radius: 6px; background: var(--told); }
.right { font-weight: 600; }
.right::marker { content: "✓ "; }
sup, sub { line-height: 0; }
.root { border-top: 1px solid; }
.symbol { white-space: nowrap; }
.scripts { display: inline-flex; flex-direction: column; vertical-align: middle; font-size: .75em; line-height: 1; }
.scripts > * { font-size: 1em; line-height: 1; vertical-align: baseline; }
@media print {
  body { margin: 0; max-width: none; font-size: 11pt; background: none; color: #000; }
  a, .lead, .foot, h2 { color: inherit; }
}
"""


def written(
    lesson: lessons.Lesson, ships: str | None, page: Drawn, theme: str, address: str, say: Callable[[str], Any]
) -> bytes:
    """The file, UTF-8. ships: its name, where it is one that a server knows. say: is told of each step that begins."""
    steps, count = [], len(lesson.steps)
    for number, step in enumerate(lesson.steps, 1):
        say(f"step {number} of {count}: its picture, and its numbers")
        here = f"lesson={ships}&step={number}" if ships else step.open
        steps.append(_step(step, number, count, page, f"{address}?{here}"))
    title, about = page.inline([lesson.title, lesson.about])
    body = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{SAME}">
<title>{escape(lesson.title)}</title>
<style>:root {{ {_COLORS[theme]} }}{_STYLE}</style>
</head>
<body>
<h1>{title}</h1>
<p class="lead">{about}</p>
<p class="lead"><a href="{PAPER}">Karras, Aittala, Aila and Laine 2022</a>{_place(lesson.paper)}</p>
{"".join(steps)}
<p class="foot">Made by the <a href="{escape(address)}">EDM explorer</a>; pictures and numbers were computed for it.</p>
</body>
</html>
"""
    return _led(body, address).encode()


def _place(paper) -> str:
    return f": {escape(paper)}" if paper else ""


def _led(body, address) -> str:
    """Links to states lead to the explorer."""
    return re.sub(r'href="\?', lambda _: f'href="{escape(address)}?', body)


def _step(step, number, count, page, live) -> str:
    picture = base64.b64encode(page.picture(step.open)).decode()
    found = _found(step)
    (text,) = page.blocks([step.text])
    told = page.blocks([found["told"]])[0] if found["told"] else ""
    shown = _question(step.ask, found, page) if step.ask else ""
    revealed = f'<div class="told">{told}</div>' if told else ""
    heading = f"Step {number} of {count}"
    return f"""<section>
<h2>{heading}</h2>
{text}
<p><img alt="{heading}: {escape(step.open or "the page as it opens")}" src="data:image/png;base64,{picture}"></p>
{shown}
{revealed}
<p class="foot"><a href="{escape(live)}">Open it, and change it</a></p>
</section>
"""


def _found(step) -> dict:
    job = Reveal(step=step.document(), experiment=step.experiments()[HERE])
    *_, (found, _) = job.compute(Work("cpu"), Watch())
    return found


def _question(question, found, page) -> str:
    (asked,) = page.inline([question.text])
    if question.kind == "choice":
        lines = [choice.text for choice in question.choices]
        right = [k in found["right"] for k in range(len(lines))]
        because = ["" if good else choice.because for good, choice in zip(right, question.choices, strict=True)]
        texts = zip(right, page.inline(lines), page.inline(because), strict=True)
        answers = "".join(
            f"<li{' class=right' if good else ''}>{text}{f' — {why}' if why else ''}</li>" for good, text, why in texts
        )
        return f"<p><b>{asked}</b></p><ul>{answers}</ul>"
    truth = figures(found["truth"])
    said = f"σ = {truth}" if question.kind == "mark" else f"{truth} {question.unit}".strip()
    return f"<p><b>{asked}</b> {page.inline([said])[0]}</p>"
