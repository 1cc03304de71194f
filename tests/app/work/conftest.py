"""Jobs of every kind."""

import pytest

from app.training.flow import Flow
from tests.app.training import finished
from tests.app.work.kinds import KINDS


@pytest.fixture(scope="session")
def every(tmp_path_factory):
    """One job of each kind."""
    (checkpoint,) = list((finished(tmp_path_factory.mktemp("runs"), "moons", images=64) / "checkpoints").iterdir())
    return KINDS | {"flow": Flow(checkpoint=str(checkpoint))}
