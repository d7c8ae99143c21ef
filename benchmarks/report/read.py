"""Reading a report.json that was written before, whatever became of it."""

import json
from pathlib import Path

from pydantic import ValidationError

from benchmarks.report.data import SCHEMA, ReportData
from compress.errors import UserError

REPORT = Path("report") / "report.json"
"""In a run's folder."""


def report_file(path: Path) -> Path:
    """Return the report of a run's folder; a file is itself."""
    return path if path.is_file() else path / REPORT


def read_report(path: Path) -> ReportData:
    """Return a report, checked.

    Args:
        path: A run's folder, or a `report.json`.

    Raises:
        UserError: There is none, it is damaged, or another version wrote it.
    """
    file = report_file(path)
    try:
        text = file.read_text(encoding="utf-8")
        found = json.loads(text)
        schema = found.get("schema") if isinstance(found, dict) else None
        if isinstance(schema, str) and schema != SCHEMA:
            raise UserError(
                f"{file} was written by another version of limbeck ({schema}, this one writes "
                f"{SCHEMA}). Run the recipe again: what can be used of the run is used again."
            )
        return ReportData.model_validate_json(text)
    except OSError as error:
        raise UserError(
            f"{path} holds no report. Give the folder of a finished run, "
            "or make one with: limbeck run RECIPE"
        ) from error
    except (ValueError, ValidationError) as error:
        what = str(error).splitlines()[0]
        raise UserError(
            f"{file} is damaged: {what}. Remove it and run the recipe again."
        ) from error
