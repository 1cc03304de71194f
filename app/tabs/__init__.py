"""The tabs of the page, in their order. To add one, write it beside the others, and put it into this list."""

from __future__ import annotations

from app.instruments import TABS as BENCHES
from app.tabs.base import Tab
from app.tabs.instruments import Bench
from app.tabs.lessons import Lessons
from app.tabs.sampler import Sampler
from app.tabs.train import Train
from app.work.jobs import Job
from app.work.numbers import Numbers

TABS: list[Tab] = [Sampler(), *(Bench(name, title) for name, title in BENCHES.items()), Train()]


def jobs() -> dict[str, type[Job]]:
    """Every kind of job that there is, by name."""
    return {job.kind: job for job in (Numbers, *Lessons.jobs, *(job for tab in TABS for job in tab.jobs))}
