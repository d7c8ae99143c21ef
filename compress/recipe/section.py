"""What every part of a recipe is made of."""

import hashlib
import json
from importlib import import_module
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Probability = Annotated[float, Field(ge=0.0, lt=1.0)]


class Section(BaseModel):
    """A part of the recipe: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Kind(Section):
    """A section that is built from code: its fields are that code's keyword arguments."""

    implementation: ClassVar[str]
    """`module:name` of the class or function; imported only when it is built."""
    not_arguments: ClassVar[frozenset[str]] = frozenset({"kind"})
    """Fields that steer the job around the code and are not passed to it."""
    given_arguments: ClassVar[frozenset[str]] = frozenset()
    """Arguments that the job adds to the fields when it builds the code."""

    def arguments(self) -> dict[str, Any]:
        """The keyword arguments that this section has for its implementation."""
        names = set(type(self).model_fields) - self.not_arguments
        return {name: getattr(self, name) for name in sorted(names)}

    def build(self, **given: Any) -> Any:
        """Import the implementation and call it with this section's fields and `given`."""
        module, _, name = self.implementation.partition(":")
        return getattr(import_module(module), name)(**self.arguments(), **given)


def check_heads(section: Any) -> Any:
    """Refuse a width that the heads do not divide: a validator for sections that have both."""
    if section.width % section.heads:
        raise ValueError(f"width: {section.width} is not divisible by heads: {section.heads}")
    return section


def content_hash(value: object) -> str:
    """Return the sha256 of a JSON-able value, independent of the order of its keys."""
    return hashlib.sha256(
        json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    ).hexdigest()
