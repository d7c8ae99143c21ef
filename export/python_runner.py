"""Finding a runner that the user wrote."""

import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from compress.errors import UserError


def load_class(path: str) -> Any:
    """Import a class, once a process.

    Args:
        path: `module:Class`, with a module that this process finds, or `/folder/file.py:Class`.

    Raises:
        UserError: There is no such module, or it has no such class.
    """
    place, _, name = path.rpartition(":")
    if not place or not name:
        raise UserError(f"{path}: a runner of your own is named module:Class or file.py:Class.")
    module = _from_file(Path(place)) if place.endswith(".py") else _imported(place)
    found = getattr(module, name, None)
    if not isinstance(found, type):
        raise UserError(f"{path}: {place} has no class {name}.")
    return found


def _imported(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise UserError(
            f"{name} cannot be imported: {error}. Put its folder on PYTHONPATH, or name the file."
        ) from error


def _from_file(file: Path) -> ModuleType:
    name = f"limbeck_runner_{file.stem}"
    if name in sys.modules:
        return sys.modules[name]
    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None or not file.is_file():
        raise UserError(f"{file} is not a Python file.")
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
