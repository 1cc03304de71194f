"""The order of the files: long ones first, so that two workers end at about the same time."""

from collections import Counter


def pytest_collection_modifyitems(items):
    """Those in a browser, then those of few tests, which start processes; last the many of a millisecond each."""
    tests = Counter(item.path for item in items)
    items.sort(key=lambda item: ("browser" not in item.path.parts, tests[item.path]))
