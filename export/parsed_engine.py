"""An engine that cannot be run here, held against its record, its header and its description."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from export.artifact import Artifact
from export.rows import ARTIFACTS
from export.signature import Tensor
from export.tensorrt.check import verify_engine_file
from export.tensorrt.description import EngineDescription, read_description

_SIZES = {"B": "batch", "L": "length"}
"""What an artifact's details call the sizes that are free."""


def described_metadata(path: Path) -> Mapping[str, str]:
    """Return what an engine's description has of its signature; nothing where it cannot be read."""
    try:
        return dict(read_description(path).metadata)
    except (ValueError, TypeError):  # `engine_faults` says so
        return {}


def engine_faults(path: Path, artifact: Artifact) -> Iterator[str]:
    """Say where an engine, its description and its record disagree.

    Args:
        path: The engine, its description beside it.
        artifact: Its record; without a sha256 it says no more than the scheme.

    Raises:
        UserError: What it takes to look at it is not installed.
    """
    yield from verify_engine_file(path)
    try:
        description = read_description(path)
    except ValueError:  # said by `verify_engine_file`
        return
    try:
        yield from list(_description_faults(description, artifact))
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        yield f"its description is damaged: {type(error).__name__} {error}"


def _description_faults(description: EngineDescription, artifact: Artifact) -> Iterator[str]:
    known = {"scheme": artifact.scheme}
    if artifact.sha256:
        known |= {"format": artifact.format, "target": artifact.target}
    for what, expected in known.items():
        said = getattr(description, what)
        if said != expected:
            yield f"its description says {what} {said}, and {ARTIFACTS} {expected}"
    for what in ("inputs", "outputs"):
        said = _words(getattr(description, what))
        expected = description.metadata.get(f"limbeck.{what}", "nothing")
        if said != expected:
            yield f"its description says {what} {said}, and its metadata {expected}"
    yield from _profile_faults(description, artifact)


def _words(tensors: Sequence[Mapping[str, Any]]) -> str:
    """Return inputs or outputs as metadata has them."""
    return " ".join(str(Tensor(one["name"], one["dtype"], tuple(one["shape"]))) for one in tensors)


def _profile_faults(description: EngineDescription, artifact: Artifact) -> Iterator[str]:
    """The engine itself tells its profile only to a GPU."""
    for one in description.inputs:
        shapes = [list(one[bound]) for bound in ("least", "best", "most")]
        if not _is_profile(one["shape"], *shapes):
            given = ", ".join(map(str, shapes))
            yield f"its description gives {one['name']} a profile that is none: {given}"
            continue
        for size, bounds in zip(one["shape"], zip(*shapes, strict=True), strict=True):
            what = _SIZES.get(size, "")
            said = "least {}, best {}, most {}".format(*bounds)
            recorded = artifact.details.get(what, said)
            if said != recorded:
                yield f"its description says {what} {said}, and {ARTIFACTS} {recorded}"


def _is_profile(
    shape: Sequence[int | str], least: Sequence[int], best: Sequence[int], most: Sequence[int]
) -> bool:
    if not len(shape) == len(least) == len(best) == len(most):
        return False
    sizes = zip(shape, least, best, most, strict=True)
    return all(
        low == middle == high == size if isinstance(size, int) else 1 <= low <= middle <= high
        for size, low, middle, high in sizes
    )
