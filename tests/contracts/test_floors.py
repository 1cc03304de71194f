"""Imports run one way, those inside functions too."""

from __future__ import annotations

import pytest

from tests.contracts import floors


@pytest.mark.parametrize("package", floors.HOUSES)
def test_nothing_looks_upwards(package):
    assert floors.upward(package, floors.HOUSES[package]) == []


@pytest.mark.parametrize("package", floors.HOUSES)
def test_there_is_no_circle(package):
    assert floors.circle(package) == []


@pytest.mark.parametrize("package", floors.HOUSES)
def test_every_room_is_there(package):
    rooms = {floors.room_of(module) for module in floors.modules(package)} - {""}
    assert {room for floor in floors.HOUSES[package] for room in floor} == rooms


@pytest.mark.parametrize(
    ("text", "upward", "circle"),
    [
        ("from edm.sampling import loop", ["edm.base.low → edm.sampling.loop"], True),
        ("def f():\n    import edm.sampling.loop", ["edm.base.low → edm.sampling.loop"], True),
        (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from edm.sampling import loop",
            ["edm.base.low → edm.sampling.loop"],
            True,
        ),
        ("import json", [], False),
    ],
)
def test_what_looks_upwards_is_found(tmp_path, text, upward, circle):
    for name, content in {"base/low": text, "sampling/loop": "from edm.base import low", "high": ""}.items():
        path = tmp_path / "edm" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    found = floors.upward("edm", floors.EDM, tmp_path)
    assert found == [*upward, "edm.high stands on no floor"]
    assert bool(floors.circle("edm", tmp_path)) == circle
