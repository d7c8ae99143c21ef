"""Running a trained model with PyTorch, as the app's server would."""

import json
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from numpy.typing import NDArray

from compress.errors import UserError
from export.pytorch.emit import PyTorchModel


class PyTorchRunner:
    """A teacher or student as a `Runner`; the teacher with its item table computed beforehand."""

    def __init__(self, path: str | Path, threads: int = 1) -> None:
        """Say which description to load; nothing is loaded before `with`.

        Args:
            path: A JSON file that `emit_pytorch` wrote.
            threads: Threads inside an operator. PyTorch keeps one number a process.
        """
        self.path = Path(path)
        self.threads = threads
        self._module: Any = None
        self._threads_before = threads

    def __enter__(self) -> Self:
        import torch
        from torch import nn

        from compress.saved_model import load_model
        from compress.teachers.ensemble import Ensemble
        from export.deploy import EnsembleScorer, NextItemDeploy, StudentScorer

        try:
            about = PyTorchModel(**json.loads(self.path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise UserError(f"{self.path} does not describe a PyTorch model: {error}") from error
        self._threads_before = torch.get_num_threads()
        torch.set_num_threads(self.threads)
        networks = [load_model(self.path.parent / member) for member in about.members]
        scorer: nn.Module
        if about.is_ensemble:
            ensemble = Ensemble(networks, mask_seen=about.trained_on_unseen)
            scorer = EnsembleScorer(ensemble, about.blocked)
        else:
            scorer = StudentScorer(networks[0], about.blocked)
        self._module = NextItemDeploy(
            scorer, items=networks[0].items, top_k=about.top_k, mask_seen=about.mask_seen
        ).eval()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        import torch

        self._module = None
        torch.set_num_threads(self._threads_before)

    def __call__(self, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """See `export.runner.Runner`."""
        import torch

        with torch.inference_mode():
            item_ids, scores = self._module(torch.from_numpy(inputs["history"]))
        return {"item_ids": item_ids.numpy(), "scores": scores.numpy()}
