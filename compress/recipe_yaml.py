"""A recipe's YAML as plain data, in which ids stay as they are written.

YAML 1.1 reads 0012 as 10, 1_000 as 1000, 1:30 as 90 and yes as true. Of an id that is another id.
"""

from typing import Any

import yaml

Key = tuple[str | int, ...]

IDS: tuple[Key, ...] = (("export", "blocked_items"),)
"""Keys of the lists whose entries are ids."""

_TEXT = "tag:yaml.org,2002:str"
_NULL = "tag:yaml.org,2002:null"


def plain_data(root: yaml.Node | None, key: Key = ()) -> Any:
    """Return a composed document as plain data; its nodes of ids become texts.

    Args:
        root: From `yaml.compose`; None is an empty document.
        key: Where in the recipe it stands.

    Raises:
        yaml.YAMLError: A value cannot be read.
        ValueError: It is a date that does not exist, say.
    """
    if root is None:
        return None
    _keep_ids(root, key)
    # `construct_document` is what `yaml.safe_load` calls with the same node.
    return yaml.SafeLoader("").construct_document(root)


def _keep_ids(node: yaml.Node, key: Key) -> None:
    if isinstance(node, yaml.ScalarNode):
        if key[:-1] in IDS and node.tag != _NULL:
            node.tag = _TEXT
    elif isinstance(node, yaml.SequenceNode):
        for place, value in enumerate(node.value):
            _keep_ids(value, (*key, place))
    elif isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            _keep_ids(value, (*key, str(name.value)))
