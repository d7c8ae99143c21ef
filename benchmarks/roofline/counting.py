"""Which way the graph of a file is counted, and with which example."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from benchmarks.roofline.cost import GraphCost
from compress.errors import UserError
from export.runner import Runtime
from export.samples import Samples


def count_graph(runtime: Runtime, path: Path, samples: Samples, row: int) -> GraphCost:
    """Count one query to a file: one example, batch 1.

    ONNX and `.ort` are counted at the example's own length. LiteRT and Core ML files have sizes of
    their own, to which an app pads.

    Args:
        runtime: That it is run with.
        path: The file.
        samples: What it is asked with.
        row: The example.

    Raises:
        UserError: It cannot be counted; says why.
    """
    if runtime in ("onnx", "ort"):
        from benchmarks.roofline.onnx_graph import count_onnx

        return count_onnx(path, samples.row(row), "ORT" if runtime == "ort" else "ONNX")
    if runtime == "litert":
        from benchmarks.roofline.litert_graph import count_litert

        return count_litert(path)
    if runtime == "coreml":
        from benchmarks.roofline.coreml_graph import count_coreml

        return count_coreml(path, samples.row(row))
    if runtime == "tensorrt":
        return _count_engine(path, samples, row)
    raise UserError(f"{path}: a model of {runtime} has no graph to count")


def _count_engine(path: Path, samples: Samples, row: int) -> GraphCost:
    """Count the ONNX that a device builds its engine from; a built engine tells no operators."""
    from export.tensorrt.device_folder import ONNX

    if not path.is_dir():
        raise UserError(
            f"{path}: an engine does not tell its operators without a GPU, and the "
            "ONNX that it was built from is not kept"
        )
    from benchmarks.roofline.onnx_graph import count_onnx

    return count_onnx(path / ONNX, samples.row(row), optimized=False)


def example_rows(samples: Mapping[str, Samples]) -> dict[str, int]:
    """Return the example that each kind of sample is counted with: the one of the median length.

    Lengths are those in pieces where there are pieces, else in characters; kinds with as many
    examples are of the same test split, and get the same one.

    Args:
        samples: By the name of the kind.
    """
    by_count: dict[int, int] = {}
    for one in sorted(samples.values(), key=lambda one: one.lengths is None):
        by_count.setdefault(len(one), _median_row(one))
    return {name: by_count[len(one)] for name, one in samples.items()}


def counted_with(runtime: Runtime, samples: Samples, row: int) -> str:
    """Say what a file is counted with, such as `history [1, 50]` or `text of 312 characters`."""
    if runtime in ("litert", "coreml"):
        return "the file's own sizes"
    said = []
    for name, array in samples.row(row).items():
        if array.dtype == object:
            said.append(f"{name} of {len(array[0]):,} characters")
        else:
            said.append(f"{name} {list(array.shape)}")
    return ", ".join(said)


def _median_row(samples: Samples) -> int:
    lengths = samples.lengths
    if lengths is None:
        texts = [array for array in samples.arrays.values() if array.dtype == object]
        if not texts:
            return 0
        lengths = np.sum([[len(text) for text in array] for array in texts], axis=0)
    order = np.argsort(lengths, kind="stable")
    return int(order[len(order) // 2])
