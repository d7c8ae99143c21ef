"""What ONNX Runtime's own checker says of a graph on a phone's accelerators.

It counts nodes that NNAPI (Android) and Core ML (Apple) could take over; whether that is faster is
for the device to say.
"""

import logging
import re
from pathlib import Path

_ENGINES = {
    "NNAPI": "nnapi",
    "CoreML NeuralNetwork": "coreml_neural_network",
    "CoreML MLProgram": "coreml_ml_program",
}
_PARTITIONS = re.compile(
    r"(\d+) partitions with a total of (\d+)/(\d+) nodes can be handled by the (.+) EP"
)
_VERDICT = re.compile(r"Model should perform well with (.+?) (as is|if modified .*): (\w+)")


def usability(graph: Path) -> dict[str, str]:
    """Ask about an ONNX file.

    Returns:
        By `nnapi`, `coreml_neural_network` and `coreml_ml_program`: the verdict, and what it is
        from, in one line.
    """
    from onnxruntime.tools.mobile_helpers.usability_checker import analyze_model

    logger = logging.Logger("usability", logging.INFO)
    heard = _Lines()
    logger.addHandler(heard)
    disabled = logging.root.manager.disable
    logging.disable(logging.NOTSET)
    try:
        analyze_model(graph, skip_optimize=False, logger=logger)
    finally:
        logging.disable(disabled)
    return read_verdicts(heard.lines)


def read_verdicts(lines: list[str]) -> dict[str, str]:
    """Shorten the checker's lines to one an engine."""
    parts: dict[str, list[str]] = {}
    for line in lines:
        if found := _PARTITIONS.search(line):
            partitions, nodes, of, engine = found.groups()
            parts.setdefault(engine, []).append(f"{nodes} of {of} nodes in {partitions} parts")
        elif found := _VERDICT.search(line):
            engine, when, verdict = found.groups()
            how = "as it is" if when == "as is" else "with fixed shapes"
            about = parts[engine].pop()
            parts[engine].append(f"{verdict.lower()} {how} ({about})")
    return {_ENGINES[engine]: "; ".join(said) for engine, said in parts.items()}


class _Lines(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self.lines.append(record.getMessage())
