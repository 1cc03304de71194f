"""Pickles read as data, without running anything.

A pickle is a program that may call any function there is. Here it can fill plain containers and make records, and
nothing else: each name that it may use is given by the reader and stands for one of the classes below or a subclass
of Record, and its opcodes are looked through before the first of them runs.
"""

from __future__ import annotations

import pickle
import pickletools
import struct
from collections.abc import Callable, Iterator
from typing import IO, Any

from edm.base.errors import Refused

_PLAIN = (
    "PROTO FRAME STOP MARK MEMOIZE BINPUT LONG_BINPUT BINGET LONG_BINGET NONE NEWTRUE NEWFALSE "
    "BININT BININT1 BININT2 LONG1 BINFLOAT BINSTRING SHORT_BINSTRING BINUNICODE SHORT_BINUNICODE BINUNICODE8 "
    "BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8 EMPTY_DICT SETITEM SETITEMS EMPTY_LIST APPEND APPENDS "
    "EMPTY_SET ADDITEMS EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 GLOBAL STACK_GLOBAL REDUCE NEWOBJ BUILD"
)
OPCODES = frozenset(_PLAIN.split())
MAX_OPCODES = 4_000_000  # a network of 300 million parameters has about 200,000, and an opcode may take 200 bytes
MAX_TUPLES = 32_000  # that network has 10,000; as a nest of 100,000 they overflow the interpreter's stack
DAMAGED = (pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError, LookupError, struct.error)
DAMAGED += (OverflowError, MemoryError, RecursionError)  # what a pickle that is no good may raise


# Each class has a method for states, so that a pickle which gives a state to the class itself fails, and leaves
# nothing behind for the next one.


class Record:
    """What stands for an object: the arguments of the call that would make it, and the state given to it then."""

    arguments: tuple = ()
    state: object = None

    def __init__(self, *arguments: Any):
        self.arguments = arguments

    def __setstate__(self, state):
        self.state = state


def _refuse(self, state):
    raise Refused("it gives a state to an object that has none")


class Items(dict):
    """For kinds of dictionary. It is made empty and filled item by item."""

    __slots__ = ()
    __setstate__ = _refuse

    def __init__(self):
        super().__init__()


class Encoded:
    """For _codecs.encode, with which Python 3 writes bytes for readers of Python 2."""

    __setstate__ = _refuse

    def __new__(cls, text, encoding):
        return text.encode("latin1")


def opcodes(file: IO[bytes], allowed: frozenset = OPCODES) -> Iterator[tuple[str, Any]]:
    """(name, argument) of each opcode of the pickle that begins where `file` stands.

    Raises Refused, in words that follow upon a name of the file, for one that is not allowed, or too many of them, and
    one of DAMAGED where they make no sense.
    """
    tuples = 0
    for count, (opcode, argument, _) in enumerate(pickletools.genops(file)):
        name = opcode.name
        tuples += name.startswith("TUPLE")
        # A memo index beyond the number of opcodes would only make the memo huge
        if name not in allowed or ("PUT" in name and (argument or 0) > count):
            raise Refused(f"it has the opcode {name}, which no such file needs here")
        if count > MAX_OPCODES or tuples > MAX_TUPLES:
            raise Refused("it is more intricate than any such file")
        yield name, argument


def read(
    file: IO[bytes], names: dict[tuple[str, str], type], encoding: str = "ASCII",
    stored: Callable[[Any], Any] | None = None,
) -> Any:  # fmt: skip
    """The object in the pickle that begins where `file`, a binary file, stands. It stands behind the pickle then.

    names: what stands for the names that may be used: {(module, name): Record, a subclass of it, Items or Encoded}.
    encoding: of text that Python 2 wrote; "bytes" leaves it as it is. stored: what stands for the things that the
    pickle only names, by their names; None: it may name none.
    Raises Refused for a pickle that is damaged, cut off, or asks for more.
    """

    class Unpickler(pickle.Unpickler):
        def find_class(self, module, name):
            if (module, name) not in names:
                raise Refused(f"it calls {f'{module}.{name}'!r:.120}, which no such file needs")
            return names[module, name]

        def persistent_load(self, pid):
            return None if stored is None else stored(pid)

    start = file.tell()
    try:
        for _ in opcodes(file, OPCODES if stored is None else OPCODES | {"BINPERSID"}):
            pass
        end = file.tell()
        file.seek(start)
        found = Unpickler(file, encoding=encoding).load()
        file.seek(end)
        return found
    except Refused:
        raise
    except DAMAGED as error:
        raise Refused(f"it is damaged or cut off ({str(error) or type(error).__name__:.100})") from None
