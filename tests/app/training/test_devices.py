"""What a run can be started on, in words, with GPUs that are made."""

import json
import os
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from app.training import about, form
from app.training.devices import Devices, Told, called, listed, place, short
from app.visitors.room import Room, Visitor
from app.work.jobs import Job
from app.work.tickets import Ticket
from edm import runs
from edm.base import devices
from edm.base.peaks import peak_of
from edm.runs import places
from edm.training.estimate import Estimate
from edm.training.memory import unfit
from tests.app.tabs.asking import Lesson
from tests.app.training import answer, asked, running
from tests.gpus import CARDS, pretend

FREE = replace(CARDS[0], index=1, free=80_000_000_000, utilization=0.0, others=())


@pytest.fixture
def gpus(monkeypatch):
    """GPUs for this process."""
    from edm.base import cards
    from edm.runs.launchers import Processes

    monkeypatch.setattr(cards, "cards", cards.cards)  # which are put back at the end
    monkeypatch.setattr(Processes, "places", Processes.places)
    pretend()


@pytest.fixture
def train(tab):
    """train(name, device): a run of the tab's that seems to go on, until the test ends."""
    begun = []

    def begin(name, device, **status):
        begun.append(running(tab.board.folder, name, device, **status))
        tab.board.wake()

    yield begin
    for path in begun:
        places.write(path / "status.json", {"state": "stopped", "number": 1})


def told(cards, *live):
    return Told([f"cuda:{card.index}" for card in cards], {f"cuda:{card.index}": card for card in cards}, live)


def run(name, device, state="running", folder="nowhere"):
    return runs.Run(name, folder, state, device=device)


@pytest.mark.parametrize(
    ("cards", "live", "words"),
    [
        ([CARDS[0]], [], "H100, 61 GB free"),
        ([CARDS[0]], [run("a", "cuda")], "H100, 61 GB free, busy with a"),
        ([CARDS[0], FREE], [run("digits-3", "cuda:0")], "2 × H100, up to 80 GB free, one busy with digits-3"),
        (
            [CARDS[0], FREE],
            [run("a", "cuda:1"), run("b", "cuda:0+cuda:1")],
            "2 × H100, up to 80 GB free, both busy with b and a",
        ),
        ([replace(FREE, index=0, name="Tesla V100-SXM2-16GB"), FREE], [], "1 × V100, 1 × H100, up to 80 GB free"),
        (
            [replace(FREE, index=0, others=((7, 9_200_000_000), (8, None)))],
            [],
            "H100, 80 GB free, 9.2 GB held by other programs",
        ),
    ],
)
def test_a_machine_is_told_in_words(cards, live, words):
    assert told(cards, *live).machine() == words


def test_what_our_own_runs_hold_is_not_held_by_other_programs(tmp_path):
    path = running(tmp_path, "mine", "cuda:0")
    mine, theirs = (os.getpid(), 30_000_000_000), (4_000_000, 2_000_000_000)
    live = [runs.read(path)]
    assert (
        told([replace(FREE, index=0, others=(mine, theirs))], *live)
        .help("cuda:0")
        .endswith("busy with mine; 2.0 GB held by other programs.")
    )
    elsewhere = told([replace(FREE, index=0, others=(theirs,))], *live)
    assert "other programs" not in elsewhere.help("cuda:0"), "in a container the driver counts processes in its own way"


def test_a_gpu_of_which_the_driver_tells_nothing_is_offered_all_the_same(gpus):
    found = Devices(list).choices()
    assert found["choices"] == ["auto", "cuda:0", "cuda:1", "cuda*2", "cpu"]
    assert found["titles"][1:4] == ["GPU 0", "GPU 1", "2 GPUs together"]
    assert found["helps"][0] == "2 × GPU."


