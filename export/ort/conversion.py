"""Converting an ONNX file to ONNX Runtime's own format, in a process of its own.

What was loaded in a process before leaves traces in what ONNX Runtime writes: the domains of
operators that were registered, the order of its hashes.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from export.ort.canonical import in_order
from export.source import Unsupported

Level = Literal["all", "extended"]


def convert(graph: Path, path: Path, scheme: str) -> None:
    """Let ONNX Runtime optimize a graph and save it, as its own conversion tool does ("Fixed").

    That tool names its files itself; these are its options for ARM.

    Args:
        graph: The ONNX file.
        path: The file to write.
        scheme: Of the graph's weights.

    Raises:
        Unsupported: ONNX Runtime cannot convert it.
    """
    # The last level turns float16 weights into float32 where this processor lacks kernels.
    level: Level = "extended" if scheme == "fp16" else "all"
    command = [sys.executable, "-m", __name__, str(graph), str(path), level]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0 or not path.is_file():
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise Unsupported(
            f"ONNX Runtime cannot convert {graph.name} to its own format: {said[-1]}. "
            "The ONNX file itself runs on phones too: format: onnx"
        )
    path.write_bytes(in_order(path.read_bytes()))


def main(arguments: Sequence[str]) -> None:
    """Convert in this process.

    Args:
        arguments: The ONNX file, the file to write, and the level of optimization.
    """
    import onnxruntime

    graph, path, level = arguments
    levels = onnxruntime.GraphOptimizationLevel
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    options.optimized_model_filepath = path
    options.add_session_config_entry("session.save_model_format", "ORT")
    options.add_session_config_entry("session.qdqisint8allowed", "1")
    options.graph_optimization_level = (
        levels.ORT_ENABLE_ALL if level == "all" else levels.ORT_ENABLE_EXTENDED
    )
    onnxruntime.InferenceSession(
        graph,
        options,
        providers=["CPUExecutionProvider"],
        disabled_optimizers=["NchwcTransformer"],  # its layout is of x86 alone
    )


if __name__ == "__main__":
    main(sys.argv[1:])
