"""What visitors bring survives a power cut."""

import os

from app.uploads import sets
from tests.app.uploads.sets import PETS, packed
from tests.disk import Disk, files_in, inode


def test_an_uploaded_set_survives_a_power_cut(monkeypatch, tmp_path):
    disk = Disk(monkeypatch)
    for given in ([[0.0, 1.0], [1.0, 2.0]], packed(PETS)):
        path = sets.path_of(tmp_path, sets.intake(given, tmp_path)["id"])
        for file in files_in(path.parent):
            assert ("synced", inode(os.stat(file))) in disk.events, file
        assert disk.keeps(path.parent), "and its name"
    assert ("synced", inode(os.stat(tmp_path))) in disk.events