def test_a_look_at_the_cards_serves_everybody_for_a_moment(gpus):
    looks = []
    devices = Devices(lambda: looks.append(1) or CARDS)
    assert len(devices.choices()["helps"]) == len(devices.choices()["titles"]) == 5
    assert len(looks) == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("NVIDIA H100 80GB HBM3", "H100"),
        ("NVIDIA A100-SXM4-40GB", "A100"),
        ("NVIDIA GeForce RTX 4090", "RTX 4090"),
        ("NVIDIA GeForce RTX 3080 Laptop GPU", "RTX 3080"),
        ("Tesla V100-PCIE-16GB", "V100"),
        ("NVIDIA RTX A6000", "RTX A6000"),
        ("NVIDIA", "NVIDIA"),
    ],
)
def test_a_card_is_called_by_its_short_name(name, words):
    assert short(name) == words


def test_names_are_listed_as_people_do():
    several = ["", "a", "a and b", "a, b and c", "a, b, c and 1 more", "a, b, c and 2 more"]
    assert [listed("abcde"[:n]) for n in range(6)] == several
    assert [called(name) for name in ("cpu", "cuda:1", "cuda")] == ["CPU", "GPU 1", "GPU 0"]


def test_where_there_is_only_the_cpu_nothing_is_said_of_devices(tab):
    assert answer(tab, "poll")["devices"] is None
    assert answer(tab, "poll")["rows"] == []


def test_a_page_hears_what_is_free_and_what_is_busy(gpus, tab, train):
    tab.room = tab.room  # a server that has begun with these GPUs
    train("digits-3", "cuda:1")
    found = answer(tab, "poll")["devices"]
    titles = dict(zip(found["choices"], found["titles"], strict=True))
    assert titles["auto"] == "Automatic: whatever is free when it starts"
    assert titles["cuda:0"] == "GPU 0: H100, 61 GB free"
    assert titles["cuda:1"] == "GPU 1: H100, 23 GB free, busy with digits-3"
    assert found["helps"][0] == "2 × H100, up to 61 GB free, one busy with digits-3."
    assert "toy models" in found["page"].pop("about")
    assert found["page"] == {
        "device": "cpu",
        "choices": ["cuda:0", "cuda:1", "cpu"],
        "titles": ["GPU 0", "GPU 1", "CPU"],
        "sharing": None,
        "choosing": True,
    }


def test_the_page_computes_elsewhere_from_the_next_job_on(gpus, tab, train, monkeypatch):
    tab.room = tab.room
    train("digits-3", "cuda:1")
    monkeypatch.setattr(devices, "device", torch.device)
    under_way = tab.house.pool.run(Where(), Ticket())
    first = next(under_way)
    answer(tab, "act", do="device", device="cuda:1")
    assert b"cpu" in first and b"cpu" in next(under_way), "what has begun ends where it began"
    assert b"cuda:1" in next(tab.house.pool.run(Where(), Ticket()))
    page = answer(tab, "poll")["devices"]["page"]
    assert (page["device"], page["sharing"]) == ("cuda:1", "digits-3 trains on it, too")


class Where(Job):
    """A job that tells where it computes."""

    kind = "where"

    def compute(self, work, watch):
        for k in range(2):
            yield f'"{work.remember("where", lambda: work.device)} {work.device}"', k == 1


def test_a_device_that_is_not_there_is_refused_and_the_page_stays_where_it_is(tab):
    with pytest.raises(ValueError, match="cuda:7"):
        answer(tab, "act", do="device", device="cuda:7")
    assert tab.house.pool.device == "cpu"


@pytest.mark.parametrize("kind", ["student", "closed"])
def test_the_page_s_device_is_chosen_by_whoever_looks_after_it(tab, kind):
    tab.room = Lesson(tab.board.folder) if kind == "student" else Room(tab.board.folder, local=False, password="x")
    with pytest.raises(ValueError, match="looks after it"):
        answer(tab, "act", do="device", device="cpu")
    if kind == "student":
        tab.room.who = Visitor("eve (teacher)", True)
        assert answer(tab, "act", do="device", device="cpu") == {"do": "device", "runs": []}


CARD = {"index": 1, "name": "NVIDIA H100 80GB HBM3", "total": 85e9, "free": 23e9, "utilization": 0.93}
GPU = {"gpu_utilization": 0.93, "gpu_memory": 62_000_000_000, "cards": [CARD], "rate": 2733.0, "memory": 17_100_000_000}


