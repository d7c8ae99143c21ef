"""coremltools, imported without what it says."""

from typing import Any

from compress.errors import MissingExtraError
from export.quiet import quietly


def import_coremltools() -> Any:
    """Return the module.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        with quietly():
            import coremltools
    except ImportError as error:
        raise MissingExtraError(
            "Core ML packages are written and read with coremltools, which cannot be imported "
            f"({error}). Install it with: pip install 'coremltools>=9.0' (Linux and macOS)"
        ) from error
    return coremltools
