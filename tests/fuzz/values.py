"""Values, documents and bytes of any making, by dice."""

from __future__ import annotations

from functools import cache

from edm.base import flat

NESTED = ["[" * 100_000, '{"a":' * 50_000, "[" * 40 + "]" * 40, "- " * 5000, "&a [*a, *a]", "(" * 900]
TEXTS = [
    "", " ", "0", "-1", "1e400", "1e-400", "nan", "inf", "-Infinity", "0x10", "1_0", "٣", "½", "true", "null", "none",
    "auto", "self", "__class__", "a,b", "1,2;3", "1,2,3", ";", ",", "%s{0}", "../../etc/passwd", "\0", "\x1b[2J",
    "\ud800", r"\ud800", "é" * 300, "🎲", "\u202e", "a" * 5000, "9" * 400, "9" * 5000, "<script>", "model", "spiral",
    "digits_edm", "drawn", "heun", "own:" + "0" * 16, *NESTED,
]  # fmt: skip
VALUES = [
    None, True, False, 0, 1, -1, 3, 18, 0.5, -0.0, 1e308, 1e-320, float("inf"), float("nan"), 2**31, 2**63, -(2**64),
    10**400, [], {}, [[]], [None], {"a": 1}, {"self": 1}, {"path": "/etc/hostname"}, [1, 2, 3], [[1, 2], [3, 4]], ["a"],
    [[0.1] * 2] * 2000, list(range(3000)), dict.fromkeys(map(str, range(500)), 1),
]  # fmt: skip
NAMES = [
    "self",
    "cls",
    "",
    "a.b",
    "sampling",
    "data",
    "design",
    "architecture",
    "__init__",
    "steps ",
    "STEPS",
    "x" * 300,
]


def nest(dice, depth):
    value = dice.choice(TEXTS[:20])
    for _ in range(depth):
        value = [value] if dice.random() < 0.5 else {dice.choice(TEXTS[:20]): value}
    return value


def value(dice):
    pick = dice.random()
    if pick < 0.45:
        return dice.choice(TEXTS)
    if pick < 0.9:
        return dice.choice(VALUES)
    return nest(dice, dice.choice([1, 3, 30, 100, 900]))


def names_of(kind) -> list[str]:
    return [*sorted(flat.names(kind)), *flat.groups(kind)]


def mutated(dice, document, names, depth=0):
    """A document with some values replaced, names added and names taken away."""
    document = dict(document)
    for _ in range(dice.choice([0, 1, 1, 2, 5])):
        name = dice.choice([*document, *names, *NAMES])
        inner = document.get(name)
        if isinstance(inner, dict) and depth < 3 and dice.random() < 0.7:
            document[name] = mutated(dice, inner, names, depth + 1)
        elif dice.random() < 0.15:
            document.pop(name, None)
        else:
            document[name] = value(dice)
    return document


@cache
def valid(kind) -> dict:
    return kind().document(complete=True)


def damaged(dice, data: bytes) -> bytes:
    """Bytes that were cut, changed, or had something put into them."""
    pick, place = dice.random(), dice.randrange(len(data) + 1)
    if pick < 0.2:
        return data
    if pick < 0.4:
        return data[:place]
    if pick < 0.6:
        return data[:place] + dice.choice([*TEXTS, *NESTED]).encode("utf-8", "surrogatepass") + data[place:]
    if pick < 0.7:
        return data.decode("latin-1").encode(dice.choice(["utf-16", "utf-8-sig", "utf-16-le", "utf-32"]))
    if pick < 0.75:
        return dice.choice([b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\0" * 64, b"null", b"[]", b'"x"', b"NaN"])
    changed = bytearray(data)
    for _ in range(dice.choice([1, 3, 20])):
        if changed:
            changed[dice.randrange(len(changed))] = dice.randrange(256)
    return bytes(changed)
