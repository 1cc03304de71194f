"""Names and passwords of a classroom: whose they are, and how wrong ones are answered."""

import asyncio
import stat
from contextlib import suppress

import pytest

from app.visitors.delays import Busy, Delays
from app.visitors.names import NAMES_FILE
from app.visitors.passwords import generated
from app.visitors.room import Room
from tests import loop
from tests.app.conftest import CLASS, TEACHER
from tests.app.visitors.rooms import enters, inside, opened, run_of, visitor


def test_a_teacher_is_told_by_the_password_and_not_by_the_name(tmp_path):
    room = opened(tmp_path)
    kim, ben = inside(room, "Kim", TEACHER), inside(room, "Ben")
    assert kim.teacher and not ben.teacher
    for name in ("Kim", "kim", " KIM ", "Ｋｉｍ", "Kim (teacher)"):
        assert not enters(room, name)
    assert not enters(room, "ben", TEACHER)  # or a student who is in would become one
    assert not visitor(room, "Kim (teacher)").teacher
    assert not visitor(room, "ben").teacher
    assert visitor(room, "nobody").name is visitor(room, None).name is None


def test_after_a_restart_a_student_with_the_teacher_s_name_owns_nothing_of_the_teacher_s(tmp_path):
    kim = inside(opened(tmp_path), "Kim", TEACHER)
    room = opened(tmp_path)
    student = inside(room, "Kim")
    with pytest.raises(ValueError, match="somebody else's"):
        room.check_control(student, run_of(kim.name))


@pytest.mark.parametrize("name", ["", " ", "x" * 41, "a/b", "../..", "<b>", "a:b", "-a", "_", "a\u202eb"])
def test_names_are_letters_and_digits(tmp_path, name):
    assert not enters(opened(tmp_path), name)


@pytest.mark.parametrize("name", ["Anna", "Zoë O'Neil", "李明", "group 3", "j.-p. b"])
def test_names_may_be_of_any_language(tmp_path, name):
    assert inside(opened(tmp_path), name).name == name.lower()


@pytest.mark.parametrize("password", ["", "chalk", CLASS + "x", CLASS[:-1], "édition", " " + CLASS, TEACHER + " x"])
def test_no_other_password_opens(tmp_path, password):
    assert not enters(opened(tmp_path), "Anna", password)


def test_a_word_of_ones_own_keeps_the_name(tmp_path):
    room = opened(tmp_path)
    assert enters(room, "Anna", CLASS + " plum")
    for later in (room, opened(tmp_path)):
        assert enters(later, "anna", CLASS + "  plum ")
        assert not enters(later, "Anna", CLASS + " pear")
        assert not enters(later, "Anna")
    assert enters(room, "Ben")
    assert not enters(room, "Ben", CLASS + " mine")  # whoever comes later cannot lock Ben out
    assert enters(opened(tmp_path), "Ben")
    kept = tmp_path / NAMES_FILE
    assert "plum" not in kept.read_text() and stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_right_passwords_never_wait_for_wrong_ones(tmp_path, monkeypatch):
    monkeypatch.setattr("app.visitors.entrance.WRONG_SECONDS", 30)  # no wrong try is answered while this test runs
    monkeypatch.setattr("app.visitors.delays.LONGEST", 1e9)
    room = opened(tmp_path)

    async def storm():
        guesses = [asyncio.create_task(room.entrance.login(f"n{k}", "guess", "10.0.0.1")) for k in range(190)]
        guesses += [asyncio.create_task(room.entrance.login("Anna", CLASS[:-1], "10.0.0.1")) for _ in range(10)]
        await asyncio.sleep(0)
        assert await room.entrance.login("Anna", CLASS + " plum", "10.0.0.1")
        assert await room.entrance.login("Kim", TEACHER, "10.0.0.1")
        for name in ("n0", "other"):  # a wrong try too many is told so, and not that it is wrong
            with pytest.raises(Busy):
                await room.entrance.login(name, "guess", "10.0.0.2")
        assert await room.entrance.login("Ben", CLASS, "10.0.0.1")
        assert not any(guess.done() for guess in guesses)
        for guess in guesses:
            guess.cancel()
        await asyncio.gather(*guesses, return_exceptions=True)
        monkeypatch.setattr("app.visitors.entrance.WRONG_SECONDS", 0)
        assert not await room.entrance.login("other", "guess", "10.0.0.2")  # they are forgotten once they are over

    loop.run(storm())


def test_wrong_answers_come_one_after_another_for_each_name_and_each_address(monkeypatch):
    waits = []

    async def sleep(seconds):
        waits.append(round(seconds, 1))

    monkeypatch.setattr("app.visitors.delays.asyncio.sleep", sleep)
    delays = Delays()

    def wrong(address, name):
        with suppress(StopIteration):  # nothing in it waits
            delays.wrong(0.5, {("address", address): 0.1, ("name", name): 0.5}).send(None)
        return waits[-1]

    assert [wrong("a", "anna") for _ in range(4)] == [0.5, 1.0, 1.5, 2.0]
    assert [wrong("b", "anna"), wrong("a", "ben"), wrong("b", "carl")] == [2.5, 0.5, 0.5]
    assert [wrong("c", f"n{k}") for k in range(8)] == [0.5] * 5 + [0.6, 0.7, 0.8]
    with pytest.raises(Busy):
        for _ in range(30):
            wrong("d", "anna")
    assert max(waits) <= 10
    for k in range(12_000):
        wrong(f"a{k}", f"n{k}")
    assert len(delays) == 10_000


def test_a_word_that_waits_for_a_processor_is_not_called_wrong(tmp_path, monkeypatch):
    monkeypatch.setattr("app.visitors.entrance.MOST_ASKED", 20)
    room = opened(tmp_path)
    assert enters(room, "Anna", CLASS + " plum")

    async def storm():
        guesses = [room.entrance.login("Anna", f"{CLASS} guess{k}", "10.0.0.1") for k in range(70)]
        answers = await asyncio.gather(*guesses, return_exceptions=True)
        assert answers[:20] == [False] * 20 and all(isinstance(answer, Busy) for answer in answers[20:])
        return await room.entrance.login("Anna", CLASS + " plum", "10.0.0.1")

    assert loop.run(storm())


def test_passwords_are_compared_as_they_are_read(tmp_path):
    decomposed = Room(tmp_path, local=False, password="cafe\u0301 \u2603")
    assert enters(decomposed, "edm", "caf\u00e9 \u2603") and not enters(decomposed, "edm", "cafe \u2603")
    assert not enters(decomposed, "edm", "\ud800") and not enters(decomposed, "edm", "x" * 10**6)
    room = Room(tmp_path, local=False, password="ä", classroom=True, teacher_password="ö ü")
    assert enters(room, "Anna", "a\u0308 \u00df") and enters(room, "anna", "ä ß") and not enters(room, "anna", "ä ss")


def test_a_refused_student_does_not_take_a_name(tmp_path):
    room = opened(tmp_path)
    assert enters(room, "Kim", CLASS + " plum")
    room = opened(tmp_path)  # after a restart
    assert not enters(room, "Kim", CLASS + " pear")
    assert enters(room, "Kim", TEACHER)


def test_generated_passwords_can_be_read_out():
    assert all(len(p) == 14 and not set(p) & set("0O1Il") for p in (generated() for _ in range(50)))
    assert len({generated() for _ in range(50)}) == 50
