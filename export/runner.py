"""Calling a model the way an app does, whatever runtime it lives in."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Protocol, Self

from numpy.typing import NDArray

from compress.errors import UserError

Runtime = Literal[
    "onnx",
    "onnx-peer",
    "ort",
    "coreml",
    "tensorrt",
    "litert",
    "browser",
    "pytorch",
    "pytorch-text",
    "baseline",
    "baseline-text",
    "pytorch-compiled",
    "openvino",
]
"""What the files of a run name as theirs."""
AnyRuntime = Runtime | Literal["python"]
"""`python` is code: only a program names it, never a file that may come from elsewhere."""


class Runner(Protocol):
    """A loaded model: a context manager that is called with named arrays.

    `__enter__` loads the file, `__exit__` releases what was loaded.
    """

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    def __call__(self, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Answer each example.

        Args:
            inputs: By name; what the model does not take is not looked at. For next-item `history`
                int32 `[B, L]`, item codes padded on the left with 0. For texts `input_ids`,
                `attention_mask` and, for pairs, `token_type_ids`, int32 `[B, L]`, padded on the
                right; where the tokenizer is inside, `text` (or `query` and `product`) `[B]`.

        Returns:
            By name. For next-item `item_ids` int32 `[B, K]` and `scores` float32 `[B, K]`, best
            first. For texts `probabilities` float32 `[B, C]` or `score` float32 `[B]`, or both.
        """
        ...


@dataclass(frozen=True)
class RunnerSpec:
    """What a fresh process needs to know to load and call a model.

    The runtime `python` is a class of yours that is a `Runner`: `path` is `module:Class`, with a
    module that `PYTHONPATH` finds, or `/folder/file.py:Class`. It is made with `threads=` alone.
    From Python only; a recipe cannot name code.
    """

    runtime: AnyRuntime
    path: str
    threads: int = 1


def runner_spec_of(runtime: str, path: str | Path, threads: int = 1) -> RunnerSpec:
    """Return the spec of a model that a file of a run names: such files may come from elsewhere.

    Args:
        runtime: As the file has it, unchecked.
        path: Of the model.
        threads: It may use.

    Raises:
        UserError: The runtime is none of `Runtime`: `python` would run code.
    """
    known = next((one for one in _RUNNERS if one == runtime), None)
    if known is None:
        raise UserError(
            f"{path}: this limbeck knows no runtime {runtime} that a file could name. It is "
            "damaged, or of another version of limbeck: run the recipe again."
        )
    return RunnerSpec(known, str(path), threads)


def open_runner(spec: RunnerSpec) -> Runner:
    """Return the runner for `spec`, importing only the runtime that it needs.

    Raises:
        UserError: A class of the user's is not there.
    """
    if spec.runtime == "python":
        from export.python_runner import load_class

        made: Runner = load_class(spec.path)(threads=spec.threads)
        return made
    module, _, name = _RUNNERS[spec.runtime].partition(":")
    runner: Runner = getattr(import_module(module), name)(spec.path, threads=spec.threads)
    return runner


def import_runtime(spec: RunnerSpec) -> None:
    """Import what loading and the first call would import, so that loading can be timed alone.

    What a model does not need stays out: it would count as the model's memory.
    """
    if spec.runtime in {"onnx", "onnx-peer", "ort"}:
        from export.onnx.session import import_onnx_runtime

        import_onnx_runtime(spec.path)
    elif spec.runtime == "pytorch-compiled":
        from export.peers.run_compiled import import_compiler

        import_compiler(spec.path)
    elif spec.runtime == "python":
        from export.python_runner import load_class

        load_class(spec.path)
    elif spec.runtime == "pytorch-text":
        from export.pytorch.run_text import import_text_model

        import_text_model(spec.path)
    else:
        for module in _MODULES[spec.runtime]:
            import_module(module)


_RUNNERS: Mapping[Runtime, str] = {
    "onnx": "export.onnx.run:OnnxRunner",
    "onnx-peer": "export.peers.run_onnx:OnnxPeerRunner",
    "ort": "export.ort.run:OrtRunner",
    "coreml": "export.coreml.run:CoreMlRunner",
    "tensorrt": "export.tensorrt.run:TensorRtRunner",
    "litert": "export.litert.run:LiteRtRunner",
    "browser": "export.browser.run:BrowserRunner",
    "pytorch": "export.pytorch.run:PyTorchRunner",
    "pytorch-text": "export.pytorch.run_text:PyTorchTextRunner",
    "baseline": "export.baselines.run:BaselineRunner",
    "baseline-text": "export.baselines.run_text:TextBaselineRunner",
    "pytorch-compiled": "export.peers.run_compiled:CompiledRunner",
    "openvino": "export.peers.run_openvino:OpenVinoRunner",
}

_MODULES: Mapping[str, tuple[str, ...]] = {
    "coreml": ("coremltools",),
    "tensorrt": ("export.tensorrt.run",),
    "litert": ("ai_edge_litert.interpreter",),
    "browser": ("export.browser.run",),
    "pytorch": (
        "torch",
        "compress.saved_model",
        "compress.teachers.ensemble",
        "compress.teachers.text_sequence",
        "compress.students.transformer",
        "export.deploy",
    ),
    "baseline": ("scipy.sparse", "compress.teachers.baselines"),
    "baseline-text": ("compress.teachers.text_baselines",),
    "openvino": ("openvino",),
}
