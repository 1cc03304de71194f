"""What is wrong with values that settings refuse, in sentences."""

from __future__ import annotations

from pydantic import BaseModel, ValidationError

from edm.base.errors import Refused, one_line, shown

MOST_SENTENCES, LONGEST_NAME = 4, 60  # of one refusal; letters of a field's name in it


def allowed(settings: type[BaseModel], name: str) -> str:
    """The limits of a field in words: 'greater than 0 and at most 1'; '' where there are none."""
    words = {"gt": "greater than", "ge": "at least", "lt": "below", "le": "at most"}
    field = settings.model_fields.get(name)
    parts = []
    for limit in field.metadata if field else ():
        parts += [
            f"{text} {getattr(limit, key):.10g}" for key, text in words.items() if getattr(limit, key, None) is not None
        ]
    return " and ".join(parts)


def sentences(settings: type[BaseModel], error: ValidationError) -> tuple[str, tuple[str, ...]]:
    """(all that is wrong, the dotted names of the fields at fault)."""
    sentences, fields = [], []
    for item in error.errors(include_url=False):
        cause = item.get("ctx", {}).get("error")
        if isinstance(cause, Refused):  # of a nested model, or a function that it has called, which have spoken already
            sentences.append(str(cause))
            fields += getattr(cause, "fields", ())
        elif isinstance(cause, Exception):  # pydantic takes any ValueError of a validator for the user's mistake
            raise cause
        else:
            name, sentence = _sentence(settings, item)
            sentences.append(sentence)
            fields.append(name)
    rest = len(sentences) - MOST_SENTENCES
    more = f"; and {rest} more" if rest > 0 else ""
    return "; ".join(sentences[:MOST_SENTENCES]) + more, tuple(dict.fromkeys(fields))


def _sentence(settings, item) -> tuple[str, str]:
    """(dotted name, sentence) of one thing that is wrong."""
    context, place = item.get("ctx", {}), [part for part in item["loc"] if isinstance(part, int | str)]
    name = one_line(context.get("field") or ".".join(str(part) for part in place), LONGEST_NAME)
    value = item.get("input")
    if item["type"] == "extra_forbidden":
        known = ", ".join(settings.model_fields)
        return name, f"{name} = {shown(value)}: there is no such field; the fields are {known}"
    if item["type"] == "missing" or (item["type"] == "string_too_short" and not value):
        return name, f"{name} is missing"
    if item["type"] == "refused":
        return name, f"{name} = {context['value']}: {context['reason']}"
    limits, kind = allowed(settings, str(place[0])) if place else "", _KINDS.get(item["type"])
    if item["type"] in ("too_long", "too_short"):
        kind = f"a list of at {', '.join(f'{_ENDS[key]} {context[key]}' for key in _ENDS if key in context)}"
    if item["type"] in ("string_too_long", "string_too_short"):
        kind = f"text of at {', '.join(f'{_ENDS[key]} {context[key]:,}' for key in _ENDS if key in context)} letters"
    if kind is None:
        field = settings.model_fields.get(str(place[0])) if place else None
        whole = field is not None and "int" in str(field.annotation)
        number = "a whole number" if whole else "a number"
        kind = number if "than" in item["type"] else item["msg"].removeprefix("Input should be ")
    text = value if isinstance(value, str) and is_number(value) else shown(value)
    return name, f"{name} = {text:.60}: must be {kind}{', ' + limits if limits else ''}"


def is_number(text: str) -> bool:
    """Whether text is a number, as Python reads it."""
    try:
        float(text)
    except ValueError:
        return False
    return True


_ENDS = {"max_length": "most", "min_length": "least"}
_KINDS = {
    "finite_number": "a finite number",
    "float_parsing": "a number",
    "float_type": "a number",
    "number": "a number",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a whole number of fewer digits",
    "string_type": "a name",
    "string_unicode": "text without half letters",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "names and values",
    "model_type": "names and values",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
}
