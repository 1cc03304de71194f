"""Who may do what. There are three kinds of room:

own        on this machine: everybody is its owner, and may do all
closed     others can reach it, and it was not opened: they look at everything, and sample, but change nothing
classroom  visitors log in with any name and the class' password, and start runs within limits; whoever gives the
           teacher's password is the teacher, and may do all
"""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass

from starlette.datastructures import Address

from app.visitors import limits
from app.visitors.entrance import ClassroomEntrance, Entrance
from app.visitors.limits import Allowance
from app.visitors.names import key_of
from edm.base.errors import Refused
from edm.files.names import runs_folder

TEACHER = " (teacher)"
_CLOSED = (
    "Starting, stopping and deleting runs and uploading are off, since others can reach this server; start it with "
    "--classroom, or on 127.0.0.1, to switch them on."
)
_UNSHARED = {
    "closed": "Short addresses of lessons are off, since others can reach this server; start it with --classroom, or "
    "give the full link.",
    "classroom": "The teacher gives lessons their short addresses; give the full link.",
}


@dataclass(frozen=True)
class Visitor:
    """name: the owner of what this visitor starts; None: the owner of the machine, or who only looks.
    teacher: may do all."""

    name: str | None
    teacher: bool


@dataclass(frozen=True)
class Sender:
    """Who sends a request of the page, as a `gr.Request` says it of others. username: who has logged in.
    session_hash: of the visit, another one for each page that is opened."""

    username: str | None
    client: Address | None
    session_hash: str


