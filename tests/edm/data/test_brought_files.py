"""Files as people have them, of every program that writes such: each is read as it must be, or gets a sentence."""

from __future__ import annotations

import random

import pytest

from tests import brought


@pytest.mark.parametrize("kind", brought.MAKERS)
def test_files_of_all_makings_are_read_or_refused_in_a_sentence(tmp_path, kind):
    cases = list(brought.MAKERS[kind](random.Random(f"{kind} 0")))
    assert len({case.name for case in cases}) == len(cases) > 30
    told = {case.name: case.differences(tmp_path / str(k)) for k, case in enumerate(cases)}
    assert not {name: differences for name, differences in told.items() if differences}
