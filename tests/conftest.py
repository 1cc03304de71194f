"""The order of the files: long ones first, so that two workers end at about the same time."""

import gc
from collections import Counter

MANY = 1000  # tests, which take long together


def pytest_sessionstart():
    gc.disable()  # in what is collected there is next to no waste; looking for it took 4.4 of 14.8 s


def pytest_collection_modifyitems(items):
    """Those in a browser, one of very many tests, those of few, which start processes; last those of a millisecond."""
    tests = Counter(item.path for item in items)
    count = {path: 0 if number > MANY else number for path, number in tests.items()}
    items.sort(key=lambda item: ("browser" not in item.path.parts, count[item.path]))


def pytest_collection_finish():
    gc.freeze()  # what there is now stays to the end
    gc.enable()