class Room:
    """Who may do what here. Thread-safe.

    folder: of all runs. local: only this machine can reach the server. password: of the page, or of the class.
    classroom: see above; both passwords are needed then. allowance: of each student.
    """

    def __init__(
        self, folder=None, local: bool = True, password: str | None = None, classroom: bool = False,
        teacher_password: str | None = None, allowance: Allowance | None = None,
    ):  # fmt: skip
        self.folder = runs_folder(folder).absolute()
        self.local = local
        self.kind = "classroom" if classroom else "own" if local else "closed"
        self.allowance = allowance or Allowance()
        self.turn = threading.RLock()  # to hold while runs are counted and one is added
        self.entrance = ClassroomEntrance(self.folder, password, teacher_password) if classroom else Entrance(password)

    def visitor(self, request) -> Visitor:
        """Who sends a request: Sender, gr.Request, or anything with a `username`."""
        if self.kind != "classroom":
            return Visitor(None, self.kind == "own")
        name = request.username
        teacher = self.entrance.names.is_teacher(name)
        if teacher is None:  # not logged in
            return Visitor(None, False)
        return Visitor(key_of(name) + TEACHER if teacher else key_of(name), teacher)

    def key(self, request):
        """What tells whoever sent a request from others: their name in a classroom, or else address and page.

        request: Sender, or gr.Request."""
        name = self.visitor(request).name
        client = getattr(request, "client", None)
        return name or (client and client.host, request.session_hash)

    def check_start(self, visitor: Visitor, settings, existing, others=()) -> None:
        """Raises Refused with a sentence if the visitor may not start a run with these `edm.Training` settings.

        existing: all runs there are. others: settings of runs that are to start with it. Hold `turn` from reading them
        to starting the runs.
        """
        self._check_open(visitor)
        for each in (settings, *others):
            self.check_data(each.data)
            if not visitor.teacher:
                limits.check_size(each, self.allowance)
        if not visitor.teacher:
            limits.check_number([run for run in existing if _owns(visitor, run)], self.allowance, 1 + len(others))

    def check_data(self, data) -> None:
        """Raises Refused with a sentence if a run's data may not be named here, before anybody looks for them."""
        if self.kind != "own":
            limits.check_data(data, self.folder)

    def check_resume(self, visitor: Visitor, run, changes: dict, existing) -> None:
        """The same for going on with a run, some fields of its settings (as text) changed."""
        from edm.runs.beginnings import settings_of

        self.check_control(visitor, run)
        if self.kind == "classroom" and (named := set(changes) & {"data", "dataset", "path", "download"}):
            raise Refused(f"{min(named)} cannot be changed: a run goes on with its own data")
        if not visitor.teacher:
            limits.check_size(settings_of(run.folder, changes, run.checkpoint), self.allowance)
            others = [other for other in existing if other.name != run.name]
            limits.check_number([other for other in others if _owns(visitor, other)], self.allowance)

    def check_control(self, visitor: Visitor, run) -> None:
        """Raises Refused with a sentence if the visitor may not stop, resume or delete the run (`edm.runs.Run`)."""
        self._check_open(visitor)
        if not visitor.teacher and not _owns(visitor, run):
            raise Refused(f"the run {run.name!r} is somebody else's; you can stop, resume and delete your own")

    def check_work(self, visitor: Visitor, run, kind: str, settings, existing) -> None:
        """Raises Refused with a sentence if the visitor may not have a run's checkpoint worked with (`edm.runs.tasks`).

        existing: all runs there are. Hold `turn` from reading them to starting it.
        """
        from edm.runs import tasks

        self.check_control(visitor, run)
        if self.kind != "own":
            limits.check_files(settings)
        if not visitor.teacher:
            there = [task for other in existing if _owns(visitor, other) for task in tasks.of(other.folder)]
            limits.check_work(settings, tasks.KINDS[kind].total(settings), there)

    def may_move(self, visitor: Visitor) -> bool:
        """Whether the visitor may choose the device on which the page computes, for everybody."""
        return visitor.teacher

    def check_move(self, visitor: Visitor) -> None:
        """Raises Refused with a sentence unless the visitor may choose it."""
        if not self.may_move(visitor):
            raise Refused("the device of the page is the same for all; whoever looks after it chooses it")

    def check_share(self, visitor: Visitor) -> None:
        """Raises Refused with a sentence unless the visitor may give a lesson a short address on this server."""
        if not visitor.teacher:
            raise Refused(_UNSHARED[self.kind])

    def check_upload(self, visitor: Visitor, size: int | None = None) -> int:
        """The most bytes that the visitor may upload at once. Raises Refused with a sentence if there may be none,
        or `size` is more."""
        self._check_open(visitor)
        if self.kind == "own":
            most = limits.room_on_disk(self.folder)
        else:
            most = limits.UPLOAD_BYTES if visitor.teacher else min(self.allowance.upload, limits.UPLOAD_BYTES)
        limits.check_upload(most, size, self.kind == "own")
        return most

    def _check_open(self, visitor):
        if self.kind == "closed":
            raise Refused(_CLOSED)
        if self.kind == "classroom" and visitor.name is None:
            raise Refused("log in first: reload the page")

    def sees(self, visitor: Visitor) -> str | None:
        """Whose uploads the visitor sees and removes: None for everybody's."""
        return None if visitor.teacher else visitor.name or ""

    def clamped(self, visitor: Visitor, settings):
        """Training settings brought within the visitor's limits: length, batch and reports, not the network."""
        return settings if visitor.teacher else limits.clamped(settings, self.allowance)

    def described(self, visitor: Visitor) -> dict:
        """As JSON data for the page. sentence: why starting is off, or None; limits: {} for who has none."""
        try:
            self._check_open(visitor)
            sentence = None
        except Refused as error:
            sentence = str(error)
        restricted = self.kind == "classroom" and not visitor.teacher
        return {
            "starting": sentence is None,
            "sentence": sentence,
            "limits": asdict(self.allowance) if restricted else {},
            "upload": None if sentence else self.check_upload(visitor),
            "teacher": visitor.teacher,
            "name": visitor.name,
        }


def _owns(visitor, run) -> bool:
    return visitor.name is not None and run.owner == visitor.name
