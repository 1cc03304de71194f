"""Which GPU a run gets is chosen when it starts: by free memory, whoever holds the rest, and what else trains there."""

import sys
import time

import pytest

from edm import runs
from edm.runs import launchers, places
from edm.runs.beginnings import read as beginning
from edm.runs.choice import SETTLED
from tests.edm.base.nvml import GIB, Nvml, h100
from tests.edm.runs import Memory, points
from tests.edm.runs.stubs import say, state


@pytest.fixture
def machine(monkeypatch):
    """A launcher that only remembers, on a machine whose GPUs have so many GiB free."""
    launcher = Memory()
    monkeypatch.setitem(launchers.LAUNCHERS, "memory", launcher)

    def put(*free, shown=None):
        if shown is None:
            monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        else:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", shown)
        monkeypatch.setitem(sys.modules, "pynvml", Nvml(*(h100(k, free=size) for k, size in enumerate(free))))
        number = len(free) if shown is None else len(shown.split(",")) if shown else 0
        launcher.places = lambda: ["cpu", *(f"cuda:{k}" for k in range(number))]
        return launcher

    return put


def ask(folder, name, device="auto", **more):
    return runs.start(points(), folder, device, name, launcher="memory", **more)


def test_auto_is_bound_when_a_run_starts_and_not_when_it_is_asked_for(folder, machine):
    machine(61, 3)
    path = ask(folder, "a")
    assert (runs.read(path).device, places.read(places.request(path, 1, "start"))["device"]) == ("auto", "auto")
    launcher = machine(2, 30)  # somebody else has come meanwhile
    assert runs.advance(folder) == [path]
    assert launcher.submitted == [("a", "cuda:1")]
    found = runs.read(path)
    assert (found.device, found.place) == ("cuda:1", "cuda:1")
    assert beginning(path, 1).device == "cuda:1", "its worker is told"
    say(path, state="stopped", process={"job": 0}, device="cuda:1")
    runs.resume(path)
    assert runs.read(path).device == "auto", "it is asked for anew as it was before"
    machine(50, 30)
    runs.advance(folder)
    assert launcher.submitted[-1] == ("a", "cuda:0")


def test_every_free_seat_is_used_the_one_with_the_most_free_memory_first(folder, machine):
    launcher = machine(20, 61, 40)
    paths = [ask(folder, name) for name in "abcd"]
    assert runs.advance(folder) == paths[:3]
    assert launcher.submitted == [("a", "cuda:1"), ("b", "cuda:2"), ("c", "cuda:0")]
    assert state(paths[3]) == "queued"
    assert runs.advance(folder, at_once=2) == [paths[3]]
    assert launcher.submitted[-1] == ("d", "cuda:1"), "its share of the free memory is the largest"


def test_runs_on_several_gpus_and_those_of_a_terminal_count_where_they_are(folder, machine):
    launcher = machine(60, 50, 10)
    both = ask(folder, "both", "cuda*2")
    runs.advance(folder)
    assert launcher.submitted == [("both", "cuda:0+cuda:1")]
    assert runs.read(both).place == "cuda:0+cuda:1"
    one = ask(folder, "one")
    runs.advance(folder)
    assert launcher.submitted[-1] == ("one", "cuda:2")
    say(both, state="finished", process={"job": 0}), say(one, state="finished", process={"job": 1})
    terminal = folder / "terminal"  # it has a worker and no seat
    terminal.mkdir()
    (terminal / "requests").mkdir()
    places.create(places.request(terminal, 1, "taken"), {**launchers.claim(), "device": "auto", "environment": {}})
    for device, chosen in {"cuda": "cuda:1", "cuda*2": "cuda:2"}.items():
        say(terminal, device=device)
        machine(60, 50, 40)
        path = ask(folder, f"beside-{(device[4:] and 'two') or 'one'}")
        runs.advance(folder)
        assert launcher.submitted[-1][1] == chosen
        say(path, state="finished", process={"job": len(launcher.living) - 1})


def test_the_same_card_is_one_place_for_all_whatever_they_call_it(folder, machine):
    launcher = machine(10, 60, shown="1")
    first = ask(folder, "first", "cuda:0")
    assert runs.advance(folder) == [first]
    machine(10, 60)
    second, third = ask(folder, "second", "cuda:1"), ask(folder, "third", "cuda:0")
    assert runs.advance(folder) == [third], "cuda:1 is what the first run's asker calls cuda:0"
    assert state(second) == "queued"
    say(first, state="finished", process={"job": 0})
    machine(10, 60, shown="")
    assert runs.advance(folder) == [second], "whoever looks after the queue may see no GPU at all"
    assert launcher.submitted == [("first", "cuda:0"), ("third", "cuda:0"), ("second", "cuda:1")]


