"""Equal jobs at the same time are computed once, for as long as somebody waits."""

import asyncio
from types import SimpleNamespace

import pytest

from app.work.jobs import answer
from app.work.reveals import Reveal
from app.work.tickets import Superseded, Ticket
from app.work.together import Together
from edm.base.errors import Refused
from edm.experiments.experiment import Experiment
from tests import loop


class Slow:
    """A pool that counts, and answers when it may. ended: jobs that nobody waited for."""

    def __init__(self):
        self.asked, self.ended, self.may, self.error = [], 0, asyncio.Event(), None

    async def answers(self, job, ticket):
        self.asked.append(job)
        ticket.watch(lambda _: setattr(self, "ended", self.ended + 1))
        await self.may.wait()
        if self.error:
            raise self.error
        yield answer({"number": len(self.asked)})


def job(step=5):
    return Reveal(step={"text": "", "reveal": "{error(here)}"}, experiment=Experiment(sampling={"steps": step}))


def waiting(together, ticket=None, step=5):
    async def asked():
        return [one async for one in together.answers(job(step), ticket or Ticket())]

    return asyncio.ensure_future(asked())


def told(story):
    async def run():
        pool = Slow()
        await story(SimpleNamespace(pool=pool, together=Together(pool)))

    loop.run(run())


def test_thirty_who_ask_the_same_have_one_answer_and_who_asks_otherwise_has_another():
    async def story(at):
        thirty = [waiting(at.together) for _ in range(30)]
        other = waiting(at.together, step=6)
        await asyncio.sleep(0)
        at.pool.may.set()
        assert len({one[0] for one in await asyncio.gather(*thirty)}) == 1
        await other
        assert len(at.pool.asked) == 2
        await waiting(at.together)  # later: whoever keeps answers is asked
        assert len(at.pool.asked) == 3

    told(story)


def test_it_goes_on_without_who_asked_first_and_ends_without_anybody():
    async def story(at):
        ticket = Ticket()
        first, second = waiting(at.together, ticket), waiting(at.together)
        await asyncio.sleep(0.01)
        ticket.end(Superseded)
        with pytest.raises(Superseded):
            await first
        assert at.pool.ended == 0
        second.cancel()
        await asyncio.wait({second})
        await asyncio.sleep(0.01)
        assert at.pool.ended == 1

    told(story)


def test_what_goes_wrong_is_told_to_all():
    async def story(at):
        at.pool.error = Refused("no")
        both = [waiting(at.together), waiting(at.together)]
        await asyncio.sleep(0)
        at.pool.may.set()
        found = await asyncio.gather(*both, return_exceptions=True)
        assert [str(one) for one in found] == ["no", "no"]

    told(story)
