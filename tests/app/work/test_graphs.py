"""A network as a graph computes the same, to the last bit; where there is none, it computes as it is."""

import copy
import gc
import pickle
import time
import weakref

import pytest
import torch

from app.work import graphs
from app.work.slots import Slots
from edm import networks
from edm.preconditioning import EDM, Denoiser

X = torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(6) % 3


@pytest.fixture
def denoiser():
    torch.manual_seed(0)
    sizes = {"in_channels": 1, "resolution": 8, "channels": 4, "channel_mult": (1, 2), "blocks": 1}
    network = networks.build("ddpmpp", **sizes, attention=(4,), classes=3)
    with torch.no_grad():
        for weights in network.parameters():  # a fresh one answers nothing
            weights.add_(torch.randn_like(weights), alpha=0.1)
    return Denoiser(network, EDM(0.5), shape=(1, 8, 8), classes=3)


@pytest.fixture
def called(denoiser, monkeypatch):
    """How often the network itself was called."""
    calls, honest = [], type(denoiser.network).forward

    def forward(self, *given, **named):
        calls.append(1)
        return honest(self, *given, **named)

    monkeypatch.setattr(type(denoiser.network), "forward", forward)
    return calls


def there(drawn, called, x=X, labels=LABELS):
    """Whether such batches are computed by a graph, in a while."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        before = len(called)
        with torch.no_grad():
            drawn(x, 1.0, labels)
        if len(called) == before:
            return True
        time.sleep(0.01)
    return False


@torch.no_grad()
def test_after_some_calls_there_is_a_graph_and_it_computes_the_same_to_the_last_bit(denoiser, called):
    drawn = graphs.drawn(denoiser, Slots(1))
    assert there(drawn, called)
    for sigma in (0.02, 0.7, 40.0):
        assert torch.equal(drawn(X, sigma, LABELS), denoiser(X, sigma, LABELS))
        assert torch.equal(drawn(X, sigma, LABELS.flip(0)), denoiser(X, sigma, LABELS.flip(0)))
    before = len(called)
    graphs.drawn(denoiser, Slots(1))(X, 1.0, LABELS)
    assert len(called) == before, "it is the network's, whoever asks"


def test_whatever_else_is_asked_is_computed_as_it_is(denoiser, called):
    drawn = graphs.drawn(denoiser, Slots(1))
    assert there(drawn, called)
    x = X.clone().requires_grad_()
    (slope,) = torch.autograd.grad(drawn(x, 1.0, LABELS).sum(), x)
    assert slope.abs().sum() > 0
    with torch.no_grad():
        each = torch.linspace(0.1, 5, 6, dtype=torch.float64)
        assert torch.equal(drawn(X[:5], 1.0), denoiser(X[:5], 1.0))
        assert torch.equal(drawn(X, each, LABELS), denoiser(X, each, LABELS))
        with torch.autocast("cpu", torch.bfloat16):
            assert torch.equal(drawn(X, 1.0, LABELS), denoiser(X, 1.0, LABELS))


@torch.no_grad()
def test_a_graph_is_made_behind_what_is_computed_and_a_place_is_not_held_for_it(denoiser, called):
    slots = Slots(1)
    drawn = graphs.drawn(denoiser, slots)
    with slots.turn("somebody"):
        for _ in range(2 * graphs.CALLS):
            drawn(X, 1.0, LABELS)
        while not slots.waiting:
            time.sleep(0.001)
        before = len(called)
        drawn(X, 1.0, LABELS)
        assert len(called) == before + 1
    assert there(drawn, called)


@torch.no_grad()
def test_what_torch_refuses_to_trace_is_computed_as_it_is(denoiser, monkeypatch):
    def refused(*given, **options):
        raise AttributeError("torch has no such thing any more")

    monkeypatch.setattr(torch.jit, "trace", refused)
    slots = Slots(1)
    drawn = graphs.drawn(denoiser, slots)
    found = [drawn(X, 1.0, LABELS) for _ in range(graphs.CALLS + 1)]
    assert torch.equal(found[-1], denoiser(X, 1.0, LABELS))
    assert graphs.drawn(denoiser, None) is denoiser, "without places to make them in there are none"


@torch.no_grad()
def test_a_network_with_graphs_is_copied_and_sent_as_itself_and_forgotten_with_them(denoiser, called):
    drawn = graphs.drawn(denoiser, Slots(1))
    assert there(drawn, called)
    for made in (copy.deepcopy(drawn), pickle.loads(pickle.dumps(drawn))):
        assert type(made.network) is type(denoiser.network)
        assert torch.equal(made(X, 1.0, LABELS), denoiser(X, 1.0, LABELS))
    network = weakref.ref(denoiser.network)
    called.clear()
    denoiser.network = drawn.network = made = None
    gc.collect()
    assert network() is None
