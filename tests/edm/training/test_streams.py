"""What a CUDA GPU is asked for, in which order: copies beside the step before, and readings that wait for no later one.

There is none: streams, events and tensors there are made ones that write down what is asked of them.
"""

from contextlib import contextmanager

import numpy as np
import pytest
import torch

from edm.training.later import Later
from edm.training.parcels import Batch, packed

CUDA = torch.device("cuda", 0)


@pytest.fixture
def asked(monkeypatch):
    """What has been asked of the GPU so far."""
    told, now = [], ["main"]

    class Stream:
        def __init__(self, device=None, name="own"):
            self.name = name

        def wait_event(self, event):
            told.append(f"{self.name} waits for {event.name}")

        def wait_stream(self, other):
            told.append(f"{self.name} waits for {other.name}")

    class Event:
        def record(self, stream):
            self.name = f"what {stream.name} has"

        def synchronize(self):
            told.append(f"host waits for {self.name}")

    @contextmanager
    def stream(chosen):
        now.append(chosen.name)
        yield
        now.pop()

    def to(tensor, device, non_blocking=False):
        told.append(f"{now[-1]} copies{'' if non_blocking else ', and the host waits'}")
        return tensor

    monkeypatch.setattr(torch.cuda, "Stream", Stream)
    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "stream", stream)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: Stream(name="main"))
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: told.append("pinned") or tensor)
    monkeypatch.setattr(torch.Tensor, "record_stream", lambda tensor, used: told.append(f"kept for {used.name}"))
    monkeypatch.setattr(torch.Tensor, "to", to)
    return told


def test_a_parcel_is_pinned_and_goes_by_a_stream_of_its_own(asked):
    drawn = {"sigma": torch.rand(3, dtype=torch.float64), "hidden": torch.tensor([True, False, True])}
    images = torch.arange(3 * 5, dtype=torch.uint8).view(3, 5)
    batches = [Batch(np.arange(k, k + 3), images + k, torch.arange(3) if k else None, drawn) for k in (0, 3)]
    unpack = packed(batches, CUDA)
    assert asked == ["pinned"], "by whoever packs it"
    there = unpack()
    assert asked[1:] == ["own copies", "main waits for own", "kept for main"]
    for batch, found in zip(batches, there, strict=True):
        assert found.numbers is batch.numbers
        assert torch.equal(found.samples, batch.samples)
        assert found.labels is None if batch.labels is None else torch.equal(found.labels, batch.labels)
        assert all(torch.equal(found.drawn[name], drawn[name]) for name in drawn)


def test_a_reading_waits_for_its_own_step_and_not_for_the_next(asked):
    class There:
        device = CUDA

        def cpu(self):
            asked.append("read")
            return torch.tensor(1.5)

    later = Later(There())
    assert asked == []
    assert later.read() == 1.5
    assert asked == ["own waits for what main has", "read"]
    later.wait()
    assert asked[-1] == "host waits for what main has"


def test_on_the_cpu_nothing_is_packed_and_nothing_waits(asked):
    batch = Batch(np.arange(2), torch.ones(2, 2), None, {})
    assert packed([batch], torch.device("cpu"))() == [batch]
    later = Later(torch.tensor([1.0, 2.0]))
    later.wait()
    assert later.read() == [1.0, 2.0]
    assert asked == []
