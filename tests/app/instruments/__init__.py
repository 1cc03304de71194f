"""What tests of instruments share: their bodies, computed without a server."""

import json

from app.instruments import INSTRUMENTS, Context
from app.work.shared import Work
from app.work.watch import Watch
from edm.base.flat import unflatten
from edm.experiments.experiment import Experiment


def bodies(name, watch=None, yours=None, work=None, **values):
    """(body, finished?) of an instrument, with values as an address gives them."""
    instrument = INSTRUMENTS[name]
    settings = instrument.settings.parse(unflatten(values, instrument.settings))
    context = Context(work or Work("cpu"), watch or Watch(), yours or Experiment())
    for body, finished in instrument.respond(settings, context):
        yield json.loads(body) if isinstance(body, str) else body, finished


def final(name, **values):
    """The last body."""
    *_, (body, finished) = bodies(name, **values)
    assert finished
    return body
