"""Lists of values as people write them, for one knob of the settings.

    0,10,30,80          the values themselves; inf or ∞; names for a knob that has names, or all; none where allowed.
                        Names that people use (uniform, for ρ = 1) bring the knobs that they imply
    1-10 (+2)           1, 3, 5, 7, 9: every step up to the end; 10-1 (-3) downwards; whole numbers need no (+1)
    0.002-0.2 (x10)     0.002, 0.02, 0.2: geometric; also *10 and, downwards, /10
    0.3-3               of a knob that is an interval: that one; none: everywhere
    1-5 [9]             9 values from end to end: evenly spaced, or in the logarithm for a knob with a log slider

Parts separated by commas can be mixed. The arithmetic is decimal, so that 0.1-0.5 (+0.1) contains 0.3 itself.
"""

from __future__ import annotations

import decimal
import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any

from pydantic import create_model

from edm.base.aliases import meaning, near
from edm.base.fields import Settings, SettingsError, choices, display, registries
from edm.experiments.experiment import Experiment
from edm.sampling.settings import Sampling

MAX_VALUES = 64
_LONGEST = 2000  # characters
_NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]+)?"  # one way only to read each text
_SINGLE = re.compile(rf"{_NUMBER}|[+-]?inf(inity)?|none|auto")
_RANGE = re.compile(rf"({_NUMBER})\s*(?:-|\.\.|…|to)\s*({_NUMBER})\s*(\(.*\)|\[.*\])?")
_STEP = re.compile(rf"\(\s*([-+x*/])\s*({_NUMBER})\s*\)")
_COUNT = re.compile(r"\[\s*([0-9]{1,30})\s*\]")
_SAME = str.maketrans({"−": "-", "–": "-", "—": "-", "×": "x", "∞": "inf"})
_INTERVALS = "none, 0.3-3, 0-1"
EXAMPLES = "0,10,30 or 1-10 (+2) or 0.01-1 (x10) or 1-5 [9]"


def sweepable() -> dict[str, type[Settings]]:
    """The knobs that can be an axis, and the settings they belong to: all but lists and groups."""
    homes = {name: kind for kind in (Sampling, Experiment) for name in kind.model_fields}
    return {name: home for name, home in homes.items() if name not in {"sampling", "sigmas", "points"}}


def parse_range(text: str, knob: str) -> list:
    """The values that `text` stands for, in its order, each one once, as the type of `knob`.

    knob: a field of `Sampling` or `Experiment`, whose declaration checks each value; what depends on other fields
    too is checked where they meet. Raises SettingsError with a sentence for an unknown knob, for text that cannot
    be read, for a step that does not lead to the end, for values out of range, and for more than 64 values.
    """
    check = _checker(knob)
    text = str(text).translate(_SAME).strip().lower()
    if len(text) > _LONGEST:
        raise _refused(knob, text, f"is {len(text)} characters long; write a range, like 1-10 (+2)")
    if not text:
        raise SettingsError(f"{knob}: there are no values; write {_example(knob)}", (knob,))
    values: dict = {}
    for part in (part.strip() for part in text.split(",")):
        if not part:
            raise _refused(knob, text, "has a comma too many")
        try:
            found = _part(part, knob)
        except decimal.DecimalException:
            raise _refused(knob, part, "holds a number too large or too small to count with") from None
        values |= dict.fromkeys(check(value) for value in found)
        if len(values) > MAX_VALUES:
            raise _refused(knob, text, f"is more than {MAX_VALUES} values; take a larger step")
    return list(values)


def _part(part: str, knob: str) -> list:
    """One part's values, not yet checked; never more than 64."""
    options = _options(knob)
    default = None if knob == "model" else _home(knob).model_fields[knob].default
    if part in {"none", "auto"} and default is None and knob != "model":
        return [None]
    if isinstance(default, bool) and (part in {"true", "false"} or part == "all"):
        return [False, True] if part == "all" else [part == "true"]
    if options is not None or knob == "model":
        return options if options and part == "all" else [part]
    if _SINGLE.fullmatch(part) and _is_interval(knob) and part not in {"none", "auto"}:
        raise _refused(knob, part, f"is one noise level; write the lower and the upper one: {_INTERVALS}")
    if _SINGLE.fullmatch(part):
        return [None if part in {"none", "auto"} else part]
    match = _RANGE.fullmatch(part)
    if match is None and _is_text(knob):
        return [part]
    if match is None:
        raise _refused(knob, part, f"cannot be read; write {_example(knob)}")
    first, last = (_decimal(number, knob, part) for number in match.groups()[:2])
    whole = _is_whole(knob)
    spacing = match[3]
    if _is_interval(knob):
        if spacing is not None:
            raise _refused(knob, part, f"is one interval, without {spacing}; write several by commas: {_INTERVALS}")
        return [(first, last)]
    if spacing is None:
        if not whole:
            raise _refused(knob, part, f"needs a step or a number of values; write {part} [5]")
        spacing = "(+1)" if first <= last else "(-1)"
    if count := _COUNT.fullmatch(spacing):
        return _rounded(_spaced(first, last, int(count[1]), knob, part), whole)
    step = _STEP.fullmatch(spacing)
    if step is None:
        raise _refused(knob, part, f"cannot be read after {match[2]}; write (+2), (x10) or [9] there")
    size = _decimal(step[2], knob, part)
    if step[1] in "+-":
        return _arithmetic(first, last, -size if step[1] == "-" else size, knob, part)
    return _rounded(_geometric(first, last, 1 / size if step[1] == "/" and size else size, knob, part), whole)


