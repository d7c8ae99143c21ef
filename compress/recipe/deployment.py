"""Which files are written, how they are measured, and what they must keep to."""

from typing import Annotated

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from compress.recipe.artifacts import NextItemArtifact, Onnx, OnnxText, TextArtifact
from compress.recipe.section import Fraction, Section


class Export(Section):
    """Which files to write, and how closely they must agree with the student."""

    artifacts: Annotated[tuple[NextItemArtifact, ...], Field(min_length=1)] = (
        Onnx(format="onnx", scheme="fp32"),
        Onnx(format="onnx", scheme="int8-dynamic"),
    )
    verify_cases: Annotated[int, Field(ge=256)] = 256
    """Real inputs (histories, texts) on which every file is compared with the student."""
    author: str = ""
    """Who made the model; goes into files that have a place for it."""
    licence: str = ""
    """On what terms the model may be used; likewise."""

    @model_validator(mode="after")
    def _each_file_once(self) -> "Export":
        names = [one.name for one in self.artifacts]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"artifacts lists {', '.join(twice)} more than once")
        return self


class TextExport(Export):
    """Which files to write of a text student."""

    artifacts: Annotated[tuple[TextArtifact, ...], Field(min_length=1)] = (
        OnnxText(format="onnx", scheme="fp32"),
        OnnxText(format="onnx", scheme="int8-dynamic"),
    )
    text_input: bool = True
    """Write beside each ONNX file one that takes the text itself, tokenized inside the graph."""


class Benchmark(Section):
    """How long each row is measured: at least `queries` and at least `seconds`."""

    queries: Annotated[int, Field(ge=16)] = 1024
    seconds: PositiveFloat = 10.0
    threads: PositiveInt = 1
    evaluation_seconds: PositiveFloat = 120.0
    """Longest that measuring one file's quality may take where only a reference evaluator can
    answer (Core ML off a Mac); a slower one keeps its verification as its only evidence."""
    bootstrap: Annotated[int, Field(ge=100)] = 2000
    """Resamples behind every 95% interval."""


class Budget(Section):
    """What the shipped file must keep to; a run that breaks it ends with exit code 1."""

    megabytes: PositiveFloat | None = None
    """Largest file, in 10^6 bytes."""
    milliseconds: PositiveFloat | None = None
    """Largest p90 latency on this machine, batch 1."""
    kept_quality: Fraction | None = None
    """Smallest share of the teacher's metric (NDCG@10, macro-F1; point estimate, test split)."""
