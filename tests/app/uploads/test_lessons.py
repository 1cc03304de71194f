"""Lessons that were shared on this server."""

import json

import pytest

from app.uploads import lessons as shared
from app.uploads.lessons import FOLDER, Shelf
from edm import lessons
from edm.base.errors import Refused

LESSON = lessons.parse({"title": "A lesson", "steps": [{"text": "Look."}]})


def another(k):
    return lessons.parse({"title": f"Lesson {k}", "steps": [{"text": "Look."}]})


def test_a_lesson_keeps_its_short_key_over_a_restart(tmp_path):
    key = Shelf(tmp_path).put(LESSON, None)
    assert len(key) == 10 and Shelf(tmp_path).find(key) == LESSON
    assert Shelf(tmp_path).put(LESSON, "somebody else") == key
    assert [path.name for path in (tmp_path / FOLDER).iterdir()] == [f"{key}.json"]


def test_those_that_ship_and_those_in_links_are_found_too(tmp_path):
    assert Shelf(tmp_path).find("rho") == lessons.load("rho")
    assert Shelf(tmp_path).find(lessons.packed(LESSON)) == LESSON


@pytest.mark.parametrize("name", ["s-", "s-aaaaaaaa", "s-../../../x", "s-AAAAAAAA", "s-aaaaaaaa/..", "s-" + "a" * 999])
def test_under_other_keys_there_is_nothing(tmp_path, name):
    (tmp_path / "x.json").write_text(json.dumps({"lesson": LESSON.document()}))
    with pytest.raises(Refused, match="no lesson is shared here"):
        Shelf(tmp_path).find(name)


def test_a_file_that_somebody_has_changed_is_refused_as_any_lesson_is(tmp_path):
    key = Shelf(tmp_path).put(LESSON, None)
    path = tmp_path / FOLDER / f"{key}.json"
    path.write_text(json.dumps({"lesson": {"title": "x", "steps": []}}))
    with pytest.raises(Refused, match="steps"):
        Shelf(tmp_path).find(key)
    path.write_text("{")
    with pytest.raises(Refused, match="no lesson is shared here"):
        Shelf(tmp_path).find(key)


def test_what_is_kept_is_bounded_for_one_and_for_all(tmp_path, monkeypatch):
    monkeypatch.setattr(shared, "MOST", 3)
    monkeypatch.setattr(shared, "MOST_EACH", 2)
    shelf = Shelf(tmp_path)
    keys = [shelf.put(another(k), "ada") for k in range(2)]
    with pytest.raises(Refused, match="of one person it keeps 2"):
        shelf.put(another(2), "ada")
    shelf.put(another(2), "bob")
    with pytest.raises(Refused, match="this server keeps 3"):
        shelf.put(another(3), "bob")
    assert shelf.put(another(0), "ada") == keys[0]  # it is there


def test_another_lesson_does_not_take_an_address(tmp_path):
    shelf = Shelf(tmp_path)
    key = shelf.put(LESSON, None)
    path = tmp_path / FOLDER / f"{key}.json"
    path.write_text(json.dumps({"lesson": another(1).document()}))
    with pytest.raises(Refused, match="short address"):
        shelf.put(LESSON, None)
