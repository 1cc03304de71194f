"""Who comes in, by which password.

A teacher is told by the password, never by the name: in the runs' files a teacher's name has a mark that no
student's can have, and a name that one of them uses is refused to the other. A student who adds a word of their own to
the class' password keeps the name: from then on it opens with that word only.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from app.visitors.delays import Busy, Delays
from app.visitors.names import Names, key_of
from app.visitors.passwords import plain, same
from edm.base.errors import Refused

USER = "edm"  # who logs in where there is one password for all
WRONG_SECONDS = 0.5  # between wrong answers for one name
ADDRESS_SECONDS = 0.1  # and to one address, which a whole class may have
HASHING, MOST_ASKED = 2, 200  # words looked at at once; and that wait to be


class Entrance:
    """password: for everybody; None: nobody logs in. message: what the log-in page says, or None. refusal: what
    somebody is told who does not come in."""

    refusal = "this name and this password do not belong together"

    def __init__(self, password: str | None):
        self.password, self._delays = password, Delays()

    @property
    def asks(self) -> bool:
        """Whether visitors log in."""
        return bool(self.password)

    @property
    def message(self) -> str | None:
        return f"The user name is “{USER}”." if self.asks else None

    async def login(self, name: str, password: str, address: str = "") -> bool:
        """Whether they may come in. It is looked at at once; the answer to a wrong try waits. Raises Busy.

        address: of who asks; a whole class may have one.
        """
        if await self._enters(str(name), str(password)):
            return True
        between = {("address", address): ADDRESS_SECONDS, ("name", key_of(name)): WRONG_SECONDS}
        await self._delays.wrong(WRONG_SECONDS, between)
        return False

    async def _enters(self, name, password) -> bool:
        return same(password, self.password) and name == USER


class ClassroomEntrance(Entrance):
    """password: of the class. folder: of all runs, where names are kept. Raises Refused for passwords that are none."""

    refusal = f"{Entrance.refusal}, or the name is taken: choose another"
    message = (
        "Choose a name; the password is that of your class. To keep the name for yourself, add a blank and a word "
        "of your own to the password, and log in with both from then on. A name that is taken is refused."
    )

    def __init__(self, folder: Path, password: str | None, teacher_password: str | None):
        if not password or not teacher_password or same(password, teacher_password):
            raise Refused("a classroom needs a password for the class and another one for the teacher")
        if plain(teacher_password).startswith(plain(password) + " "):
            raise Refused("the teacher's password must not begin with that of the class and a blank")
        super().__init__(password)
        self.teacher_password, self.names = teacher_password, Names(folder)
        self._hashing, self._asked = ThreadPoolExecutor(HASHING), 0

    async def _enters(self, name, password) -> bool:
        expected, given = plain(self.password), plain(password)
        teacher = same(given, self.teacher_password)
        own = given[len(expected) :]
        student = same(given[: len(expected)], expected) and own[:1] in ("", " ")
        if not (teacher or student) or key_of(name) is None:
            return False
        if not teacher and not await self._opens(name, own.strip()):
            return False
        return self.names.enter(name, teacher)

    async def _opens(self, name, word) -> bool:
        """`Names.opens`, in one of a few threads. Raises Busy if too many wait for them."""
        if self._asked >= MOST_ASKED:
            raise Busy
        self._asked += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._hashing, self.names.opens, name, word)
        finally:
            self._asked -= 1
