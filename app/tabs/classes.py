"""A classroom's lesson: pages that go where the teacher's is, and answers that are counted (`app.visitors.lead`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import ClassVar

from app.messages import classes
from app.messages.requests import Message
from app.tabs.base import Answers, Event, House
from app.visitors.lead import Class
from app.work.jobs import answer
from edm import lessons
from edm.base.errors import Refused

BEAT = 25.0  # seconds after which a page is told the same again: whoever stands between sees that it is not idle


class Classes:
    events: ClassVar = {
        "class": Event(Message, classes.Told, "class"),
        "lead": Event(classes.Lead, classes.Done, "lead"),
        "show": Event(classes.Show, classes.Done, "show"),
        "predict": Event(classes.Predict, classes.Done, "predict"),
    }

    def serve(self, house: House) -> Answers:
        room, led = house.room, Class()

        async def answered(event, message, ticket, sender):
            if room.kind != "classroom":
                raise Refused("there is no class here; start the server with --classroom")
            visitor, visit = room.visitor(sender), sender.session_hash
            if event == "class":
                async with aclosing(_listening(led, visitor, visit, ticket)) as found:
                    async for told in found:
                        yield told
                return
            counted = True
            if event == "lead":
                question = lessons.Question.parse(message.ask) if message.ask is not None else None
                place = (message.lesson, message.step) if message.lesson is not None else None
                led.lead(visitor, visit, message.on, message.query, place, question)
            elif event == "show":
                led.show(visitor, message.do, message.reveal)
            else:
                counted = led.answer(visitor, (message.lesson, message.step), message.answer)
            yield answer({"counted": counted})

        return answered


async def _listening(led, visitor, visit, ticket) -> AsyncGenerator[bytes]:
    """What a page is told, as long as it listens."""
    page, last = led.join(visitor, visit), None
    stop = ticket.watch(lambda _: page.news.set())
    try:
        while True:
            ticket.check()
            page.news.clear()
            told = led.told(page)
            if told != last:
                yield answer(told, False)
                last = told
            try:
                await asyncio.wait_for(page.news.wait(), BEAT)
            except TimeoutError:
                last = None
    finally:
        stop()
        led.leave(page)
