"""Which of our files peers are compared with: those that would be shipped in their place."""

from pathlib import Path

from benchmarks.stages.subjects import Subject, subjects

SCHEME = "int8-dynamic"
FORMATS = ("onnx", "litert")


def our_files(export_folder: Path) -> list[Subject]:
    """Our int8 files that take what the student takes and run here, in the recipe's order."""
    return [
        row
        for row in subjects(export_folder)
        if row.artifact is not None
        and row.artifact.format in FORMATS
        and row.artifact.scheme == SCHEME
        and not row.artifact.takes_texts
        and row.can_answer
        and row.can_be_timed
    ]
