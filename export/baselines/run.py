"""Running a baseline with NumPy."""

import json
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from compress.errors import UserError
from compress.tasks.item_codes import FIRST_ITEM, IMPOSSIBLE
from compress.teachers.baselines import CoOccurrence, Popularity
from export.baselines.emit import BaselineModel


class BaselineRunner:
    """A fitted baseline as a `Runner`."""

    def __init__(self, path: str | Path, threads: int = 1) -> None:
        """Say which description to load; nothing is loaded before `with`.

        Args:
            path: A JSON file that `emit_baseline` wrote.
            threads: Taken as every runner takes it; counting runs on one.
        """
        self.path = Path(path)
        self._model: Popularity | CoOccurrence | None = None
        self._about = BaselineModel("popularity", "", 1, True)

    def __enter__(self) -> Self:
        try:
            self._about = BaselineModel(**json.loads(self.path.read_text(encoding="utf-8")))
            fitted = self.path.parent / self._about.file
            kind = Popularity if self._about.kind == "popularity" else CoOccurrence
            self._model = kind.load(fitted)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise UserError(f"{self.path} does not describe a baseline: {error}") from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._model = None

    def __call__(self, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """See `export.runner.Runner`. Equal scores rank in catalogue order."""
        if self._model is None:
            raise RuntimeError("a runner is called inside its `with`")
        history = inputs["history"]
        scores = np.pad(
            self._model.scores(history), ((0, 0), (FIRST_ITEM, 0)), constant_values=IMPOSSIBLE
        )
        if self._about.mask_seen:
            np.put_along_axis(scores, history.astype(np.int64), IMPOSSIBLE, axis=1)
        scores[:, list(self._about.blocked)] = IMPOSSIBLE
        top_k = min(self._about.top_k, scores.shape[1] - FIRST_ITEM)
        item_ids = np.argsort(-scores, axis=1, kind="stable")[:, :top_k].astype(np.int32)
        best = np.take_along_axis(scores, item_ids, axis=1)
        item_ids[best <= IMPOSSIBLE / 2] = 0
        return {"item_ids": item_ids, "scores": best}
