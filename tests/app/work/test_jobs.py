"""Every computation is a document: another process makes the same of it."""

import asyncio
import json
import re
import subprocess
import sys
from contextlib import aclosing, nullcontext

import pytest
from pydantic import ValidationError

from app.instruments.job import Figure
from app.tabs import jobs
from app.training.flow import Flow
from app.work.jobs import received
from app.work.measures import Measures
from app.work.numbers import Numbers
from app.work.pictures import Picture
from app.work.probes import Probe
from app.work.shared import Work
from app.work.threads import Threads
from app.work.thumbnails import Thumbnails
from app.work.tickets import Superseded, Ticket, Tickets
from edm.base.errors import Refused
from edm.experiments.experiment import Experiment
from edm.sampling.settings import Sampling
from tests import loop
from tests.app.training import finished

SMALL = Experiment(model="spiral", count=6, sampling=Sampling(steps=4, S_churn=3, S_tmax=float("inf"), seed=5))
DRAWN = Experiment(model="drawn", points=[[0, 0], [1, 0.5]], sampling=Sampling(sigmas=[50, 3, 0.2]))
KINDS = {
    "picture": Picture(experiment=SMALL, field={"aspect": 1.5, "follow": True}),
    "measures": Measures(experiment=DRAWN),
    "probe": Probe(experiment=SMALL, level=1, position=[0.1, -0.3]),
    "numbers": Numbers(experiment=DRAWN.changed(count=3)),
    "thumbnails": Thumbnails(models=["two_moons", "spiral_mlp"]),
    "figure": Figure(instrument="lanes", settings={"lanes": ["yours", "edm"], "nfe": 4}, yours=SMALL),
}
ELSEWHERE = """
import sys
from app.tabs import jobs
from app.work.jobs import received
from app.work.threads import Threads
from app.work.shared import Work
from app.work.tickets import Ticket

assert "gradio" not in sys.modules
for line in sys.stdin:
    *_, answer = Threads(Work("cpu")).run(received(line, jobs()), Ticket("somebody"))
    print(answer.decode())
"""
MILLISECONDS = re.compile(rb'"milliseconds": [^,]*, ')


@pytest.fixture
def every(tmp_path):
    """One job of each kind."""
    (checkpoint,) = list((finished(tmp_path, "moons", images=64) / "checkpoints").iterdir())
    return KINDS | {"flow": Flow(checkpoint=str(checkpoint))}


def run(job, ticket=None):
    *_, answer = Threads(Work("cpu")).run(job, ticket or Ticket("somebody"))
    return answer


def test_every_kind_of_job_goes_to_another_process_which_computes_the_same_bytes(every):
    assert set(every) == set(jobs()), "a job of each kind"
    given = "\n".join(job.sent() for job in every.values())
    done = subprocess.run([sys.executable, "-c", ELSEWHERE], input=given, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    for answer, job in zip(done.stdout.encode().splitlines(), every.values(), strict=True):
        assert json.loads(answer)["finished"]
        assert MILLISECONDS.sub(b"", answer) == MILLISECONDS.sub(b"", run(job)), job.kind


def test_a_job_that_was_sent_is_the_job_that_is_received(every):
    for job in every.values():
        again = received(job.sent(), jobs())
        assert again == job and type(again) is type(job)
        with pytest.raises(ValidationError, match="frozen"):
            setattr(again, next(iter(type(job).model_fields)), None)


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ({"kind": "closure"}, "kind = 'closure'"),
        ({}, "kind = None"),
        ({"kind": "measures"}, "experiment"),
        ({"kind": "measures", "experiment": {"steps": 3}}, "steps"),
        ({"kind": "probe", "experiment": {}, "level": "low", "position": [0, 1]}, "level"),
        ({"kind": "figure", "instrument": "clock", "settings": {}}, "instrument = 'clock'"),
        ({"kind": "figure", "instrument": "lanes", "settings": {"nfe": 0}}, "nfe = 0"),
        ({"kind": "figure", "instrument": "lanes", "settings": {}, "colour": 1}, "colour"),
    ],
    ids=str,
)
def test_what_is_no_job_is_refused_before_anything_is_computed(document, named):
    with pytest.raises(Refused, match=re.escape(named)):
        received(json.dumps(document), jobs())


def test_a_job_is_superseded_through_its_ticket():
    tickets, pool = Tickets(), Threads(Work("cpu"))
    running = pool.run(
        Picture(experiment=SMALL.changed(count=2000, sampling={"steps": 900})), tickets.take("a", "x", 1)
    )
    assert not json.loads(next(running))["finished"]
    tickets.take("a", "x", 2)
    with pytest.raises(Superseded):
        list(running)


LONG = Picture(experiment=SMALL.changed(count=2000, sampling={"steps": 900}))


def test_answers_come_to_who_must_not_wait_as_they_come_to_who_does():
    pool, job = Threads(Work("cpu")), KINDS["probe"]

    async def asked():
        return [answer async for answer in pool.answers(job, Ticket("somebody"))]

    assert loop.run(asked()) == list(pool.run(job, Ticket("somebody")))


@pytest.mark.parametrize("how", ["closed", "cancelled", "superseded"])
def test_computing_ends_when_its_answers_are_wanted_no_longer(how):
    evaluations, tickets = [], Tickets()
    ticket = tickets.take("a", "x", 1, None, lambda: evaluations.append(1))
    pool = Threads(Work("cpu"))

    async def first(answers):
        async for answer in answers:
            assert not json.loads(answer)["finished"]
            if how == "superseded":
                tickets.take("a", "x", 2)
            elif how == "closed":
                return

    async def asked():
        async with aclosing(pool.answers(LONG, ticket)) as answers:
            waiting = asyncio.ensure_future(first(answers))
            while not evaluations:
                await asyncio.sleep(0.001)
            if how == "cancelled":
                waiting.cancel()
            with {"closed": nullcontext(), "cancelled": pytest.raises(asyncio.CancelledError)}.get(
                how, pytest.raises(Superseded)
            ):
                await waiting
        await asyncio.sleep(0.05)
        done = len(evaluations)
        await asyncio.sleep(0.1)
        assert len(evaluations) == done < 1700

    loop.run(asked())
