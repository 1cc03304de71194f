"""Who may do what. There are three kinds of room:

own        on this machine: everybody is its owner, and may do all
closed     others can reach it, and it was not opened: they look at everything, and sample, but change nothing
classroom  visitors log in with any name and the class' password, and start runs within limits; whoever gives the
           teacher's password is the teacher, and may do all

A teacher is told by the password, never by the name: in the runs' files a teacher's name has a mark that no
student's can have, and a name that one of them uses is refused to the other. A student who adds a word of their own to
the class' password keeps the name: from then on it opens with that word only.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import secrets
import threading
import time
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

from app.visitors import limits
from app.visitors.delays import Busy, Delays
from app.visitors.limits import Limits
from app.visitors.passwords import hashed, plain, same
from edm import runs
from edm.errors import Refused
from edm.runs import places

USER = "edm"  # who logs in where there is one password for all
TEACHER = " (teacher)"
NAMES_FILE = ".classroom.json"  # in the runs folder
MOST_NAMES = 2000
LONGEST_NAME = 40
WRONG_SECONDS = 0.5  # between wrong answers for one name
ADDRESS_SECONDS = 0.1  # and to one address, which a whole class may have
HASHING, MOST_ASKED = 2, 200  # words looked at at once; and that wait to be
OVERDUE_SECONDS = 5  # between two looks for runs that have had their time
_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
_NAME = re.compile(r"[^\W_](?:[\w .'-]*[\w.])?")
_CLOSED = (
    "Starting, stopping and deleting runs and uploading are off, since others can reach this server; start it with "
    "--classroom, or on 127.0.0.1, to switch them on."
)


@dataclass(frozen=True)
class Visitor:
    """name: the owner of what this visitor starts; None: the owner of the machine, or who only looks.
    teacher: may do all."""

    name: str | None
    teacher: bool


def generated() -> str:
    """A password that can be read out: twelve letters and digits, none of which looks like another (59 bits)."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(12))
    return "-".join(letters[k : k + 4] for k in (0, 4, 8))