def _arithmetic(first, last, step, knob, part):
    if step == 0 or (last - first) * step < 0:
        sign = "-" if last < first else "+"
        remedy = f"write {first}-{last} ({sign}{abs(step) or 1})"
        raise _refused(knob, part, f"never arrives with a step of {step}; {remedy}")
    return [first + k * step for k in range(_counted((last - first) / step, knob, part))]


def _geometric(first, last, factor, knob, part):
    if first * last <= 0:
        raise _refused(knob, part, "cannot multiply its way from, to or across 0; write 0 by itself: 0, 1-8 (x2)")
    if factor <= 0 or factor == 1 or (last / first - 1) * (factor - 1) < 0:
        sign = "x" if abs(last) >= abs(first) else "/"
        raise _refused(knob, part, f"never arrives with a factor of {factor:.4g}; write {first}-{last} ({sign}2)")
    ratio = (last / first).ln() / factor.ln()
    return [first * factor**k for k in range(_counted(ratio, knob, part))]


def _spaced(first, last, count, knob, part):
    if not 2 <= count <= MAX_VALUES:
        raise _refused(knob, part, f"asks for {count} values; ask for 2 to {MAX_VALUES}")
    if not display(_home(knob), knob)["log"]:
        return [first + (last - first) * k / (count - 1) for k in range(count)]
    if first <= 0 or last <= 0:
        raise _refused(knob, part, f"is spaced in the logarithm, so 0 must stand by itself: 0, 0.01-1 [{count}]")
    ratio = (last / first).ln() / (count - 1)
    return [first, *(first * (ratio * k).exp() for k in range(1, count - 1)), last]


def _counted(steps: Decimal, knob, part) -> int:
    """How many values `steps` steps make, looked at before any is made."""
    if steps >= MAX_VALUES:
        raise _refused(knob, part, f"is {steps + 1:.3g} values; an axis holds {MAX_VALUES}, so take larger steps")
    return int(steps + Decimal("1e-9")) + 1


def _decimal(number: str, knob, part) -> Decimal:
    value = Decimal(number)
    if abs(value) > Decimal("1e300") or 0 < abs(value) < Decimal("1e-300"):
        raise _refused(knob, part, "holds a number too large or too small to count with")
    return value


def _rounded(values, whole: bool):
    """For a knob of whole numbers, the nearest of them."""
    return [value.to_integral_value() if whole else value for value in values]


def _options(knob: str) -> list[str] | None:
    return choices(_home(knob)).get(knob) if knob in sweepable() else None


def _is_interval(knob) -> bool:
    return "tuple" in str(_home(knob).model_fields[knob].annotation)


def _is_text(knob) -> bool:
    return "str" in str(_home(knob).model_fields[knob].annotation)


def _is_whole(knob) -> bool:
    return "int" in str(_home(knob).model_fields[knob].annotation)


def _example(knob) -> str:
    options = _options(knob)
    if _is_interval(knob):
        return _INTERVALS
    return f"some of {', '.join(options)}, or all" if options else "names" if knob == "model" else EXAMPLES


def _home(knob: str) -> type[Settings]:
    homes = sweepable()
    if knob not in homes:
        raise SettingsError(f"{knob!r:.60} cannot be an axis; those that can are {', '.join(homes)}", (str(knob),))
    return homes[knob]


@lru_cache(maxsize=64)
def _checker(knob: str) -> Callable:
    """value -> the value as the knob's type, checked by the knob's own declaration, and by nothing else."""
    field = _home(knob).model_fields[knob]
    fields: dict[str, Any] = {knob: (field.annotation, field)}
    alone = create_model(f"Only_{knob}", __base__=Settings, **fields)

    def check(value):
        options = registries(_home(knob)).get(knob)
        if options is not None and value not in options and (value or field.default) is not None:
            known = meaning(options, value)
            if known is None:
                raise _refused(knob, value, f"must be one of {', '.join(options)}, or all{near(options, value)}")
            name, alias = known
            return alias.name if alias and (alias.sets or alias.usual) else name
        value = getattr(alone(**{knob: _plain(value)}), knob)
        if knob == "model":
            Experiment(model=value, points=((0, 0),) if value == "drawn" else None)
        return value

    return check


def _plain(value):
    """What the arithmetic found, as a document has it."""
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    return float(value) if isinstance(value, Decimal) else value


def _refused(knob, value, reason) -> SettingsError:
    return SettingsError(f"{knob} = {value!r:.80}: {reason}", (knob,))
