"""Running a trained text model with PyTorch in fp32, as a server would."""

import json
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from numpy.typing import NDArray

from compress.errors import UserError
from export.pytorch.emit_text import read_pytorch_text


class PyTorchTextRunner:
    """A teacher or student that reads text, as a `Runner`."""

    def __init__(self, path: str | Path, threads: int = 1) -> None:
        """Say which description to load; nothing is loaded before `with`.

        Args:
            path: A JSON file that `emit_pytorch_text` wrote.
            threads: Threads inside an operator. PyTorch keeps one number a process.
        """
        self.path = Path(path)
        self.threads = threads
        self._model: Any = None
        self._gains: Any = None
        self._target = ""
        self._threads_before = threads

    def __enter__(self) -> Self:
        import torch

        from compress.saved_text_model import load_text_model

        folder, gains = _described(self.path)
        self._threads_before = torch.get_num_threads()
        torch.set_num_threads(self.threads)
        saved = load_text_model(folder)
        self._model, self._target = saved.model.float(), saved.target
        self._gains = None if gains is None else torch.tensor(gains)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        import torch

        self._model = None
        torch.set_num_threads(self._threads_before)

    def __call__(self, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """See `export.runner.Runner`."""
        import torch

        with torch.inference_mode():
            given = {name: torch.from_numpy(array).long() for name, array in inputs.items()}
            if "token_type_ids" not in given:
                given["token_type_ids"] = torch.zeros_like(given["input_ids"])
            logits = self._model(**given).logits
            if self._target == "score":
                return {"score": logits[:, 0].numpy()}
            is_one = self._target == "one-of"
            probabilities = logits.softmax(dim=1) if is_one else logits.sigmoid()
            answers = {"probabilities": probabilities.numpy()}
            if self._gains is not None:
                answers["score"] = (probabilities @ self._gains).numpy()
            return answers


def import_text_model(path: str | Path) -> None:
    """Import the code that a model is built from, and nothing of other models.

    Args:
        path: A JSON file that `emit_pytorch_text` wrote.

    Raises:
        UserError: It does not describe a model.
    """
    import torch  # noqa: F401  (what loading and calling need)

    from compress.saved_text_model import DESCRIPTION

    folder, _ = _described(Path(path))
    try:
        about = json.loads((folder / DESCRIPTION).read_bytes())
        if about["format"] == "huggingface":
            from transformers import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING, AutoConfig

            config = AutoConfig.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
            MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING[type(config)]
            return
        from pydantic import TypeAdapter

        from compress.recipe import AnyTextStudent, Kind

        section: Kind = TypeAdapter[Kind](AnyTextStudent).validate_python(about["section"])
        import_module(section.implementation.partition(":")[0])
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{folder} does not hold a text model: {error}") from error


def _described(path: Path) -> tuple[Path, tuple[float, ...] | None]:
    try:
        return read_pytorch_text(path)
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"{path} does not describe a PyTorch text model: {error}") from error
