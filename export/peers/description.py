"""What a peer's runner must know beside the file that the tool wrote."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compress.errors import UserError
from compress.files import write_atomically
from compress.recipe import Target

_TARGETS = (None, "one-of", "any-of", "score")


@dataclass(frozen=True)
class PeerModel:
    """A tool's file and what its outputs are.

    Raises:
        ValueError: The fields do not describe a model.
    """

    model: str
    """The file, beside the description."""
    target: Target | None = None
    """What its `logits` are of; None: it answers as limbeck's files do."""
    gains: tuple[float, ...] | None = None
    """What each grade is worth, for the ranking score."""

    def __post_init__(self) -> None:
        if not isinstance(self.model, str) or self.target not in _TARGETS:
            raise ValueError(f"model {self.model!r}, target {self.target!r}")
        if Path(self.model).is_absolute() or ".." in Path(self.model).parts:
            raise ValueError(f"model {self.model!r} is outside of its folder")
        if self.gains is not None:
            object.__setattr__(self, "gains", tuple(float(gain) for gain in self.gains))

    def write(self, path: Path) -> Path:
        """Write the description and return where it is."""
        write_atomically(path, json.dumps(asdict(self)))
        return path

    @classmethod
    def read(cls, path: Path) -> "PeerModel":
        """Read what `write` wrote.

        Raises:
            UserError: The file is not there, or is no description.
        """
        try:
            return cls(**json.loads(path.read_bytes()))
        except (OSError, ValueError, TypeError) as error:
            raise UserError(
                f"{path} does not describe a file of a peer: {error}. "
                "Run the recipe again with --peers."
            ) from error

    def outputs(self, of_file: Sequence[str]) -> list[str]:
        """Return which of the file's outputs are asked for."""
        return list(of_file) if self.target is None else ["logits"]

    def answers(
        self, names: Sequence[str], outputs: Sequence[NDArray[Any]]
    ) -> dict[str, NDArray[Any]]:
        """Make of a file's outputs what an app reads: see `export.runner.Runner`.

        Args:
            names: `outputs`.
            outputs: The arrays, in that order.
        """
        if self.target is None:
            return dict(zip(names, outputs, strict=True))
        logits = outputs[0]
        if self.target == "score":
            return {"score": logits[:, 0]}
        if self.target == "any-of":
            return {"probabilities": 1 / (1 + np.exp(-logits))}
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities = weights / weights.sum(axis=1, keepdims=True)
        if self.gains is None:
            return {"probabilities": probabilities}
        return {
            "probabilities": probabilities,
            "score": probabilities @ np.array(self.gains, np.float32),
        }


def given_to(inputs: dict[str, NDArray[Any]], names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Return the arrays that a file takes, in int64; nothing is copied that already is.

    Args:
        inputs: Of a call; token types may be missing, and are then zeros.
        names: What the file takes.

    Raises:
        UserError: Anything else is missing.
    """
    found = {}
    for name in names:
        if name in inputs:
            found[name] = inputs[name].astype(np.int64, copy=False)
        elif name == "token_type_ids":
            found[name] = np.zeros(inputs["input_ids"].shape, np.int64)
        else:
            raise UserError(f"the peer takes {', '.join(names)}, and was given {', '.join(inputs)}")
    return found
