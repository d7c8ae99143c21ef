"""Whether Core ML's tools can be had on this machine, and what to do where they cannot."""

import platform
from importlib.util import find_spec
from typing import Any

from export.quiet import quietly
from export.source import Unsupported

SYSTEMS = ("Darwin", "Linux")
"""As `platform.system` names them: where coremltools has its native parts."""


def why_unavailable(system: str | None = None) -> str | None:
    """Return why packages can be neither written nor checked here, and what can; None: they can.

    Args:
        system: As `platform.system` names it; None: this machine's.
    """
    system = system or platform.system()
    if system not in SYSTEMS:
        return (
            f"coreml: on {system or 'this system'} coremltools has no native parts, so that no "
            "package can be written or checked; write it on macOS or Linux, or choose format: onnx"
        )
    if find_spec("coremltools") is None:
        return "coreml: coremltools is not installed; pip install 'coremltools>=9.0'"
    return None


def import_coremltools(system: str | None = None) -> Any:
    """Return the module, silently imported.

    Args:
        system: See `why_unavailable`.

    Raises:
        Unsupported: It cannot be had here.
    """
    reason = why_unavailable(system)
    if reason is not None:
        raise Unsupported(reason)
    with quietly():
        import coremltools
    return coremltools
