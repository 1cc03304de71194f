"""What the page asks: one visitor's newest request wins, and who is gone is not computed for."""

import asyncio
import json
import threading
from contextlib import suppress
from types import SimpleNamespace
from typing import ClassVar

import pytest

from app import schema
from app.messages.requests import Message
from app.tabs.base import Event
from app.tabs.opening import asked
from app.tabs.wiring import Wiring
from app.visitors.room import Room, Sender
from app.work.jobs import answer
from tests import loop
from tests.asking import said


class Counted:
    """Events whose answers go on until nobody wants them. ended: what ended them, by the message's serial."""

    events: ClassVar = {
        name: Event(Message, None, topic) for name, topic in (("one", "first"), ("two", "first"), ("other", "second"))
    }

    def __init__(self, plain):
        self.plain, self.ended, self.closed = plain, {}, threading.Event()

    def serve(self, house):
        return self.threaded if self.plain else self.waited

    def threaded(self, event, message, ticket, sender):
        try:
            for number in range(100_000):
                ticket.check()
                yield answer(number, False)
        except Exception as error:
            self.ended[message.serial] = type(error).__name__
            raise
        finally:
            self.closed.set()

    async def waited(self, event, message, ticket, sender):
        try:
            for number in range(100_000):
                await asyncio.sleep(0)
                ticket.check()
                yield answer(number, False)
        except BaseException as error:
            self.ended[message.serial] = type(error).__name__
            raise
        finally:
            self.closed.set()


@pytest.fixture(params=[True, False], ids=["in threads", "in the loop"])
def counted(request):
    return Counted(request.param)


@pytest.fixture
def wiring(counted):
    return Wiring([counted], SimpleNamespace(room=Room()))


def asking(wiring, serial, visit="anna", event="one"):
    return wiring.ask(event, {"serial": serial}, Sender(None, None, visit))


def test_a_newer_request_of_the_same_topic_ends_an_older_one_which_says_nothing_of_it(wiring, counted):
    async def both():
        older = asking(wiring, 1)
        first = [await anext(older) for _ in range(3)]
        newer = asking(wiring, 2, event="two")
        await anext(newer)
        rest = [line async for line in older]
        await newer.aclose()
        return first + rest

    lines = [json.loads(line) for line in loop.run(both())]
    assert [line["body"] for line in lines] == list(range(len(lines)))
    assert not any(line["finished"] for line in lines) and {line["serial"] for line in lines} == {1}
    assert counted.ended[1] == "Superseded"


def test_an_older_request_that_comes_late_says_nothing(wiring):
    async def late():
        newer = asking(wiring, 5)
        await anext(newer)
        late = [line async for line in asking(wiring, 4)]
        await newer.aclose()
        return late

    assert loop.run(late()) == []


def test_other_visitors_and_other_topics_do_not_end_it(wiring):
    async def others():
        mine = asking(wiring, 1)
        for other in (asking(wiring, 9, visit="bert"), asking(wiring, 9, event="other")):
            await anext(other)
            await other.aclose()
        line = await anext(mine)
        await mine.aclose()
        return line

    assert loop.run(others()) == b'{"serial": 1, "finished": false, "body": 0}\n'


@pytest.mark.parametrize("leave", ["closed", "cancelled"])
def test_who_leaves_ends_the_computing(wiring, counted, leave):
    async def left():
        going = asking(wiring, 1)
        await anext(going)
        if leave == "closed":
            await going.aclose()
        else:
            step = asyncio.ensure_future(anext(going))
            await asyncio.sleep(0)
            step.cancel()
            with suppress(asyncio.CancelledError):
                await step

    loop.run(left())
    assert counted.closed.wait(5)


def test_each_event_that_is_declared_is_answered(tab):
    assert set(Wiring(asked(), tab.house).names) == set(schema.events()) >= {"open", "ask", "poll", "race"}


def test_a_computation_that_fails_says_so(tab, monkeypatch, caplog):
    def fail(*arguments):
        raise ZeroDivisionError("float division by zero")
        yield

    monkeypatch.setattr("app.work.pictures.Picture.compute", fail)
    (told,) = said(Wiring(asked(), tab.house), "ask", {"serial": 4, "values": {}})
    assert (told["serial"], told["finished"]) == (4, True) and "Something went wrong here" in told["error"]
    assert "float division by zero" in caplog.text
