"""Running a baseline for texts with NumPy."""

import json
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from compress.data.pieces import Batch
from compress.errors import UserError
from compress.teachers.text_baselines import TextBaseline, load_text_baseline
from export.baselines.emit_text import TextBaselineModel


class TextBaselineRunner:
    """A fitted baseline that reads the pieces of texts, as a `Runner`."""

    def __init__(self, path: str | Path, threads: int = 1) -> None:
        """Say which description to load; nothing is loaded before `with`.

        Args:
            path: A JSON file that `emit_text_baseline` wrote.
            threads: Taken as every runner takes it; counting runs on one.
        """
        self.path = Path(path)
        self._model: TextBaseline | None = None
        self._is_score = False
        self._gains: NDArray[np.float32] | None = None

    def __enter__(self) -> Self:
        try:
            about = TextBaselineModel(**json.loads(self.path.read_text(encoding="utf-8")))
            gains = None if about.gains is None else np.array(about.gains, dtype=np.float32)
        except (OSError, ValueError, TypeError) as error:
            raise UserError(f"{self.path} does not describe a text baseline: {error}") from error
        self._is_score, self._gains = about.is_score, gains
        self._model = load_text_baseline(self.path.parent / about.file)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._model = None

    def __call__(self, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """See `export.runner.Runner`."""
        if self._model is None:
            raise RuntimeError("a runner is called inside its `with`")
        ids = inputs["input_ids"].astype(np.int64)
        types = inputs.get("token_type_ids")
        batch = Batch(
            input_ids=ids,
            attention_mask=inputs["attention_mask"].astype(np.int64),
            token_type_ids=np.zeros_like(ids) if types is None else types.astype(np.int64),
        )
        answers = self._model.answers(batch)
        if self._is_score:
            return {"score": answers[:, 0]}
        if self._gains is None:
            return {"probabilities": answers}
        return {"probabilities": answers, "score": answers @ self._gains}
