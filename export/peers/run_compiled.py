"""Running a PyTorch student through `torch.compile`, in its default mode."""

import json
import os
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from numpy.typing import NDArray

from compress.errors import UserError
from export.samples import Samples

if TYPE_CHECKING:
    from torch import nn

EXAMPLES = "examples.npz"
"""Beside the description: real inputs of different lengths, asked while loading."""
_CACHE = "TORCHINDUCTOR_CACHE_DIR"


class CompiledRunner:
    """A student as a `Runner`, compiled while it is loaded and before the first question.

    Nothing is taken from an earlier compilation: its cache is a folder of its own. Where lengths
    differ, PyTorch compiles for the first one, and again, for any length, when it meets another.
    """

    def __init__(self, path: str | Path, threads: int = 1) -> None:
        """Say which description to load; nothing is loaded before `with`.

        Args:
            path: What `emit_pytorch` or `emit_pytorch_text` wrote of a student; `EXAMPLES` beside.
            threads: Threads inside an operator. PyTorch keeps one number a process.
        """
        self.path = Path(path)
        self.threads = threads
        self._module: Any = None
        self._inputs: tuple[str, ...] = ()
        self._outputs: tuple[str, ...] = ()
        self._cache: TemporaryDirectory[str] | None = None
        self._cache_before: str | None = None
        self._threads_before = threads

    def __enter__(self) -> Self:
        import torch
        from torch._inductor import config

        self._threads_before = torch.get_num_threads()
        torch.set_num_threads(self.threads)
        config.compile_threads = 1  # else processes that compile stay, and count as the model's
        self._cache_before = os.environ.get(_CACHE)
        self._cache = TemporaryDirectory(prefix="limbeck-compiled-")
        os.environ[_CACHE] = self._cache.name
        try:
            examples = Samples.load(self.path.with_name(EXAMPLES))
            module, self._outputs = _student(self.path)
        except (OSError, ValueError, TypeError, KeyError) as error:
            self._restore()
            raise UserError(f"{self.path} does not describe a student: {error}") from error
        self._inputs = tuple(examples.arrays)
        self._module = torch.compile(module)
        try:
            for number in range(len(examples)):
                self(examples.row(number))
        except Exception as error:  # the compiler raises of every kind
            self._restore()
            said = next(filter(None, map(str.strip, str(error).splitlines())), "it says nothing")
            raise UserError(
                f"{self.path}: torch.compile cannot compile it: {type(error).__name__}: {said}"
            ) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._restore()

    def _restore(self) -> None:
        import torch

        self._module = None
        torch.compiler.reset()
        torch.set_num_threads(self._threads_before)
        if self._cache_before is None:
            os.environ.pop(_CACHE, None)
        else:
            os.environ[_CACHE] = self._cache_before
        if self._cache is not None:
            self._cache.cleanup()

    def __call__(self, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """See `export.runner.Runner`."""
        import torch

        with torch.inference_mode():
            given = [torch.from_numpy(inputs[name]).long() for name in self._inputs]
            answers = self._module(*given)
        return {name: one.numpy() for name, one in zip(self._outputs, answers, strict=True)}


def import_compiler(path: str | Path) -> None:
    """Import PyTorch's compiler and the code that a student is built from, and nothing else.

    Args:
        path: See `CompiledRunner`.

    Raises:
        UserError: It does not describe a student.
    """
    import_module("torch._inductor.compile_fx")
    try:
        is_next_item = "members" in json.loads(Path(path).read_bytes())
    except (OSError, ValueError) as error:
        raise UserError(f"{path} does not describe a student: {error}") from error
    if is_next_item:
        for module in ("compress.saved_model", "compress.students.transformer", "export.deploy"):
            import_module(module)
        return
    from export.pytorch.run_text import import_text_model

    import_text_model(path)


def _student(path: Path) -> "tuple[nn.Module, tuple[str, ...]]":
    """Return what is compiled, and what its answers are called."""
    if "members" in json.loads(path.read_bytes()):
        return _next_item_student(path)
    from compress.saved_text_model import load_text_model
    from export.pytorch.emit_text import read_pytorch_text
    from export.text_deploy import TextDeploy

    folder, gains = read_pytorch_text(path)
    saved = load_text_model(folder)
    module = TextDeploy(saved.model.float(), saved.target, gains).eval()
    if saved.target == "score":
        return module, ("score",)
    return module, ("probabilities",) if gains is None else ("probabilities", "score")


def _next_item_student(path: Path) -> "tuple[nn.Module, tuple[str, ...]]":
    from compress.saved_model import load_model
    from export.deploy import NextItemDeploy, StudentScorer
    from export.pytorch.emit import PyTorchModel

    about = PyTorchModel(**json.loads(path.read_bytes()))
    network = load_model(path.parent / about.members[0])
    module = NextItemDeploy(
        StudentScorer(network, about.blocked).eval(),
        items=network.items,
        top_k=about.top_k,
        mask_seen=about.mask_seen,
    )
    return module.eval(), ("item_ids", "scores")
