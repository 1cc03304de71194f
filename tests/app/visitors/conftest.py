"""Fixtures of the rooms' tests."""

import pytest


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("app.visitors.entrance.WRONG_SECONDS", 0.01)
