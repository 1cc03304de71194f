"""A stand-in for the disk: what was synced and renamed, in its order."""

import os


class Disk:
    """Stands in for os.fsync, os.replace and os.link: what was done, in its order."""

    def __init__(self, monkeypatch):
        self.events = []
        for name, seen in (("replace", self._renamed), ("link", self._renamed), ("fsync", self._synced)):
            monkeypatch.setattr(os, name, seen(getattr(os, name)))

    def _synced(self, real):
        def fsync(number):
            self.events.append(("synced", inode(os.fstat(number))))
            real(number)

        return fsync

    def _renamed(self, real):
        def rename(source, target):
            was = os.lstat(source)
            real(source, target)
            self.events.append(("placed", os.path.abspath(target), inode(was)))

        return rename

    def keeps(self, path) -> bool:
        """Whether the file at `path` survives a power cut: it was synced, then named, then its folder was synced."""
        path = os.path.abspath(path)
        file, folder = inode(os.lstat(path)), inode(os.lstat(os.path.dirname(path)))
        placed = ("placed", path, file)
        if placed not in self.events:
            return False
        at = len(self.events) - 1 - self.events[::-1].index(placed)
        return ("synced", file) in self.events[:at] and ("synced", folder) in self.events[at:]


def inode(found):
    return found.st_dev, found.st_ino


def files_in(folder):
    return [path for path in folder.rglob("*") if path.is_file()]
