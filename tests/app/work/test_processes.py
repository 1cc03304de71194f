"""Jobs are computed by processes of their own: the same bytes, in turns, and whatever happens to a process."""

import asyncio
import json
import logging
import os
import re
import signal
import sys
import threading
import time
from typing import ClassVar

import psutil
import pytest
import torch

import edm
from app.__main__ import options, prepare
from app.__main__ import pool as computing
from app.sentences import faults
from app.tabs import jobs
from app.work.jobs import Job
from app.work.measures import Measures
from app.work.pictures import Picture
from app.work.probes import Probe
from app.work.processes import Processes
from app.work.shared import Work
from app.work.threads import Threads
from app.work.tickets import Ended, Superseded, Ticket, Tickets
from edm.base.errors import Refused
from edm.experiments.experiment import Experiment
from tests import loop
from tests.app.work.kinds import SMALL

LONG = Experiment(model="spiral", count=3000, sampling={"steps": 900})  # some 20 s


class Deed(Job):
    """What no job of the page does: dies, breaks, or says in which process it is, and where that computes."""

    kind: ClassVar[str] = "deed"

    do: str = "where"
    file: str = ""

    @property
    def sort(self):
        return self.do

    def compute(self, work, watch):
        if self.do == "die" or (self.do == "die once" and not os.path.exists(self.file)):
            open(self.file or os.devnull, "w").close()
            os.kill(os.getpid(), signal.SIGKILL)
        if self.do == "break":
            raise ZeroDivisionError("a defect")
        if self.do == "stream":
            for k in range(1000):
                yield {"number": k}, False
                watch.check()
        served = [name for name in ("gradio", "uvicorn") if name in sys.modules]
        here = {"process": os.getpid(), "device": str(work.device), "loaded": served}
        here["too late"] = torch.cuda._is_in_bad_fork()
        if self.do == "busy":
            yield here, False
        with watch.turn():
            while self.do == "busy":
                watch.check()
                time.sleep(0.001)
        yield here, True


def kinds():
    return jobs() | {"deed": Deed}


@pytest.fixture(scope="module")
def pool():
    made = Processes(f"{__name__}:kinds", "cpu", 2, registered=edm.models.registered)
    yield made
    made.close()


def timeless(answer):
    """An answer without how long it took."""
    return re.sub(rb'"milliseconds": [^,]*, ', b"", answer)


def last(pool, job, ticket=None):
    *_, answer = pool.run(job, ticket or Ticket("somebody"))
    return json.loads(answer)["body"]


