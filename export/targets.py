"""What can be written and run: one table of data."""

from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import Any


@dataclass(frozen=True)
class Target:
    """One format on one runtime."""

    format: str
    schemes: tuple[str, ...]
    target: str
    emit_needs: tuple[str, ...]
    """Python packages without which the file cannot be written."""
    run_needs: tuple[str, ...]
    """Python packages without which it cannot be run here."""
    enable: str
    """What to do to have what is missing."""

    @property
    def can_emit(self) -> bool:
        """Whether this installation can write the format."""
        return not self._missing(self.emit_needs)

    @property
    def can_run(self) -> bool:
        """Whether this machine can run it."""
        return not self._missing(self.run_needs)

    @property
    def how(self) -> str:
        """What is missing and how to get it; empty when nothing is."""
        missing = self._missing((*self.emit_needs, *self.run_needs))
        return f"{', '.join(missing)} not installed: {self.enable}" if missing else ""

    def to_json(self) -> dict[str, Any]:
        """Plain data for machines."""
        answers = {"can_emit": self.can_emit, "can_run": self.can_run, "how": self.how}
        return {**asdict(self), **answers}

    @staticmethod
    def _missing(packages: tuple[str, ...]) -> list[str]:
        return sorted({package for package in packages if find_spec(package) is None})


def targets() -> tuple[Target, ...]:
    """Every format and runtime that limbeck knows."""
    return (
        Target(
            format="onnx",
            schemes=("fp32", "int8-dynamic"),
            target="onnxruntime-cpu",
            emit_needs=("torch", "onnx", "onnxruntime"),
            run_needs=("onnxruntime",),
            enable="pip install limbeck",
        ),
        Target(
            format="pytorch",
            schemes=("fp32",),
            target="pytorch-cpu (reference rows: teacher, student)",
            emit_needs=("torch",),
            run_needs=("torch",),
            enable="pip install limbeck",
        ),
    )
