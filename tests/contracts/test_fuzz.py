"""Whatever it is given, the program answers or says in a sentence why not: a slice of the trial of that name."""

import random

import pytest

from tests import fuzz


@pytest.mark.parametrize("kind", fuzz.KINDS)
def test_inputs_of_any_making_end_in_an_answer_or_a_sentence(kind, tmp_path):
    found = fuzz.fuzz(random.Random(f"suite {kind}"), 80, tmp_path / "fuzz", (kind,))
    assert found.failures == []
    assert found.answers[kind]
    assert found.refusals[kind] or kind == "links"
