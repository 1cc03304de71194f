"""Passwords: how they are compared, and how those that are given at the start leave what others can read.

What a process was started with stays in /proc/PID/cmdline and /proc/PID/environ, whatever it does to its own variables.
So the program starts itself anew, as the same process, without them, and reads them from a pipe.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import sys
import unicodedata
from argparse import Namespace

from edm.base.errors import Refused

VARIABLES = {"password": "EDM_PASSWORD", "teacher_password": "EDM_TEACHER_PASSWORD"}
LONGEST = 1000  # characters; a pipe holds no more than 64 kB until somebody reads it
_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
_PIPE = "EDM_PASSWORDS_PIPE"
_OPTIONS = {f"--{field.replace('_', '-')}": field for field in VARIABLES}


def hide(chosen: Namespace, anew: bool) -> None:
    """Move the passwords out of sight. anew: whether this process may start anew; then this does not return.

    chosen: the options, as they were read; afterwards they are complete. Raises Refused.
    """
    shown = [name for name in VARIABLES.values() if os.environ.pop(name, None)]
    pipe = os.environ.pop(_PIPE, None)
    if pipe is not None:
        vars(chosen).update(_received(pipe))
        return
    words = {field: getattr(chosen, field) for field in VARIABLES if getattr(chosen, field)}
    for field, word in words.items():
        if len(word) > LONGEST:
            raise Refused(f"the {field.replace('_', ' ')} is longer than {LONGEST:,} characters; choose a shorter one")
    if anew and (shown or words):
        _restart(words)


def without(arguments: list[str]) -> list[str]:
    """Command-line arguments without the passwords among them."""
    kept, skip = [], False
    for argument in arguments:
        if skip:
            skip = False
        elif argument in _OPTIONS:
            skip = True
        elif argument.partition("=")[0] not in _OPTIONS:
            kept.append(argument)
    return kept


def _received(pipe: str) -> dict[str, str]:
    try:
        with open(int(pipe), "rb") as file:
            words = json.loads(file.read())
        return {field: words[field] for field in VARIABLES if field in words}
    except (OSError, ValueError):
        raise Refused(f"{_PIPE} = {pipe!r:.40}: is set by this program alone; unset it") from None


def _restart(words: dict[str, str]) -> None:
    given, arguments = sys.orig_argv, sys.argv[1:]
    interpreter = given[1 : len(given) - len(arguments)]
    if os.name != "posix" or not sys.executable or given[1:] != interpreter + arguments:
        # Windows can only start another process, which would leave the terminal to whoever started this one
        print("EDM explorer: the passwords stay in what this system shows of the process", file=sys.stderr)
        return
    reading, writing = os.pipe()
    os.write(writing, json.dumps(words).encode())
    os.close(writing)
    os.set_inheritable(reading, True)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(
        sys.executable, [given[0], *interpreter, *without(arguments)], {**os.environ, _PIPE: str(reading)}
    )  # fmt: skip


def plain(text: str) -> str:
    """A password as it is compared: keyboards write é as one character or as two."""
    return unicodedata.normalize("NFC", text)


def same(one: str, other: str) -> bool:
    """Whether two passwords are one, in a time that says nothing of either, not even the length."""
    digests = (hashlib.sha256(plain(text).encode(errors="surrogatepass")).digest() for text in (one, other))
    return hmac.compare_digest(*digests)


def hashed(word: str, salt: str) -> str:
    """What is kept of a word that is somebody's own."""
    return f"{salt}:{hashlib.scrypt(word.encode(errors='surrogatepass'), salt=salt.encode(), n=2**12, r=8, p=1).hex()}"


def generated() -> str:
    """A password that can be read out: twelve letters and digits, none of which looks like another (59 bits)."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(12))
    return "-".join(letters[k : k + 4] for k in (0, 4, 8))
