"""A folder of runs, and workers that only say that they were started."""

import pytest

from edm.runs import launchers
from tests.edm.runs.stubs import Scripts


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "runs"


@pytest.fixture
def stubs(monkeypatch, tmp_path):
    """Workers that only sleep; yields the file to which each writes the directory of its run."""
    started = tmp_path / "started"
    code = f"open({str(started)!r}, 'a').write(NAME + chr(10)); import time; time.sleep(60)"
    launcher = Scripts(code)
    monkeypatch.setitem(launchers.LAUNCHERS, launchers.LOCAL, launcher)
    started.touch()
    yield started
    launcher.clear()
