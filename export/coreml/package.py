"""The folder that a Core ML package is: a manifest, a model in protobuf, a file of weights."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from compress.errors import UserError
from export.coreml.tools import import_coremltools

_MODEL, _WEIGHTS = "com.apple.CoreML/model.mlmodel", "com.apple.CoreML/weights"


@dataclass(frozen=True)
class Package:
    """What was read from a package."""

    path: Path
    spec: Any
    """A `Model` of Core ML's protobuf format."""
    weights: Path
    """Folder of the files that the model's constants refer to."""

    @property
    def metadata(self) -> dict[str, str]:
        """What limbeck wrote into it: see `export.signature`."""
        given = self.spec.description.metadata.userDefined
        return {key: value for key, value in given.items() if key.startswith("limbeck.")}


def read_package(path: Path) -> Package:
    """Read a package, but none of its weights.

    Raises:
        UserError: It is not a whole Core ML package; the message names the file.
    """
    tools = import_coremltools()
    if not path.is_dir():
        raise UserError(f"{path}: no such package; a .mlpackage is a folder")
    try:
        manifest = json.loads((path / "Manifest.json").read_text(encoding="utf-8"))
        entry = manifest["itemInfoEntries"][manifest["rootModelIdentifier"]]["path"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path}: Manifest.json is missing or damaged ({_short(error)}); write it again"
        ) from error
    spec = tools.proto.Model_pb2.Model()
    try:
        spec.ParseFromString((path / "Data" / entry).read_bytes())
    except Exception as error:  # protobuf's errors differ from one of its builds to the other
        raise UserError(
            f"{path}: {entry} is missing or damaged ({_short(error)}); write it again"
        ) from error
    if spec.WhichOneof("Type") != "mlProgram":
        raise UserError(f"{path}: {entry} is empty, or no ML program; write it again")
    return Package(path, spec, path / "Data" / _WEIGHTS)


def write_package(spec: Any, weights: Path, path: Path) -> None:
    """Write a package whose bytes depend on the model alone; what stands there is replaced.

    coremltools itself gives each package fresh identifiers and protobuf maps in any order.

    Args:
        spec: A `Model` of Core ML's protobuf format.
        weights: Folder of its weights.
        path: The package.
    """
    partial = path.with_name(f".{path.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    model = partial / "Data" / _MODEL
    model.parent.mkdir(parents=True)
    model.write_bytes(spec.SerializeToString(deterministic=True))
    (partial / "Data" / _WEIGHTS).mkdir()
    for file in sorted(weights.iterdir()):
        shutil.copyfile(file, partial / "Data" / _WEIGHTS / file.name)
    (partial / "Manifest.json").write_text(_manifest(), encoding="utf-8")
    if path.is_dir():
        shutil.rmtree(path)
    partial.rename(path)


def _manifest() -> str:
    entries = {
        _identifier(item): {
            "author": "com.apple.CoreML",
            "description": f"CoreML Model {what}",
            "name": item.rpartition("/")[2],
            "path": item,
        }
        for item, what in ((_MODEL, "Specification"), (_WEIGHTS, "Weights"))
    }
    content = {
        "fileFormatVersion": "1.0.0",
        "itemInfoEntries": entries,
        "rootModelIdentifier": _identifier(_MODEL),
    }
    return json.dumps(content, indent=4, sort_keys=True) + "\n"


def _identifier(item: str) -> str:
    return str(uuid5(NAMESPACE_URL, item)).upper()


def _short(error: BaseException) -> str:
    """The first line of what a library says."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
