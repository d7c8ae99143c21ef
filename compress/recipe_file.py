"""Reading a recipe: YAML to `Recipe`, with every fault at once, each with its line."""

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError

from compress.errors import RecipeError
from compress.recipe import RECIPES, AnyRecipe, Recipe, recipe_type
from compress.recipe_yaml import Key, plain_data

LARGEST_FILE = 1_000_000
"""Bytes; a recipe is written by hand."""

_PLAIN_TYPE = re.compile(r"(literal|tuple|dict|list|constrained-|function-)|(str|int|float|bool)$")
"""What pydantic names a choice among plain types by: no key of the user's."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a recipe."""

    where: str
    what: str
    line: int | None
    source: str

    def __str__(self) -> str:
        place = self.source if self.line is None else f"{self.source}:{self.line}"
        return f"{self.where}: {self.what} ({place})" if self.where else f"{self.what} ({place})"


def read_recipe(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read and validate a recipe file.

    Args:
        path: The YAML file.
        overrides: `key=value` pairs of the command line, such as `student.width=48`; the key is
            dotted, the value is YAML.

    Raises:
        RecipeError: With all faults, one a line.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise RecipeError(
            f"Cannot read the recipe {path}: {error.strerror}. Give the path of a YAML file."
        ) from error
    if len(raw) > LARGEST_FILE:
        raise RecipeError(f"{path} has {len(raw):,} bytes; a recipe has at most {LARGEST_FILE:,}.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise RecipeError(f"{path}:{line} is not UTF-8 text; save the file as UTF-8.") from error
    return parse_recipe(text, str(path), overrides)


def parse_recipe(
    text: str, source: str = "recipe", overrides: Sequence[str] = (), *, has_lines: bool = True
) -> Recipe:
    """Validate the YAML `text`. See `read_recipe`.

    Args:
        text: YAML.
        source: Names it in messages.
        overrides: As of `read_recipe`.
        has_lines: Whether its lines mean anything to the user.
    """
    document = _Document(text, source, has_lines=has_lines)
    data = document.data
    set_keys = [_apply_override(data, override) for override in overrides]
    faults = list(document.faults)
    recipe = None
    kind = recipe_type(data)
    if kind is None:
        faults.append(_unknown_task(data, document, set_keys))
    else:
        try:
            recipe = kind.model_validate(data)
        except ValidationError as error:
            details = _without_consequences([dict(detail) for detail in error.errors()])
            found = [_fault(detail, kind, document, set_keys) for detail in details]
            faults += _one_a_key(found)
    if faults or recipe is None:
        raise RecipeError(_listing(faults, source))
    return recipe


def recipe_schema() -> dict[str, Any]:
    """Return the JSON Schema of a recipe file, for editors."""
    schema = TypeAdapter(AnyRecipe).json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "limbeck", **schema}


def recipe_yaml(recipe: Recipe) -> str:
    """Return the recipe with every default written out; reading it gives the same recipe."""
    data = json.loads(recipe.model_dump_json())
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)


class _Document:
    """A YAML text as plain data, and the line of every key in it."""

    def __init__(self, text: str, source: str, *, has_lines: bool) -> None:
        self.source = source
        self.has_lines = has_lines
        self.faults: list[Fault] = []
        self.lines: dict[Key, int] = {}
        try:
            if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text)):
                raise RecipeError(f"{source}: YAML aliases (*name) are not used in recipes.")
            root = yaml.compose(text, Loader=yaml.SafeLoader)
            loaded = plain_data(root)
            if root is not None:
                self._note_lines(root, ())
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = f":{mark.line + 1}" if mark else ""
            raise RecipeError(f"{source}{line}: not valid YAML: {error.problem}.") from error
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise RecipeError(f"{source}: not valid YAML: {error}.") from error
        if loaded is None:
            raise RecipeError(
                f"{source} is empty. The README shows a recipe; `limbeck recipe schema` describes "
                "all keys."
            )
        if not isinstance(loaded, dict):
            raise RecipeError(
                f"{source}: a recipe is a mapping of keys, not a {_yaml_name(loaded)}."
            )
        self.data: dict[str, Any] = loaded

    def _note_lines(self, node: yaml.Node, key: Key) -> None:
        if isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for name_node, value in node.value:
                name = str(name_node.value)
                line = name_node.start_mark.line + 1
                if name in seen:
                    where = _dotted((*key, name))
                    self.faults.append(Fault(where, "the key is given twice", line, self.source))
                seen.add(name)
                self.lines[(*key, name)] = line
                self._note_lines(value, (*key, name))
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                self.lines[(*key, index)] = value.start_mark.line + 1
                self._note_lines(value, (*key, index))

    def line(self, key: Key) -> int | None:
        """The line of `key`, or of the nearest part of the recipe that holds it."""
        if not self.has_lines:
            return None
        for end in range(len(key), 0, -1):
            if key[:end] in self.lines:
                return self.lines[key[:end]]
        return 1


