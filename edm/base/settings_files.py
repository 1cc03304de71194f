"""Files of settings that people write, as plain data (`edm.base.documents`): YAML, or JSON in a file of that name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from edm.base.documents import DEEPEST, LONGEST_NUMBER, Strange, from_json, once, plain, text_of
from edm.base.errors import Refused, one_line, shown
from edm.base.paths import expanded

if TYPE_CHECKING:
    from edm.base.types import StrPath

MAX_BYTES = 128 << 10  # the reader of YAML takes a second for this much


def from_yaml(data: bytes | str, place: str, most: int = MAX_BYTES) -> Any:
    """The value in YAML text of at most `most` bytes, without its aliases and tags; dates are text."""
    if len(data) > most:
        raise Refused(f"{place} is too large: at most {most:,} bytes are read")
    text = text_of(data, place)
    try:
        value = yaml.load(text, _Loader)
    except Strange as error:
        raise Refused(f"{place} is not valid: {error}") from None
    except (yaml.YAMLError, ValueError) as error:  # a number that is none
        raise Refused(f"{place} is not valid YAML ({one_line(error, 200)})") from None
    return plain(value, place)


def read(path: StrPath) -> dict:
    """The names and values in a .json file, or in a YAML file of any name. Raises OSError if it cannot be opened."""
    path = expanded(path)
    with open(path, "rb") as file:
        data = file.read(MAX_BYTES + 1)
    document = (from_json if path.suffix.lower() == ".json" else from_yaml)(data, str(path), MAX_BYTES)
    if not isinstance(document, dict):
        raise Refused(f"{path} is not a settings file: it holds {shown(document)} instead of names and values")
    return document


class _Loader(yaml.SafeLoader):
    """YAML that is data: no aliases, whose copies of copies fill any memory, and no tags."""

    depth = 0

    def compose_node(self, parent, index):
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent):
            raise Strange(f"it has the alias *{event.anchor:.40}; write the value itself")
        if event.tag is not None:
            raise Strange(f"it has the tag {event.tag:.60}, which settings do not need")
        if self.depth > DEEPEST:
            raise Strange("it is nested too deeply")
        self.depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1

    def construct_mapping(self, node, deep=False):
        once([name.value for name, _ in node.value if isinstance(name, yaml.ScalarNode)])
        return super().construct_mapping(node, deep)

    def whole(self, node):
        if len(node.value) > LONGEST_NUMBER + 1:
            raise Strange(f"it holds a number of {len(node.value):,} digits; at most {LONGEST_NUMBER} are read")
        return self.construct_yaml_int(node)


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.whole)
# A date is text, and so is what only looks like one.
_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in known if not tag.endswith((":timestamp", ":merge", ":value"))]
    for letter, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
