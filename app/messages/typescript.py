"""JSON schemas as declarations of TypeScript."""

from __future__ import annotations

import json
from textwrap import wrap

WIDTH = 116
_PLAIN = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}


def interface(name: str, schema: dict, names: dict[str, str]) -> str:
    """Of an object's schema. names: of the types that it refers to, by what `$ref` calls them."""
    needed = schema.get("required", ())
    lines = [
        f"  {_key(key)}{'' if key in needed else '?'}: {kind(part, names)};"
        for key, part in schema.get("properties", {}).items()
    ]
    return "\n".join([*comment(schema.get("description")), f"export interface {name} {{", *lines, "}"])


def comment(text: str | None) -> list[str]:
    """A description, as lines of a comment."""
    lines = wrap(" ".join((text or "").replace("`", "").split()), WIDTH)
    return (
        [f"/** {lines[0]} */"] if len(lines) == 1 else ["/**", *(f" * {line}" for line in lines), " */"] * bool(lines)
    )


def kind(schema: dict, names: dict[str, str]) -> str:
    """The type of a value. A schema that has a `name` of its own is called by it."""
    if "name" in schema:
        return schema["name"]
    if "$ref" in schema:
        return names[schema["$ref"]]
    if "const" in schema or "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema.get("enum", [schema.get("const")]))
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(kind(part, names) for part in schema["anyOf"]))
    if schema.get("type") == "array":
        if "prefixItems" in schema:
            return f"[{', '.join(kind(part, names) for part in schema['prefixItems'])}]"
        item = kind(schema.get("items", {}), names)
        return f"({item})[]" if " " in item and not item.startswith("[") else f"{item}[]"
    if schema.get("type") == "object":
        values = schema.get("additionalProperties")
        return f"Record<string, {kind(values, names) if isinstance(values, dict) else 'unknown'}>"
    return _PLAIN.get(schema.get("type", ""), "unknown")


def _key(name: str) -> str:
    return name if name.isidentifier() else json.dumps(name)
