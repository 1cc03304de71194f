"""What scripts ask for (`/sample`) over real HTTP: a few at once, within bounds, and only while they wait for it."""

import asyncio
import gc
import logging
import threading
import time

import httpx
import pytest
import uvicorn
from gradio_client import Client
from gradio_client.exceptions import AppError

from app.server import application
from app.transport import presence
from app.visitors.room import Room
from app.work import numbers, watch
from app.work.numbers import check_cost
from app.work.shared import Work
from app.work.tickets import Ticket
from app.work.watch import Watch
from edm.base.errors import Refused
from edm.experiments.experiment import Experiment
from tests import loop

HEAVY = {"model": "spiral", "count": 3000, "sampling": {"steps": 900}}
SMALL = {"count": 2, "sampling": {"steps": 2}}


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    made = application("cpu", Room(tmp_path_factory.mktemp("runs")))
    server = uvicorn.Server(uvicorn.Config(made, port=0, log_level="critical", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def evaluations(monkeypatch):
    """When the server has evaluated a denoiser."""
    times, honest = [], watch.divided

    def counting(*arguments):
        times.append(time.monotonic())
        return honest(*arguments)

    monkeypatch.setattr(watch, "divided", counting)
    monkeypatch.setattr(presence, "LOOK", 0.02)
    return times


def rests(evaluations):
    """Whether nothing is computed any more, soon."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        before = len(evaluations)
        time.sleep(0.2)
        if before and len(evaluations) == before:
            return True
    return False


def test_a_script_gets_samples_levels_and_measures(address):
    answer = Client(address, verbose=False).predict({**SMALL, "model": "spiral"}, api_name="/sample")
    assert len(answer["samples"]) == 2 and answer["levels"][-1] == 0 and answer["measures"]["error"] > 0


def test_what_is_refused_comes_as_its_sentence(address):
    with pytest.raises(AppError, match="must be one of"):
        Client(address, verbose=False).predict({"model": "no such"}, api_name="/sample")


@pytest.mark.parametrize("place", ["call", "run"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not JSON"),
        (b"[" * 100_000, "nested"),
        (b'{"data": 5}', "a list of length 1"),
        (b'{"data": []}', "a list of length 1"),
        (b'{"data": ["x"]}', "settings are names and values"),
        (b'{"data": [{"self": 1}]}', "self = 1: there is no such field"),
        (b'{"data": [{"steps": 1e999}]}', "steps = inf: must be a finite number"),
        (b'{"data": [{"steps": ' + b"9" * 400 + b"}]}", "a number of some"),
        (b'{"data": [{"steps": 3, "sampling": {"steps": 4}}]}', "given twice"),
    ],
    ids=lambda value: str(value)[:26],
)
def test_what_cannot_be_read_is_told_and_not_logged(address, place, content, words, caplog):
    headers = {"content-type": "application/json"}
    answer = httpx.post(f"{address}/gradio_api/{place}/sample", content=content, headers=headers)
    assert answer.status_code == 400 and words in answer.json()["sentence"]
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_settings_are_given_by_name_in_groups_or_both(address):
    for settings in ({"steps": 3}, {"sampling": {"steps": 3}}, {"steps": "3", "sampling": {"rho": 7}}):
        given = {"data": [{"model": "spiral", "count": 2, **settings}]}
        answer = httpx.post(f"{address}/gradio_api/run/sample", json=given, timeout=30)
        assert answer.json()["data"][0]["settings"] == {"model": "spiral", "count": 2, "sampling": {"steps": 3}}


def test_computing_ends_once_the_stream_of_answers_is_closed(address, evaluations, monkeypatch):
    monkeypatch.setattr(numbers, "MOST_SECONDS", 1e6)
    with httpx.Client(base_url=address, timeout=10) as client:
        event = client.post("/gradio_api/call/sample", json={"data": [HEAVY]}).json()["event_id"]
        with client.stream("GET", f"/gradio_api/call/sample/{event}"):
            while len(evaluations) < 40:
                time.sleep(0.01)
    assert rests(evaluations) and len(evaluations) < 1500


def test_computing_ends_once_a_plain_request_is_closed(address, evaluations, monkeypatch):
    monkeypatch.setattr(numbers, "MOST_SECONDS", 1e6)
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{address}/gradio_api/run/sample", json={"data": [HEAVY]}, timeout=0.3)
    assert rests(evaluations) and len(evaluations) < 1500


def test_computing_ends_when_a_script_cancels_it(address, evaluations, monkeypatch):
    monkeypatch.setattr(numbers, "MOST_SECONDS", 1e6)
    job = Client(address, verbose=False).submit(HEAVY, api_name="/sample")
    while len(evaluations) < 40:
        time.sleep(0.01)
    job.cancel()
    assert rests(evaluations) and len(evaluations) < 1500


def test_a_wait_that_is_cancelled_ends_at_once_and_its_work_without_a_noise(caplog):
    async def run():
        gone, end = threading.Event(), asyncio.Event()

        async def job():
            await end.wait()
            raise presence.Left

        async def here():
            return True

        work = asyncio.ensure_future(job())
        waiting = asyncio.ensure_future(presence.attended(work, here, gone.set))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert gone.is_set() and not work.done()
        end.set()
        await asyncio.wait({work})

    loop.run(run())
    gc.collect()
    assert "never retrieved" not in caplog.text


def test_of_one_visitor_two_are_computed_at_once_and_others_do_not_wait_for_them(address, monkeypatch):
    go, inside, honest = threading.Event(), [], numbers.plain

    def plain(experiment, work, watch):
        inside.append((watch.visitor, experiment.count))
        if experiment.count > 2:
            go.wait(10)
        return honest(experiment.changed(count=2), work, watch)

    monkeypatch.setattr(numbers, "plain", plain)
    busy, other = Client(address, verbose=False), Client(address, verbose=False)
    jobs = [busy.submit({**SMALL, "count": 3 + k}, api_name="/sample") for k in range(4)]
    while len(inside) < 2:
        time.sleep(0.01)
    assert len(other.predict(SMALL, api_name="/sample")["samples"]) == 2
    assert len(inside) == 3 and len({visitor for visitor, _ in inside}) == 2
    go.set()
    assert [len(job.result()["samples"]) for job in jobs] == [2, 2, 2, 2]
    assert sorted(count for _, count in inside) == [2, 3, 4, 5, 6]


def test_what_takes_too_long_is_refused_with_the_estimate(monkeypatch):
    monkeypatch.setattr(numbers, "timed", lambda *_: (0.001, 0.0001))
    work, watch = Work("cpu"), Watch()
    with pytest.raises(
        Refused, match=r"about 872 s \(1,999 evaluations of 4,096 .* 511 .* of 1,000 .* 20 s: lower count"
    ):
        check_cost(Experiment(count=4096, sampling={"steps": 1000}), work, watch)
    check_cost(Experiment(count=100, sampling={"steps": 18}), work, watch)
    monkeypatch.setattr(numbers, "MOST_SECONDS", 60)
    monkeypatch.setattr(numbers, "MOST_NUMBERS", 8000)
    with pytest.raises(Refused, match="the answer would have 8,002 numbers"):
        check_cost(Experiment(count=4001, sampling={"steps": 1}), work, watch)


@pytest.mark.parametrize("document", [SMALL, {"model": "digits", "sampling": {"steps": 30, "S_churn": 2}}])
def test_the_estimate_is_of_the_evaluations_that_there_are(document, monkeypatch):
    experiment, asked = Experiment.parse(document), []
    numbers.plain(experiment, Work("cpu"), Watch(Ticket(checks=(lambda: asked.append(1),))))
    monkeypatch.setattr(numbers, "timed", lambda *_: (1.0, 0.0))
    with pytest.raises(Refused) as refusal:
        check_cost(experiment, Work("cpu"), Watch())
    assert f"about {len(asked):,} s" in str(refusal.value)
