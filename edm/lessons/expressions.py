"""The arithmetic of lessons: error(heun) < 0.5 * error(euler).

Numbers, names, + − * / and ** of them, and measures of states: measure(state) or measure(state, 0.1, 2), where `state`
is a name. A relation compares two such expressions. Nothing else is read, so that nothing in a lesson can be executed.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from edm.base.errors import Refused, shown

LONGEST = 300  # letters
FIGURES = 2
_FIGURES = ["1", "2", "3", "4", "5", "6", "7", "8", "9"]
_OPERATIONS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_RELATIONS = {ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge}
_BRACES = re.compile(r"\{([^{}]*)\}")

Ask = Callable[[str, str, tuple[float, ...]], float]  # (measure, state, numbers) -> its value


@dataclass(frozen=True)
class Expression:
    """text as it was written; calls: (measure, state, numbers) of all that it asks for."""

    text: str
    calls: tuple[tuple[str, str, tuple[float, ...]], ...]


@dataclass(frozen=True)
class Relation(Expression):
    """Of two expressions: <, <=, > or >=, also a < b < c."""


def expression(text: str) -> Expression:
    """Raises Refused with what is wrong for text that is none."""
    node = _parsed(text)
    return Expression(text, tuple(_calls(node)))


def relation(text: str) -> Relation:
    """Raises Refused for what does not compare."""
    return Relation(text, tuple(call for side in _compared(text)[0] for call in _calls(side)))


def value(text: str, ask: Ask) -> float:
    """What the expression is. Raises Refused where that is no finite number, 1/0 for example."""
    try:
        found = float(_value(_parsed(text), ask))
    except (ArithmeticError, ValueError, TypeError) as error:  # a complex number
        raise Refused(f"{text} has no value here ({error})") from None
    if not math.isfinite(found):
        raise Refused(f"{text} is {found} here, which is no finite number")
    return found


def holds(text: str, ask: Ask) -> bool:
    """Whether the relation is true."""
    nodes, relations = _compared(text)
    sides = [value(ast.unparse(node), ask) for node in nodes]
    return all(one(a, b) for one, a, b in zip(relations, sides, sides[1:], strict=False))


def told(template: str, ask: Ask, knobs: Mapping[str, object] = {}) -> str:
    """The sentence with the values of what stands in its braces: "{error(here)}" with two figures, "{error(here):3}"
    with three; "{rho}" is a knob of the state that is shown."""

    def one(match):
        inside, figures = _figures(match[1])
        if inside in knobs:
            found = knobs[inside]
            return f"{found:g}" if isinstance(found, float) else str(found)
        return written(value(inside, ask), figures)

    return _BRACES.sub(one, template)


def written(number: float, figures: int = FIGURES) -> str:
    """A number for people: 0.030, 3.7e-05, 1200."""
    if number == 0 or not 1e-4 <= abs(number) < 1e5:
        return f"{number:.{figures}g}"
    text = f"{number:#.{figures}g}"  # with its zeros, which say how much is known
    return f"{float(text):.0f}" if "e" in text else text.removesuffix(".")


def inside(template: str) -> list[str]:
    """What stands in the braces of a sentence. Raises Refused for figures that are no number from 1 to 9."""
    return [_figures(found)[0] for found in _BRACES.findall(template)]


def _figures(found):
    """(what stands in braces, how many figures of it are told)."""
    inside, colon, figures = found.partition(":")
    if colon and figures not in _FIGURES:
        raise Refused(f"{{{found:.60}}}: after the colon stands how many figures are told, 1 to 9")
    return inside, int(figures or FIGURES)


def _compared(text: str):
    """(the expressions that a relation compares, by which relation each with the next)."""
    node = _read(text)
    if not isinstance(node, ast.Compare) or any(type(op) not in _RELATIONS for op in node.ops):
        raise Refused(f"{shown(text)} compares nothing; write it like error(heun) < 0.5 * error(euler)")
    sides = [node.left, *node.comparators]
    for side in sides:
        _check(side, text)
    return sides, [_RELATIONS[type(op)] for op in node.ops]


def _parsed(text: str):
    node = _read(text)
    _check(node, text)
    return node


def _read(text: str):
    if not isinstance(text, str) or not text.strip() or len(text) > LONGEST:
        raise Refused(f"{shown(text)} is no expression; write one like error(heun) / error(euler)")
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise Refused(f"{shown(text)} cannot be read; write it like error(heun) / error(euler)") from None


def _check(node, text) -> None:
    match node:
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            return None
        case ast.UnaryOp(op=ast.USub()):
            return _check(node.operand, text)
        case ast.BinOp() if type(node.op) in _OPERATIONS:
            _check(node.left, text)
            return _check(node.right, text)
        case ast.Call(func=ast.Name(), args=[ast.Name(), *numbers], keywords=[]):
            if all(_is_number(number) for number in numbers):
                return None
    raise Refused(
        f"{shown(text)} holds {shown(ast.unparse(node), 60)}; there are numbers, + - * / **, and measures of states "
        "such as error(here)"
    )


def _is_number(node) -> bool:
    node = node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else node
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool)


def _calls(node) -> Iterable[tuple[str, str, tuple[float, ...]]]:
    for each in ast.walk(node):
        if isinstance(each, ast.Call):
            yield _call(each)


def _call(node):
    state, *numbers = node.args
    return node.func.id, state.id, tuple(float(ast.literal_eval(number)) for number in numbers)


def _value(node, ask) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)  # whole numbers have powers without end
        case ast.UnaryOp():
            return -_value(node.operand, ask)
        case ast.BinOp():
            return _OPERATIONS[type(node.op)](_value(node.left, ask), _value(node.right, ask))
    return ask(*_call(node))
