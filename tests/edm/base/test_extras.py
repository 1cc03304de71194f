"""A package that only some need is named, with how to get it, where it is missed."""

import sys

import pytest

from edm.base.errors import Refused
from edm.base.extras import needed
from edm.data import torchvision_sets
from edm.runs import tensorboard


@pytest.mark.parametrize(
    ("package", "use"),
    [
        ("torchvision", lambda place: torchvision_sets.opened("cifar10", place, download=True)),
        ("tensorboardX", lambda place: tensorboard.write(place)),
    ],
)
def test_what_is_not_installed_is_a_sentence_with_its_remedy(monkeypatch, tmp_path, package, use):
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(Refused, match=rf"needs {package}.*which is not installed: pip install 'edm-explorer\[train\]'"):
        use(tmp_path)


def test_other_errors_pass_through():
    with pytest.raises(KeyError), needed("train", "this"):
        raise KeyError("another")