def busy(pool, ticket):
    """A thread in which a job of the ticket's computes until that ends; what ends it is in `.ended`."""

    def run():
        try:
            last(pool, Deed(do="busy"), ticket)
        except Exception as error:
            thread.ended = type(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def processes(pool):
    """Both that compute, by what two jobs say themselves that are there at the same time."""
    deadline, found = time.monotonic() + 20, set()
    while len(found) < 2 and time.monotonic() < deadline:  # one may just be replaced
        at_work = [pool.run(Deed(do="busy"), Ticket(time.monotonic())) for _ in range(2)]
        found = {json.loads(next(one))["body"]["process"] for one in at_work}
        for one in at_work:
            one.close()
    return found


def test_each_kind_of_job_has_the_same_answers_as_in_this_process(pool, every):
    assert set(every) == set(jobs()), "a job of each kind"
    for job in every.values():
        here, there = (list(each.run(job, Ticket("a"))) for each in (Threads(Work("cpu")), pool))
        assert timeless(here[-1]) == timeless(there[-1]), job.kind
    here = last(pool, Deed())
    assert not here["loaded"], "what serves the page is not in the way there"
    assert not here["too late"], "a GPU can be used in a process only if the one that it is forked from has used none"


def test_answers_come_in_an_event_loop_too_and_a_picture_is_kept(pool):
    job = Picture(experiment=SMALL.changed(count=9))

    async def asked():
        return [answer async for answer in pool.answers(job, Ticket("a"))]

    *_, first = loop.run(asked())
    assert json.loads(first)["finished"]
    assert loop.run(asked()) == [first], "with the milliseconds that the first one took"


def test_a_picture_is_kept_only_as_long_as_its_model_s_file_is_the_same(pool, tmp_path):
    file = tmp_path / "mine.safetensors"
    for model in ("spiral_mlp", "two_moons_mlp"):
        file.write_bytes((edm.models.FOLDER / f"{model}.safetensors").read_bytes())
        edm.models.register(file, "mine")
        job = Picture(experiment=Experiment(model="mine", count=3, sampling={"steps": 2}))
        told = last(pool, job)
        assert told["run"] == last(pool, Picture(experiment=job.experiment.changed(model=model)))["run"]
        assert last(pool, job) == told
    edm.models.forget("mine")
    file.unlink()
    with pytest.raises(Refused, match="model = 'mine'"):
        last(pool, job)


def test_the_newest_wins_at_once(pool):
    tickets = Tickets()
    thread = busy(pool, tickets.take("a", "x", 1))
    time.sleep(0.05)
    tickets.take("a", "x", 2)
    thread.join(1)
    assert not thread.is_alive() and thread.ended is Superseded


@pytest.mark.parametrize("how", ["closed", "cancelled"])
def test_what_nobody_waits_for_ends_at_its_next_evaluation(pool, how):
    async def asked():
        answers = pool.answers(Picture(experiment=LONG), Ticket("a"))
        assert not json.loads(await anext(answers))["finished"]
        if how == "closed":
            await answers.aclose()
            return
        waiting = asyncio.ensure_future(anext(answers))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    loop.run(asked())
    begun = time.monotonic()
    assert len(processes(pool)) == 2 and time.monotonic() - begun < 5, "both are free"


def test_a_reader_who_never_comes_back_holds_no_place_and_little_memory(pool):
    readers = [pool.run(Deed(do="stream"), Ticket("slow")) for _ in range(8)]
    for reader in readers:
        assert json.loads(next(reader))["body"] == {"number": 0}
    assert last(pool, Deed())["device"] == "cpu"
    assert [json.loads(next(readers[0]))["body"]["number"] for _ in range(5)] == [1, 2, 3, 4, 5]
    for reader in readers:
        reader.close()


def test_what_is_refused_comes_as_its_sentence(pool):
    with pytest.raises(Refused, match="outside of every picture"):
        last(pool, Probe(experiment=SMALL, level=1, position=[1e9, 0]))


def test_a_defect_is_logged_here_with_its_traceback_and_told_by_its_number(pool, caplog):
    with pytest.raises(faults.Told, match="in the server's log as") as error:
        last(pool, Deed(do="break"))
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    number = record.getMessage().split()[-1]
    assert number in str(error.value) and faults.told(error.value) == str(error.value)
    assert "ZeroDivisionError: a defect" in caplog.text and "in compute" in caplog.text


def test_a_process_that_is_killed_is_replaced_and_its_jobs_are_computed_again(pool, tmp_path):
    before, streaming = processes(pool), pool.run(Deed(do="stream"), Ticket("a"))
    numbers = [json.loads(next(streaming))["body"]["number"] for _ in range(4)]
    job = Picture(experiment=SMALL.changed(count=2000, sampling={"steps": 90}))
    answers = pool.run(job, Ticket("b"))
    next(answers)
    for process in before:
        os.kill(process, signal.SIGKILL)
    *_, answer = answers
    assert timeless(answer) == timeless(list(Threads(Work("cpu")).run(job, Ticket()))[-1])
    numbers += [json.loads(next(streaming))["body"]["number"] for _ in range(4)]
    assert numbers == list(range(8)), "nothing is told twice"
    streaming.close()
    assert len(processes(pool)) == 2 and not processes(pool) & before
    assert last(pool, Deed(do="die once", file=str(tmp_path / "died")))["device"] == "cpu"


def test_a_job_that_ends_two_processes_is_answered_with_a_sentence_and_spares_others(pool):
    beside, held = Ticket("beside"), Ticket("held")
    assert len(processes(pool)) == 2
    threads = [busy(pool, ticket) for ticket in (beside, held)]
    with pytest.raises(faults.Told, match="may need more memory"):
        last(pool, Deed(do="die"))
    beside.end()
    held.end()
    for thread in threads:
        thread.join(5)
        assert thread.ended is Ended


def test_it_computes_where_it_is_told_to(pool):
    with pytest.raises(Refused, match="cuda:99"):
        pool.move("cuda:99")
    pool.move("cpu")
    assert pool.device == "cpu" == last(pool, Deed())["device"]


def test_a_heavy_visitor_does_not_hold_up_a_light_one_and_nobody_starves(pool):
    heavy = [Ticket("heavy") for _ in range(6)]
    threads = [busy(pool, ticket) for ticket in heavy]
    time.sleep(0.4)
    small, took = Picture(experiment=SMALL), []
    for k in range(4):
        begun = time.monotonic()
        last(pool, Picture(experiment=small.experiment.changed(sampling={"seed": 100 + k})), Ticket("light"))
        took.append(time.monotonic() - begun)
    for ticket in heavy:
        ticket.end()
    for thread in threads:
        thread.join(5)
        assert thread.ended is Ended
    assert sorted(took)[1] < 0.4, took


def test_measures_use_the_picture_that_the_same_visitor_has_just_seen(pool):
    experiment = SMALL.changed(count=12)
    last(pool, Picture(experiment=experiment), Ticket("same"))
    assert last(pool, Measures(experiment=experiment), Ticket("same"))["distance"] > 0


def test_when_no_process_can_begin_who_waits_is_told_so():
    made = Processes("app.nowhere:jobs", "cpu", 1)
    with pytest.raises(faults.Told, match="cannot be started"):
        last(made, Deed())
    assert made.device == "cpu"
    with pytest.raises(Refused, match="cannot be started"):
        made.move("cpu")
    made.close()


def test_no_process_is_left_of_a_pool_that_is_closed():
    made = Processes(f"{__name__}:kinds", "cpu", 1)
    process = last(made, Deed())["process"]
    waiting = busy(made, Ticket("a"))
    time.sleep(0.05)
    made.close()
    waiting.join(2)
    assert waiting.ended is Ended and not psutil.pid_exists(process)


def test_how_many_processes_compute_is_an_option_and_0_is_this_one():
    assert options(["--workers", "0"]).workers == 0 and computing(0, "cpu", own=True) is None
    for number in (-1, 257):
        with pytest.raises(Refused, match=f"--workers {number}: must be 0 to 256"):
            prepare(number)
