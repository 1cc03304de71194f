"""What to notice in a figure: read from the lines as they were sent, and told of the figure's own settings only."""

import pytest

from app.instruments import INSTRUMENTS, notices
from app.instruments.job import Figure
from app.work.shared import Work
from app.work.watch import Watch
from edm.base.errors import Refused
from edm.experiments import presets

CELLS = [[1, 2], [4, 3]]
BODY = {
    "figure": {
        "panels": [
            {
                "lines": [
                    {"name": "VP", "x": [2, 5, 10], "y": [1.0, 0.5, 0.25]},
                    {"name": "EDM", "x": [3, 9], "y": [2, 0.1]},
                ]
            },
            {"lines": [{"name": "VP", "x": [0, 1], "y": [None, 7.0], "low": [None, 6.0], "high": [None, 8.0]}]},
            {"heat": {"x": ["1", "7"], "y": ["8", "18"], "z": CELLS, "low": CELLS, "high": CELLS}},
        ]
    }
}  # fmt: skip
LINES = {"vp": "VP", "edm": "1/#-1", "other": "2/VP", "row": "3/18"}


def notice(**more):
    return notices.Notice.parse({"claim": "c", "lines": LINES, "holds": ["last(edm) < last(vp)"], "here": "so"} | more)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("at(vp, 9)", 0.5),
        ("at(vp, 1)", 1.0),
        ("last(edm)", 0.1),
        ("where(vp)", 10),
        ("first(other)", 7),
        ("low(other, 1) + high(other, 1)", 14),
        ("at(row, 7)", 3),
        ("most_in(vp, 3, 20)", 0.5),
    ],
)
def test_a_measure_reads_the_line_as_it_was_sent(text, value):
    told = notices.noticed(notice(here=f"{{{text}:4}}"), BODY)["told"]
    assert float(told) == value


def test_a_claim_that_does_not_hold_is_told_with_its_reason_and_one_that_does_without():
    one = notice(here="{last(edm)}", otherwise="because of {first(vp)}")
    assert notices.noticed(one, BODY) == {"claim": "c", "holds": True, "told": "0.10"}
    swapped = one.changed(holds=("last(edm) > last(vp)",))
    assert notices.noticed(swapped, BODY) == {"claim": "c", "holds": False, "told": "0.10. because of 1.0"}


def test_what_is_not_drawn_yet_is_no_verdict():
    assert notices.noticed(notice(), {"figure": None})["holds"] is None
    empty = {"figure": {"panels": [{"lines": [{"name": "VP", "x": [], "y": []}]}]}}
    assert notices.noticed(notice(), empty)["holds"] is None


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"holds": ["last(nothing) < 1"]}, "one of the lines vp, edm"),
        ({"holds": ["error(vp) < 1"]}, "one of first, last"),
        ({"holds": ["last(vp)"]}, "compares nothing"),
        ({"here": "{__import__('os')}"}, "there are numbers"),
    ],
)
def test_a_notice_that_cannot_be_computed_is_refused(wrong, words):
    with pytest.raises(Refused, match=words):
        notice(**wrong)


def test_only_the_figure_s_own_settings_have_its_notice():
    show, values = presets.figure("table1_preconditioning")
    settings = INSTRUMENTS[show].settings.parse(INSTRUMENTS[show].complete(values))
    job = Figure(instrument=show, settings=settings)
    *_, (body, _) = job.compute(Work("cpu"), Watch())
    assert body["notice"]["holds"] is True
    assert "sizes from 1.00 to 1.00" in body["notice"]["told"]
    changed = Figure(instrument=show, settings=settings.changed(sigma_data=0.4))
    *_, (body, _) = changed.compute(Work("cpu"), Watch())
    assert "notice" not in body