def _apply_override(data: dict[str, Any], override: str) -> Key:
    """Put one `key=value` of the command line into the data; return its key."""
    name, equals, text = override.partition("=")
    parts = name.strip().split(".")
    if not equals or not all(parts):
        raise RecipeError(f"--set {override}: write it as key=value, such as student.width=48.")
    places = tuple(int(part) if part.isdigit() else part for part in parts)
    try:
        value = plain_data(yaml.compose(text, Loader=yaml.SafeLoader), places)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise RecipeError(f"--set {override}: the value is not valid YAML.") from error
    place: Any = data
    key: list[str | int] = []
    for depth, part in enumerate(parts):
        last = depth == len(parts) - 1
        if isinstance(place, list):
            if not part.isdigit() or int(part) >= len(place):
                raise RecipeError(
                    f"--set {override}: {_dotted(tuple(key))} is a list of {len(place)}; "
                    f"'{part}' is not a position in it (the first is 0)."
                )
            step: str | int = int(part)
        elif isinstance(place, dict):
            if part.isdigit():
                raise RecipeError(
                    f"--set {override}: {_dotted(tuple(key))} is no list in the recipe file; write "
                    "the list there, or give all of it: "
                    f"--set '{_dotted(tuple(key))}=[{{…}}, {{…}}]'."
                )
            step = part
            if not last and place.get(part) is None:
                place[part] = {}
        else:
            raise RecipeError(
                f"--set {override}: {_dotted(tuple(key))} is a {_yaml_name(place)} "
                "and has no keys inside."
            )
        key.append(step)
        if last:
            place[step] = value
        else:
            place = place[step]
    return tuple(key)


def _unknown_task(data: Mapping[str, Any], document: _Document, set_keys: Sequence[Key]) -> Fault:
    """Say which tasks there are: until one is known, nothing else can be checked."""
    kinds = list(RECIPES)
    if "task" not in data:
        what = "missing, and the data are texts; add {kind: text-label} or {kind: text-pair}"
        return _place(("task",), what, document, set_keys)
    task = data["task"]
    if not isinstance(task, Mapping):
        close = difflib.get_close_matches(str(task), kinds, n=1, cutoff=0.6)
        known = f"; known: {', '.join(kinds)}"
        what = f"write {{kind: {close[0]}}}" if close else f"write {{kind: text-label}}{known}"
        return _place(("task",), what, document, set_keys)
    given = task.get("kind")
    if given is None:
        return _place(("task",), f"has no kind; add one of {', '.join(kinds)}", document, set_keys)
    what = f"kind '{given}' does not exist{_suggest(str(given), kinds)}"
    return _place(("task", "kind"), what, document, set_keys)


