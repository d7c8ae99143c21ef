import subprocess
import sys

from benchmarks.timing.latency_process import LatencyJob
from export.runner import RunnerSpec


def test_a_job_survives_its_json():
    job = LatencyJob(RunnerSpec("onnx", "model é.onnx", 2), "/logs", 64, 0.5, 0.1)
    assert LatencyJob.from_json(job.to_json()) == job


def test_the_measured_process_imports_no_runtime_that_it_does_not_need():
    """Memory of a 400 KB file would otherwise be that of PyTorch."""
    heavy = {"torch", "onnx", "pydantic", "scipy", "plotly", "jinja2", "pyarrow", "onnxruntime"}
    code = "import benchmarks.timing.latency_process, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not heavy.intersection(loaded)
