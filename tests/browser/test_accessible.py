"""Everybody can read and use the page, as far as axe-core can tell; `tests.trials everywhere` looks at all of it."""

import pytest

from app.instruments import INSTRUMENTS
from tests.browser import accessible
from tests.browser.accessible import PHONE, SCREEN

LOOKS = {
    ("light", SCREEN): ("", ("loss", "oracle", "curvature", "patches")),
    ("dark", SCREEN): ("?model=two_diracs", ("lanes", "churn", "order", "times", "clocks")),
    ("light", PHONE): ("?model=digits&view.selected=1", ("preconditioning", "truncation", "race", "sameness")),
    ("dark", PHONE): ("?S_churn=4", ("training", "walk", "sweep", "tradeoff", "prediction", "guide", "led", "cascade")),
}


@pytest.mark.parametrize(("theme", "size"), LOOKS)
def test_axe_finds_nothing_wrong(explore, theme, size):
    query, names = LOOKS[theme, size]
    explorer = explore(query, width=size[0], height=size[1], color_scheme=theme)
    accessible.bring(explorer.page)
    found = accessible.wrong(explorer.page, "sampler")
    found += accessible.instruments(explorer.page, names)
    found += accessible.train(explorer.page) if size == PHONE else accessible.dialogs(explorer.page)
    assert found == []


def test_every_instrument_is_looked_at():
    assert sorted(name for _, names in LOOKS.values() for name in names) == sorted(INSTRUMENTS)