def _without_consequences(details: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out lists that are too short only because what is in them has a fault of its own."""

    def follows(detail: dict[str, Any]) -> bool:
        loc = detail["loc"]
        return detail["type"] == "too_short" and any(
            len(other["loc"]) > len(loc) and other["loc"][: len(loc)] == loc for other in details
        )

    return [detail for detail in details if not follows(detail)]


def _fault(
    detail: dict[str, Any], recipe: type[Recipe], document: _Document, set_keys: Sequence[Key]
) -> Fault:
    """Turn one pydantic error into a fault with the user's key, line and a suggestion."""
    key, section, kinds = _locate(detail["loc"], recipe, document.data)
    return _place(key, _what(detail, section, kinds), document, set_keys)


def _one_a_key(faults: Sequence[Fault]) -> list[Fault]:
    """Of the faults of one key (it fits none of several plain types) keep the first."""
    return list({fault.where: fault for fault in reversed(faults)}.values())[::-1]


def _place(key: Key, what: str, document: _Document, set_keys: Sequence[Key]) -> Fault:
    """Say where a fault is: in a line of the file or on the command line."""
    for set_key in set_keys:
        inside = key[: len(set_key)] == set_key
        above = set_key[: len(key)] == key and key not in document.lines
        if inside or above:
            return Fault(_dotted(key), what, None, f"--set {_dotted(set_key)}")
    return Fault(_dotted(key), what, document.line(key), document.source)


def _what(detail: dict[str, Any], section: type[BaseModel] | None, kinds: Sequence[str]) -> str:
    kind, message = str(detail["type"]), str(detail["msg"])
    context: dict[str, Any] = detail.get("ctx", {})
    if kind == "extra_forbidden":
        known = list(section.model_fields) if section else []
        return f"unknown key{_suggest(str(detail['loc'][-1]), known)}"
    if kind == "missing":
        return "missing; add it"
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        given = context.get("tag")
        if given is None and isinstance(detail["input"], Mapping):
            return f"has no kind; add one of {', '.join(kinds)}"
        return f"kind '{given}' does not exist{_suggest(str(given), kinds)}"
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return f"must be a section with keys of its own, not {_yaml_name(detail['input'])}"
    message = message.removeprefix("Value error, ")
    value = detail.get("input")
    if kind in ("tuple_type", "list_type"):
        if value is None or isinstance(value, Mapping):
            return f"must be a list, not {_yaml_name(value)}"
        listed = yaml.safe_dump([value], default_flow_style=True, allow_unicode=True, width=1000)
        return f"write a list: {listed.strip()}"
    if kind == "value_error" or isinstance(value, (Mapping, list)):
        return message[:1].lower() + message[1:]
    if kind == "literal_error":
        options = [
            option.strip(" '") for option in context["expected"].replace(" or ", ",").split(",")
        ]
        return f"'{value}' is not one of {', '.join(options)}{_suggest(str(value), options, False)}"
    if kind == "string_pattern_mismatch":
        return f"'{value}' must match {context['pattern']}"
    return f"{message[:1].lower()}{message[1:]}, not {json.dumps(value, default=str)}"


def _suggest(given: str, known: Sequence[str], list_all: bool = True) -> str:
    close = difflib.get_close_matches(given, known, n=1, cutoff=0.6)
    if close:
        return f"; did you mean '{close[0]}'?"
    return f"; known: {', '.join(known)}" if known and list_all else ""


def _locate(
    loc: tuple[str | int, ...], recipe: type[Recipe], data: Any
) -> tuple[Key, type[BaseModel] | None, list[str]]:
    """Drop the union tags from pydantic's location.

    Returns:
        The user's key, the section that holds it, and the kinds that may stand there.
    """
    key: list[str | int] = []
    annotation: Any = recipe
    section: type[BaseModel] | None = recipe
    place = data
    for position, part in enumerate(loc):
        sections = list(_sections(annotation))
        tagged = [cls for cls in sections if _tag(cls) == part]
        in_data = (isinstance(place, Mapping) and part in place) or (
            isinstance(place, list) and isinstance(part, int)
        )
        last = position == len(loc) - 1
        if tagged and not in_data and not (last and len(sections) < 2):
            annotation = section = tagged[0]
            continue
        if not in_data and isinstance(part, str) and _PLAIN_TYPE.match(part):
            continue
        key.append(part)
        place = place[part] if in_data else None
        if isinstance(part, int):
            continue
        owner = next((cls for cls in sections if part in cls.model_fields), None)
        section = owner or (sections[0] if sections else section)
        annotation = owner.model_fields[part].annotation if owner else None
    tags = [_tag(cls) for cls in _sections(annotation)]
    return tuple(key), section, [tag for tag in tags if tag is not None]


def _sections(annotation: Any) -> Iterator[type[BaseModel]]:
    """All section classes that a field's annotation allows, through unions and tuples."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in (Union, tuple, Annotated) or hasattr(annotation, "__args__"):
        for argument in get_args(annotation):
            yield from _sections(argument)


def _tag(section: type[BaseModel]) -> str | None:
    for name in ("kind", "format"):
        field = section.model_fields.get(name)
        if field is not None and get_origin(field.annotation) is Literal:
            return str(get_args(field.annotation)[0])
    return None


def _dotted(key: Key) -> str:
    return ".".join(str(part) for part in key)


def _yaml_name(value: object) -> str:
    if value is None:
        return "null"
    return {list: "list", dict: "mapping", str: "text", bool: "yes/no value"}.get(
        type(value), "number" if isinstance(value, (int, float)) else type(value).__name__
    )


def _listing(faults: Sequence[Fault], source: str) -> str:
    if len(faults) == 1:
        return str(faults[0])
    ordered = sorted(faults, key=lambda fault: (fault.line is None, fault.line or 0))
    return f"{source} has {len(faults)} faults:\n" + "\n".join(f"  {fault}" for fault in ordered)