def test_a_run_waits_for_the_memory_that_it_needs_and_says_so(folder, machine):
    launcher = machine(20, 30)
    path, small = ask(folder, "large", needs=50 * GIB), ask(folder, "small", needs=5 * GIB)
    assert runs.advance(folder) == [small], "which need not wait for others' memory"
    assert runs.read(path).sentence == "waits for a GPU with 53.7 GB free: cuda:0 has 21.5, cuda:1 has 32.2"
    machine(70, 30)
    assert runs.advance(folder) == [path]
    assert runs.read(path).sentence is None
    assert launcher.submitted == [("small", "cuda:1"), ("large", "cuda:0")]


def test_what_a_run_has_yet_to_take_is_not_free(folder, machine):
    launcher = machine(70)
    first, second = ask(folder, "first", needs=50 * GIB), ask(folder, "second", "cuda:0", needs=50 * GIB)
    assert runs.advance(folder, at_once=2) == [first]
    assert runs.advance(folder, at_once=2) == []
    assert "waits for a GPU with 53.7 GB free: cuda:0 has 21.5" in runs.read(second).sentence
    say(first, process={"job": 0}, memory=45 * GIB)
    machine(25)
    assert runs.advance(folder, at_once=2) == []
    machine(52)
    assert runs.advance(folder, at_once=2) == []
    say(first, process={"job": 0}, memory=45 * GIB, started=time.time() - SETTLED - 1)
    assert runs.advance(folder, at_once=2) == [second]
    assert launcher.submitted == [("first", "cuda:0"), ("second", "cuda:0")]


def test_a_run_that_fits_on_no_card_begins_where_most_is_free(folder, machine):
    launcher = machine(20, 30)
    path = ask(folder, "huge", needs=500 * GIB)
    assert runs.advance(folder) == [path]
    assert launcher.submitted == [("huge", "cuda:1")]


def test_of_cards_that_are_as_free_the_one_that_computes_less_is_chosen(folder, machine, monkeypatch):
    launcher = machine(9, 9)
    monkeypatch.setitem(sys.modules, "pynvml", Nvml(h100(0, free=9, busy=80), h100(1, free=9, busy=10)))
    ask(folder, "a")
    runs.advance(folder)
    assert launcher.submitted == [("a", "cuda:1")]


def test_without_gpus_auto_is_the_cpu_and_without_a_driver_that_tells_the_one_with_the_fewest_runs(
    folder, machine, monkeypatch
):
    launcher = machine()
    path = ask(folder, "a")
    request = places.request(path, 1, "start")
    places.write(request, places.read(request) | {"places": ["mps"]})
    runs.advance(folder)
    assert launcher.submitted == [("a", "cpu")]
    say(path, state="finished", process={"job": 0})
    machine(9, 9)
    monkeypatch.setitem(sys.modules, "pynvml", None)
    ask(folder, "b"), ask(folder, "c")
    runs.advance(folder)
    assert launcher.submitted[1:] == [("b", "cuda:0"), ("c", "cuda:1")]


def test_a_request_of_before_with_a_device_that_is_bound_is_started_there(folder, machine):
    launcher = machine(10, 60)
    path = ask(folder, "a", "cuda:0")
    request = places.request(path, 1, "start")
    document = places.read(request)
    for new in ("environment", "umask", "places", "bytes"):
        del document[new]
    places.write(request, document)
    assert runs.advance(folder) == [path]
    assert launcher.submitted == [("a", "cuda:0")]
    assert beginning(path, 1).device == "cuda:0"


def test_a_run_that_may_go_anywhere_does_not_wait_behind_one_that_waits_for_a_gpu(folder, machine):
    launcher = machine(60, 10)
    for name, device in (("first", "cuda:0"), ("second", "cuda:0"), ("any", "auto"), ("third", "cuda:1")):
        ask(folder, name, device)
    runs.advance(folder)
    assert launcher.submitted == [("first", "cuda:0"), ("any", "cuda:1")]
    both = ask(folder, "both", "cuda*2")
    machine(60, 10, 40)
    ask(folder, "last")
    runs.advance(folder)
    assert launcher.submitted[2:] == [("last", "cuda:2")], "nor behind one that waits for others' GPUs"
    assert state(both) == "queued"


def test_nobody_looks_at_the_cards_while_nothing_waits(folder, machine, monkeypatch):
    machine(60)
    path = ask(folder, "a")
    runs.advance(folder)
    monkeypatch.setattr("edm.runs.choice.cards", lambda *_: pytest.fail("it takes a while"))
    assert runs.advance(folder) == [] and state(path) == "running"