class Room:
    """Who may do what here. Thread-safe.

    folder: of all runs. local: only this machine can reach the server. password: of the page, or of the class.
    classroom: see above; both passwords are needed then. limits: of each student.
    """

    def __init__(
        self, folder=None, local: bool = True, password: str | None = None, classroom: bool = False,
        teacher_password: str | None = None, limits: Limits | None = None,
    ):  # fmt: skip
        if classroom and (not password or not teacher_password or same(password, teacher_password)):
            raise Refused("a classroom needs a password for the class and another one for the teacher")
        if classroom and plain(teacher_password).startswith(plain(password) + " "):
            raise Refused("the teacher's password must not begin with that of the class and a blank")
        self.folder = runs.runs_folder(folder).absolute()
        self.kind = "classroom" if classroom else "own" if local else "closed"
        self.limits = limits or Limits()
        self.turn = threading.RLock()  # to hold while runs are counted and one is added
        self.password, self.teacher_password = password, teacher_password
        self._roles: dict[str, bool] = {}  # name -> is it the teacher's?
        self._names = threading.Lock()  # of the file and of _roles
        self._delays, self._hashing, self._asked = Delays(), ThreadPoolExecutor(HASHING), 0

    @property
    def asks(self) -> bool:
        """Whether visitors log in."""
        return bool(self.password)

    @property
    def message(self) -> str | None:
        """What the log-in page says."""
        if not self.asks:
            return None
        if self.kind != "classroom":
            return f"The user name is “{USER}”."
        return (
            "Choose a name; the password is that of your class. To keep the name for yourself, add a blank and a word "
            "of your own to the password, and log in with both from then on. A name that is taken is refused."
        )

    @property
    def refusal(self) -> str:
        """What somebody is told who does not come in."""
        taken = ", or the name is taken: choose another" if self.kind == "classroom" else ""
        return f"this name and this password do not belong together{taken}"

    async def login(self, name: str, password: str, address: str = "") -> bool:
        """Whether they may come in. It is looked at at once; the answer to a wrong try waits. Raises Busy.

        address: of who asks; a whole class may have one.
        """
        if await self._enters(str(name), str(password)):
            return True
        between = {("address", address): ADDRESS_SECONDS, ("name", _key(name)): WRONG_SECONDS}
        await self._delays.wrong(WRONG_SECONDS, between)
        return False

    async def _enters(self, name, password) -> bool:
        if self.kind != "classroom":
            return same(password, self.password) and name == USER
        expected, given = plain(self.password), plain(password)
        teacher = same(given, self.teacher_password)
        own = given[len(expected) :]
        student = same(given[: len(expected)], expected) and own[:1] in ("", " ")
        key = _key(name)
        if not (teacher or student) or key is None:
            return False
        if not teacher and not await self._looked_at(key, own.strip()):
            return False
        with self._names:
            full = len(self._roles) >= MOST_NAMES and not teacher and key not in self._roles
            if full or self._roles.setdefault(key, teacher) != teacher:
                logging.getLogger(__name__).warning("a log-in was refused: the name %r is taken", name)
                return False
        return True

    async def _looked_at(self, key, word) -> bool:
        """`_is_theirs`, in one of a few threads. Raises Busy if too many wait for them."""
        if self._asked >= MOST_ASKED:
            raise Busy
        self._asked += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._hashing, self._is_theirs, key, word)
        finally:
            self._asked -= 1

    def _is_theirs(self, key, word) -> bool:
        """Whether a student's name opens with this word, or has not been used before."""
        if self._roles.get(key):  # the teacher's
            return False
        kept = places.load(self.folder / NAMES_FILE).get(key)
        if kept is None:
            new = hashed(word, secrets.token_hex(8)) if word else ""
            with self._names:
                known = places.load(self.folder / NAMES_FILE)
                if key not in known and len(known) >= MOST_NAMES:
                    return False
                if key not in known:
                    self.folder.mkdir(parents=True, exist_ok=True)
                    places.write(self.folder / NAMES_FILE, known | {key: new}, durable=False)
                    os.chmod(self.folder / NAMES_FILE, 0o600)
                kept = known.get(key, new)
        salt = kept.partition(":")[0]
        return same(hashed(word, salt) if kept and word else word, kept)

    def visitor(self, request) -> Visitor:
        """Who sends a request: gr.Request, or anything with a `username`."""
        if self.kind != "classroom":
            return Visitor(None, self.kind == "own")
        name = request.username
        key = _key(name) if name else None
        teacher = self._roles.get(key)
        if teacher is None:  # not logged in
            return Visitor(None, False)
        return Visitor(key + TEACHER if teacher else key, teacher)

    def key(self, request):
        """What tells whoever sent a `gr.Request` from others: their name in a classroom, or else address and page."""
        name = self.visitor(request).name
        client = getattr(request, "client", None)
        return name or (client and client.host, request.session_hash)

    def check_start(self, visitor: Visitor, settings, existing, others=()) -> None:
        """Raises ValueError with a sentence if the visitor may not start a run with these `edm.Training` settings.

        existing: all runs there are. others: settings of runs that are to start with it. Hold `turn` from reading them
        to starting the runs.
        """
        self._check_open(visitor)
        for each in (settings, *others):
            self.check_data(each.data)
            if not visitor.teacher:
                limits.check_size(each, self.limits)
        if not visitor.teacher:
            limits.check_number([run for run in existing if _owns(visitor, run)], self.limits, 1 + len(others))

    def check_data(self, data) -> None:
        """Raises ValueError with a sentence if a run's data may not be named here, before anybody looks for them."""
        if self.kind != "own":
            limits.check_data(data, self.folder)

    def check_resume(self, visitor: Visitor, run, changes: dict, existing) -> None:
        """The same for going on with a run, some fields of its settings (as text) changed."""
        self.check_control(visitor, run)
        if self.kind == "classroom" and (named := set(changes) & {"data", "dataset", "path", "download"}):
            raise Refused(f"{min(named)} cannot be changed: a run goes on with its own data")
        if not visitor.teacher:
            limits.check_size(limits.changed(run.folder, changes), self.limits)
            others = [other for other in existing if other.name != run.name]
            limits.check_number([other for other in others if _owns(visitor, other)], self.limits)

    def check_control(self, visitor: Visitor, run) -> None:
        """Raises ValueError with a sentence if the visitor may not stop, resume or delete the run (`edm.runs.Run`)."""
        self._check_open(visitor)
        if not visitor.teacher and not _owns(visitor, run):
            raise Refused(f"the run {run.name!r} is somebody else's; you can stop, resume and delete your own")

    def check_upload(self, visitor: Visitor, size: int | None = None) -> int:
        """The most bytes that the visitor may upload at once. Raises ValueError with a sentence if there may be none,
        or `size` is more."""
        self._check_open(visitor)
        most = limits.UPLOAD_BYTES if visitor.teacher else min(self.limits.upload, limits.UPLOAD_BYTES)
        if size is not None and size > most:
            sizes = f"at most {most / 1e6:,.1f} MB; this one has {size / 1e6:,.1f} MB"
            raise Refused(f"an upload has {sizes}: shrink it, or bring less")
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
        return settings if visitor.teacher else limits.clamped(settings, self.limits)

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
            "limits": asdict(self.limits) if restricted else {},
            "upload": None if sentence else self.check_upload(visitor),
            "teacher": visitor.teacher,
            "name": visitor.name,
        }

    def overdue(self, run) -> bool:
        """Whether a student's run has had its time."""
        if self.kind != "classroom" or run.state not in ("running", "paused") or not run.started or not run.owner:
            return False
        return not run.owner.endswith(TEACHER) and time.time() - run.started > 60 * self.limits.minutes

    def keep_time(self) -> None:
        """Stop students' runs that have had their time, in a thread, from now on."""

        def watch():
            while True:
                time.sleep(OVERDUE_SECONDS)
                try:
                    for run in filter(self.overdue, runs.all_runs(self.folder)):
                        runs.stop(run.folder)
                except Exception:  # a file server that is away, a run that is gone: look again
                    logging.getLogger(__name__).exception("the runs in %s could not be timed", self.folder)

        if self.kind == "classroom":
            threading.Thread(target=watch, name="time-keeper", daemon=True).start()


def _key(name: str) -> str | None:
    """A name without what makes no difference to a reader; None if it cannot be one."""
    key = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
    return key if len(key) <= LONGEST_NAME and _NAME.fullmatch(key) else None


def _owns(visitor, run) -> bool:
    return visitor.name is not None and run.owner == visitor.name