def test_a_run_tells_how_busy_and_how_full_its_gpu_is_and_what_it_gets_of_it(tab, train, monkeypatch):
    monkeypatch.setattr(about, "counted", lambda header, precision: SimpleNamespace(operations=1e9))
    train("digits-3", "cuda:1", **GPU)
    news = answer(tab, "poll", runs={"digits-3": None})
    (row,) = news["rows"]
    assert (row["device"], row["usage"]) == ("GPU 1", "93 % busy, 62 of 85 GB taken")
    assert news["runs"]["digits-3"]["peak"] == pytest.approx(2733 * 1e9 / peak_of("H100").speed())


@pytest.mark.parametrize(
    "unknown", [{"cards": []}, {"cards": [{"name": "abacus"}]}, {"rate": None}, {"cards": [{"name": 3, "total": "x"}]}]
)
def test_what_is_not_known_of_a_gpu_is_not_told(tab, train, unknown):
    train("digits-3", "cuda:1", **GPU | unknown)
    assert answer(tab, "poll", runs={"digits-3": None})["runs"]["digits-3"]["peak"] is None


def test_nothing_is_told_of_the_gpu_of_a_run_that_is_over_or_has_none(tab, train):
    train("digits-3", "cuda:1", **GPU | {"state": "stopped"})
    train("here", "cpu")
    news = answer(tab, "poll")
    assert {row["name"]: row["usage"] for row in news["rows"]} == {"digits-3": None, "here": None}


@pytest.mark.parametrize(
    ("device", "words"),
    [("cuda*2", "2 GPUs"), ("cuda:0+cuda:2", "GPUs 0 and 2"), ("cuda", "GPU 0"), ("cpu*2", "cpu*2"), ("auto", "auto")],
)
def test_where_a_run_trains_is_told_in_words(device, words):
    assert place(run("a", device)) == words
    assert place(replace(run("a", "cuda*2"), place="cuda:0+cuda:2")) == "GPUs 0 and 2"


def test_a_run_that_will_not_fit_says_so_and_what_would(tab, monkeypatch):
    fitting = (("micro_batch = 16", {"micro_batch": "16"}), ("device = cuda*2", {"device": "cuda*2"}))
    found = Estimate(
        60.0, 90_000_000_000, 2, 100.0, total=85_000_000_000, free=61_000_000_000, remedies=fitting, gpu=True
    )
    monkeypatch.setattr(form, "estimate", lambda settings, device: found)
    *_, (text, _) = asked(tab, "plan", values={"data": "spiral"})
    told = json.loads(text)["misfit"]
    assert told["sentence"] == (
        "It is likely not to fit: it needs about 90.0 GB of memory, and each GPU has 85.0. It would with:"
    )
    assert told["remedies"] == [
        {"title": "micro_batch = 16", "changes": {"micro_batch": "16"}},
        {"title": "2 GPUs", "changes": {"device": "cuda*2"}},
    ]


def test_a_run_that_fits_says_nothing_and_one_that_nothing_helps_says_what_to_do():
    assert form.misfit(form.Cost(100.0, 1.0, 9, 2)) is None
    told = form.misfit(form.Cost(100.0, 1.0, 9, 2, unfit(11_000_000_000, 10_000_000_000, None)))
    assert told and told["remedies"] == []
    assert told["sentence"].endswith("each GPU has 10.0; a smaller network (channels, blocks) would.")


def test_what_is_known_of_a_kind_of_run_is_found_out_anew_when_there_is_more_room(tmp_path, monkeypatch):
    room, asked_for = [[20]], []
    monkeypatch.setattr(form, "estimate", lambda *asked: asked_for.append(asked) or Estimate(60.0, 9, 2, 100.0))
    former = form.Former(tmp_path, room=lambda: room[-1])
    for free in (20, 20, 3):
        room.append([free])
        former.plan({"data": "spiral"})
    assert len(asked_for) == 2
