"""What tests of instruments share: their bodies, computed without a server."""

import json

from app.instruments import INSTRUMENTS, Context
from app.work import Work
from edm.base.flat import unflatten
from edm.experiments.experiment import Experiment


def bodies(name, guard=lambda denoiser: denoiser, yours=None, work=None, **values):
    """(body, finished?) of an instrument, with values as an address gives them."""
    instrument = INSTRUMENTS[name]
    settings = instrument.settings.parse(unflatten(values, instrument.settings))
    context = Context(work or Work("cpu"), guard, yours or Experiment())
    for body, finished in instrument.respond(settings, context):
        yield json.loads(body) if isinstance(body, str) else body, finished


def final(name, **values):
    """The last body."""
    *_, (body, finished) = bodies(name, **values)
    assert finished
    return body
