"""Measures a machine's peaks; run as `python -m benchmarks.roofline.peaks_process JOB.json`."""

import gc
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.roofline.cost import NumberType
from benchmarks.roofline.peaks import (
    SHAPES,
    WORKING_SETS,
    Peaks,
    ProductReading,
    TransferReading,
)
from benchmarks.timing.isolation import allowed_cpus, choose_cpus, pin

_FEWEST = 5
"""Repetitions, however long one takes."""
_BYTES_A_PASS = 1 << 24
"""A pass goes over a small working set so often that starting it costs nothing..."""
_LONGER_WITH_THREADS = 16
"""...and several threads take longer to start."""


def main(job_file: str) -> None:
    """Measure, and write the readings to where the job says."""
    job = json.loads(Path(job_file).read_text(encoding="utf-8"))
    # Threads of the passes over memory are ours: BLAS must not start its own beneath each.
    os.environ["OPENBLAS_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"
    threads, seconds = int(job["threads"]), float(job["seconds"])
    cpus = choose_cpus(threads, allowed_cpus())
    is_pinned = pin(cpus)
    gc.disable()
    caches = list(_caches())
    own = caches[0][2] if caches else ""
    peaks = Peaks(
        threads=threads,
        products=tuple(_products(threads, seconds)),
        transfers=tuple(_transfers(threads, seconds)),
        caches={name: size for name, size, _ in caches},
        private_caches=tuple(name for name, _, serves in caches if serves == own),
        pinned_to=cpus if is_pinned else (),
    )
    Path(job["readings"]).write_text(peaks.to_json(), encoding="utf-8")


def _products(threads: int, seconds: float) -> Iterator[ProductReading]:
    numbers: tuple[NumberType, ...] = ("fp32", "int8")
    for number in numbers:
        for rows, inner, columns in SHAPES:
            call = _product(number, rows, inner, columns, threads)
            best, count = _fastest(call, seconds)
            yield ProductReading(number, rows, inner, columns, best, count)


def _product(
    number: NumberType, rows: int, inner: int, columns: int, threads: int
) -> Callable[[], object]:
    """Return a call of ONNX Runtime that multiplies by a constant matrix, as a layer does."""
    import numpy as np
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    random = np.random.default_rng(0)
    if number == "int8":
        operator, taken, given = "MatMulInteger", TensorProto.UINT8, TensorProto.INT32
        data: Any = random.integers(0, 255, (rows, inner), dtype=np.uint8)
        weights: Any = random.integers(-127, 127, (inner, columns), dtype=np.int8)
    else:
        operator, taken, given = "MatMul", TensorProto.FLOAT, TensorProto.FLOAT
        data = random.standard_normal((rows, inner), dtype=np.float32)
        weights = random.standard_normal((inner, columns), dtype=np.float32)
    graph = helper.make_graph(
        [helper.make_node(operator, ["data", "weights"], ["product"])],
        "product",
        [helper.make_tensor_value_info("data", taken, [rows, inner])],
        [helper.make_tensor_value_info("product", given, [rows, columns])],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return lambda: session.run(None, {"data": data})


def _transfers(threads: int, seconds: float) -> Iterator[TransferReading]:
    with ThreadPoolExecutor(threads) as pool:
        for size in WORKING_SETS:
            for kind, one_pass in (("read", _reading), ("copy", _copying)):
                share = size // threads
                passes = [one_pass(share, _repeats(share, threads)) for _ in range(threads)]

                def work(passes: list[Callable[[], int]] = passes) -> int:
                    if len(passes) == 1:
                        return passes[0]()
                    return sum(pool.map(lambda call: call(), passes))

                moved = work()
                best, count = _fastest(work, seconds)
                yield TransferReading(
                    "read" if kind == "read" else "copy", size, moved / best, count
                )


def _repeats(size: int, threads: int) -> int:
    wanted = _BYTES_A_PASS * (1 if threads == 1 else _LONGER_WITH_THREADS)
    return max(1, wanted // size)


def _reading(size: int, repeats: int) -> Callable[[], int]:
    """Return dot products of two halves of `size` bytes, repeated without a return to Python.

    A stride of 0 along the first axis lets NumPy's loop read the same memory again and again.
    """
    import numpy as np
    from numpy.lib.stride_tricks import as_strided

    count = size // 8
    left, right = np.ones(count, np.float32), np.ones(count, np.float32)
    lefts = as_strided(left, (repeats, 1, count), (0, 4 * count, 4))
    rights = as_strided(right, (repeats, count, 1), (0, 4, 4))
    sums = np.empty((repeats, 1, 1), np.float32)

    def call() -> int:
        np.matmul(lefts, rights, out=sums)
        return repeats * count * 8

    return call


def _copying(size: int, repeats: int) -> Callable[[], int]:
    """Return copies of one half of `size` bytes over the other."""
    import numpy as np

    count = size // 2
    source, target = np.ones(count, np.uint8), np.zeros(count, np.uint8)

    def call() -> int:
        for _ in range(repeats):
            np.copyto(target, source)
        return repeats * count * 2

    return call


def _fastest(call: Callable[[], object], seconds: float) -> tuple[float, int]:
    """Return the seconds of the fastest call, and of how many."""
    call()
    ends = time.perf_counter() + seconds
    best, count = float("inf"), 0
    while count < _FEWEST or time.perf_counter() < ends:
        started = time.perf_counter_ns()
        call()
        best = min(best, (time.perf_counter_ns() - started) / 1e9)
        count += 1
    return best, count


def _caches() -> Iterator[tuple[str, int, str]]:
    """Yield the data caches of the first CPU, and the CPUs that each serves.

    Nothing where the system has no such files.
    """
    for folder in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        try:
            kind, level, size, serves = (
                (folder / name).read_text(encoding="utf-8").strip()
                for name in ("type", "level", "size", "shared_cpu_list")
            )
        except (OSError, ValueError):
            continue
        unit = {"K": 1024, "M": 1024**2}.get(size[-1:], 1)
        if kind != "Instruction" and size.rstrip("KM").isdigit():
            yield f"L{level}", int(size.rstrip("KM")) * unit, serves


if __name__ == "__main__":
    main(sys.argv[1])
