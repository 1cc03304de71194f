"""python -m app.schema: write the types of all messages between server and page, for the page's scripts.

Each event's request and answers are declared once, by its tab (`app.tabs.base.Event`).
"""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import TypeAdapter

from app.messages import typescript, uploads
from app.messages.boot import Boot
from app.messages.envelope import Answer, Failed
from app.tabs.base import Event
from app.tabs.opening import asked
from edm.base.atomic import atomic
from edm.base.resources import ASSETS

PLACE = ASSETS / "page" / "shared" / "messages.d.ts"
_HEAD = """// Messages between the server and the page. Written by `python -m app.schema`: change app/messages instead.
"""
_TAIL = """/** What goes back to an event, again and again until it is finished. */
export type Reply<Name extends keyof Answers> = Answer<Answers[Name]> | Failed;"""


def events() -> dict[str, Event]:
    """What the page sends, by name."""
    return {name: event for one in asked() for name, event in one.events.items()}


@cache
def reply(body: Any) -> TypeAdapter:
    """What may go back to an event whose answers have such bodies."""
    return TypeAdapter(Answer[body] | Failed)


def declarations() -> str:
    """The text of messages.d.ts."""
    sent = {name: event.message for name, event in events().items()}
    told = {name: event.answer for name, event in events().items()}
    schemas, definitions = TypeAdapter.json_schemas(
        [
            *(((name, "asked"), "validation", TypeAdapter(kind)) for name, kind in sent.items()),
            *(((name, "told"), "validation", TypeAdapter(kind)) for name, kind in told.items()),
            *((kind.__name__, "validation", TypeAdapter(kind)) for kind in (Boot, Failed, *uploads.SAID)),
        ]
    )
    found = definitions["$defs"]
    names = {f"#/$defs/{key}": schema["title"] for key, schema in found.items()}
    if len(set(names.values())) < len(names):
        raise RuntimeError(f"two messages have one name: {sorted(names.values())}")
    parts = [_HEAD, *_aliases(found)]
    parts += [typescript.interface(schema["title"], schema, names) for schema in found.values()]
    for title, which, kinds in (("Requests", "asked", sent), ("Answers", "told", told)):
        rows = [f"  {name}: {typescript.kind(schemas[(name, which), 'validation'], names)};" for name in kinds]
        parts.append("\n".join([f"export interface {title} {{", *rows, "}"]))
    generic = Answer.__doc__
    body = "  serial: number;\n  finished: boolean;\n  body: Body;\n  error?: undefined;"
    parts += ["\n".join([*typescript.comment(generic), "export interface Answer<Body> {", body, "}"]), _TAIL]
    return "\n\n".join(parts).replace("\n\n\n", "\n\n") + "\n"


def _aliases(definitions) -> list[str]:
    """The types of encoded arrays, wherever they are used."""
    found: dict[str, str] = {}

    def look(schema):
        if isinstance(schema, dict):
            if isinstance(schema.get("name"), str) and "description" in schema and schema.get("type") == "string":
                found[schema["name"]] = schema["description"]
            for part in schema.values():
                look(part)
        elif isinstance(schema, list):
            for part in schema:
                look(part)

    look(definitions)
    return ["\n".join([*typescript.comment(text), f"export type {name} = string;"]) for name, text in found.items()]


def main() -> None:
    with atomic(PLACE) as file:
        file.write(declarations().encode())
    print(PLACE)


if __name__ == "__main__":
    main()
