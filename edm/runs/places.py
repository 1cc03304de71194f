"""Where a run's files lie, what a run may be called, and files that only one of many writers can create.

requests/<n>.start.json    the n-th beginning of the run is asked for: by whom, where, with which command
requests/<n>.waits.json    why it does not begin, where that is not for its turn alone
requests/<n>.taken.json    one launcher has taken it upon itself, and where: there is only ever one
requests/<n>.worker.json   the process it started
requests/<n>.fellow.json   why one of several processes has ended, of which another one leads
requests/<n>.pause.json    that beginning shall hold, as long as this is there
requests/<n>.stop.json     that beginning shall end
requests/<n>.term.json     it did not in time, and somebody has sent it a signal
requests/<n>.lapse<k>.json who may write it, after its k-th silence: its worker, or who takes it over (`edm.runs.lease`)
tasks/<name>/              work on one of its checkpoints (`edm.runs.tasks`): a folder like a run's own
status.json                what its worker says of itself
"""

from __future__ import annotations

import errno
import json
import os
import re
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from edm.base import documents
from edm.base.atomic import atomic, settle, stamp
from edm.base.errors import Refused
from edm.base.paths import expanded
from edm.files.names import check_name

if TYPE_CHECKING:
    from edm.base.types import StrPath

_BEGINNING = re.compile(r"([0-9]{4,})\.(?:start|taken)\.json")
_NO_LINKS = (
    errno.EPERM,
    errno.EOPNOTSUPP,
    errno.ENOSYS,
    errno.EMLINK,
    errno.EACCES,
)  # the last on Windows, of open files


TASKS = "tasks"


def place(folder: StrPath, name: str) -> Path:
    """The directory of the run of that name, or of RUN/TASK. Raises ValueError if there is none."""
    run, slash, task = str(name).partition("/")
    path = expanded(folder) / check_name(run)
    if path.is_symlink() or not path.is_dir():
        raise Refused(f"there is no run {run!r} in {folder}")
    if not slash:
        return path
    path = path / TASKS / check_name(task)
    if not path.is_dir():
        raise Refused(f"the run {run!r} has no task {task!r}")
    return path


def is_task(folder: StrPath) -> bool:
    """Whether a folder is that of a task, and not of a run."""
    return expanded(folder).parent.name == TASKS


def called(folder: StrPath) -> str:
    """What people call the run, or the task, in a folder: RUN, or RUN/TASK."""
    folder = expanded(folder)
    return f"{folder.parent.parent.name}/{folder.name}" if is_task(folder) else folder.name


def within(home: StrPath, called: str) -> Path:
    """The folder of what is called so in the folder of all runs, whether or not it is there."""
    run, slash, task = called.partition("/")
    return expanded(home, run, TASKS, task) if slash else expanded(home, run)


def home(folder: StrPath) -> Path:
    """The folder of all runs, in which the one of a run, or of a task, lies."""
    folder = expanded(folder)
    return folder.parents[2] if is_task(folder) else folder.parent


def request(run: StrPath, number: int, what: str) -> Path:
    return expanded(run, "requests", f"{number:04}.{what}.json")


def identity(run: StrPath) -> str | None:
    """What tells a run from every other, also from one that had its name before: the file of its first beginning."""
    return stamp(request(run, 1, "start")) or stamp(request(run, 1, "taken"))


def newest(run: StrPath, strict: bool = False) -> int:
    """The number of the last beginning that was asked for or taken; 0: none. strict: OSError if that cannot be read."""
    try:
        names = os.listdir(expanded(run, "requests"))
    except FileNotFoundError:
        return 0
    except OSError:
        if strict:
            raise
        return 0
    return max((int(found[1]) for found in map(_BEGINNING.fullmatch, names) if found), default=0)


def going_on(run: StrPath, number: int) -> int:
    """The last of the beginnings that go on for the n-th one in its place (`edm.runs.retries`): mostly itself."""
    while read(request(run, number + 1, "taken")).get("again") == number:
        number += 1
    return number


def create(path: StrPath, document: dict) -> bool:
    """Write a file that is not there yet, whole at once, and on the disk. False if another has been quicker, here or
    elsewhere."""
    path = expanded(path)
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.") as file:
        file.write(json.dumps(document).encode())
        file.flush()
        os.fsync(file.fileno())
        os.chmod(file.name, 0o644)
        try:
            os.link(file.name, path)
        except FileExistsError:
            return os.stat(file.name).st_nlink == 2  # ours after all: a network file system may answer twice
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            return _create_here(path, document)
    settle(path.parent)
    return True


def _create_here(path, document):
    """The same on a file system without links, where a reader may find it empty for a moment."""
    try:
        with open(path, "xb") as file:
            file.write(json.dumps(document).encode())
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        return False
    settle(path.parent)
    return True


def modified(path: StrPath) -> float | None:
    """When a file was written, by its server's clock; None if it is not there. Opening it makes NFS ask the server."""
    try:
        with open(expanded(path), "rb") as file:
            return os.fstat(file.fileno()).st_mtime
    except FileNotFoundError:
        return None


def moment(run: StrPath) -> float:
    """What time it is by the clock of the server on which a run lies."""
    with NamedTemporaryFile(dir=expanded(run, "requests"), prefix=".0000.moment.json.") as file:
        file.write(b"?")
        file.flush()
        os.fsync(file.fileno())
        return os.fstat(file.fileno()).st_mtime


def write(path: StrPath, document: dict, durable: bool = True) -> None:
    with atomic(path, durable) as file:
        file.write(json.dumps(document, indent=1).encode())


def read(path: StrPath) -> dict:
    """The document in a file; an empty one if there is none, or it is not one."""
    try:
        with open(expanded(path), "rb") as file:
            document = documents.from_json(file.read(documents.MAX_JSON + 1), str(path))
    except (OSError, Refused):
        return {}
    return document if isinstance(document, dict) else {}


def disk_use(folder: StrPath) -> int:
    """Bytes that the files in a directory take."""
    total = 0
    for parent, _, names in os.walk(expanded(folder)):
        for name in names:
            with suppress(OSError):  # gone meanwhile
                total += os.lstat(os.path.join(parent, name)).st_size
    return total
