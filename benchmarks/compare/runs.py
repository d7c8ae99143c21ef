"""The runs that are compared, as they lie on the disk."""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from math import isclose
from pathlib import Path
from typing import Any

from benchmarks.report.data import ArtifactData, ReportData, RowData
from benchmarks.report.read import REPORT, read_report, report_file
from compress.errors import UserError
from compress.metrics import Statistic, metric_name


@dataclass(frozen=True)
class ComparedRun:
    """One run: its report, and its folder where there is one."""

    name: str
    """As the user named it."""
    folder: Path | None
    """None where only a `report.json` was given."""
    report: ReportData

    @property
    def settings(self) -> dict[str, Any]:
        """The task's section of the recipe."""
        return dict(self.report.recipe["task"])

    def artifact(self, name: str | None) -> ArtifactData:
        """Return the file that the run would ship, or the one of that name.

        Raises:
            UserError: There is no such file, or its quality was not measured.
        """
        names = ", ".join(one.name for one in self.report.artifacts) or "none"
        if name is None:
            found = [one for one in self.report.artifacts if one.path == self.report.best]
            if not found:
                raise UserError(
                    f"{self.name} has no file to ship. Name the one to compare with --file; "
                    f"its files are: {names}."
                )
        else:
            found = [one for one in self.report.artifacts if one.name == name]
            if not found:
                raise UserError(f"{self.name} has no file {name!r}. Its files are: {names}.")
        (artifact,) = found
        if artifact.quality is None:
            raise UserError(
                f"{self.name}: the quality of {artifact.name} was not measured "
                f"({artifact.checked}). Choose a file that was, with --file: {names}."
            )
        return artifact

    def row(self, name: str) -> ArtifactData | None:
        """Return the file of that name; None where there is none."""
        return next((one for one in self.report.artifacts if one.name == name), None)

    def statistic(self, row: RowData | ArtifactData) -> Statistic | None:
        """Return a row's metric as something that can be resampled; None without its answers.

        Raises:
            UserError: The answers cannot be read, or the report was written from others.
        """
        if self.folder is None:
            return None
        path = self.folder / "quality" / f"{row.name.replace(' ', '-')}.npz"
        if not path.is_file():
            return None
        metric = self.report.metric
        try:
            found = _statistics(self.report.task, path)[metric]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise UserError(
                f"{path} cannot be read ({error}). Run the recipe again, or give the run's "
                "report.json alone: its published intervals are compared then."
            ) from error
        published = (row.quality or {}).get(metric)
        if published is None or not isclose(found.value, published.value, rel_tol=1e-9):
            said = "nothing" if published is None else f"{published.value:.6f}"
            raise UserError(
                f"{path} has {metric_name(metric)} {found.value:.6f}, the report of {self.name} "
                f"says {said}: they are not of one run. Run the recipe again."
            )
        return found


def open_run(name: str, path: Path) -> ComparedRun:
    """Open a run.

    Args:
        name: As the user named it.
        path: Its folder, or its `report.json`, in the run's folder or copied out of it.

    Raises:
        UserError: There is no report that can be read.
    """
    if not path.is_file() and not (path / REPORT).is_file() and (path / REPORT.name).is_file():
        path = path / REPORT.name  # `RUN/report`, as it was copied
    report = read_report(path)
    file = report_file(path).resolve()
    folder = file.parent.parent if file.parts[-2:] == REPORT.parts else None
    return ComparedRun(name, folder, report)


def require_comparable(base: ComparedRun, other: ComparedRun) -> None:
    """Refuse to compare what has no common measure.

    Raises:
        UserError: The tasks or their metrics differ.
    """
    for what in ("task", "metric"):
        of_base, of_other = getattr(base.report, what), getattr(other.report, what)
        if of_base != of_other:
            raise UserError(
                f"{other.name} cannot be compared with {base.name}: its {what} is {of_other}, "
                f"that of {base.name} {of_base}. Compare runs of one task."
            )


def _statistics(task: str, path: Path) -> Mapping[str, Statistic]:
    if task == "next-item":
        from benchmarks.quality import Evaluation

        return Evaluation.load(path).statistics()
    from benchmarks.text_quality import TextEvaluation

    return TextEvaluation.load(path).statistics()
