"""Which files are written, how they are measured, and what they must keep to."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PositiveFloat, PositiveInt, model_validator

from compress.recipe.artifacts import NextItemArtifact, Onnx, OnnxText, TextArtifact
from compress.recipe.section import Fraction, Section


def _number_as_text(item: object) -> object:
    is_number = isinstance(item, int) and not isinstance(item, bool)
    return str(item) if is_number else item


ItemId = Annotated[str, BeforeValidator(_number_as_text)]
"""An item's id as the data has it. Of a YAML file it is the text as it is written there, see
`compress.recipe_yaml`; from Python an int will do."""


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


class NextItemExport(Export):
    """Which files to write of a next-item student."""

    blocked_items: str | tuple[ItemId, ...] = ()
    """Items that must never be recommended: their ids, or a text file with one id a line.

    Enforced inside every graph and by every row of the report, so that rows stay comparable. A path
    is relative to the recipe file. An id that the catalogue lacks is refused.
    """


class TextExport(Export):
    """Which files to write of a text student."""

    artifacts: Annotated[tuple[TextArtifact, ...], Field(min_length=1)] = (
        OnnxText(format="onnx", scheme="fp32"),
        OnnxText(format="onnx", scheme="int8-dynamic"),
    )
    text_input: bool = True
    """Write beside each ONNX file one that takes the text itself, tokenized inside the graph."""


ScenarioName = Literal["single-stream", "multi-stream", "offline", "server"]
"""MLPerf Inference's scenarios (Reddi et al. 2020, section 4)."""
MeasuredOn = Literal["cpu", "browser"]
"""Where files are asked: through their own runtime in a process, or by onnxruntime-web in headless
Chromium."""


DEFAULT_SERVER_RATE = 100.0


def _as_before(rate: object) -> object:
    """Recipes of runs made before have null for what was half of a file's own speed."""
    return DEFAULT_SERVER_RATE if rate is None else rate


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
    scenarios: Annotated[tuple[ScenarioName, ...], Field(min_length=1)] = ("single-stream",)
    """What files are asked in. Every row is measured in single-stream, named or not."""
    scenario_seconds: PositiveFloat = 5.0
    """At least so long for each of the other scenarios, and in the browser."""
    batches: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (1, 8, 32)
    """Offline: examples of a call."""
    streams: PositiveInt = 8
    """Multi-stream: examples of a query, such as candidates that one page asks about."""
    server_rate: Annotated[PositiveFloat, BeforeValidator(_as_before)] = DEFAULT_SERVER_RATE
    """Server: queries a second that arrive, the same for every file."""
    server_bound_ms: PositiveFloat = 100.0
    """Server: the p99 that a valid result keeps to."""
    measured_on: Annotated[tuple[MeasuredOn, ...], Field(min_length=1)] = ("cpu",)
    """Where files are asked: `cpu`, and `browser` for ONNX files."""
    robustness: bool = True
    """Measure quality on damaged inputs too, teacher and student side by side."""


class Budget(Section):
    """What the shipped file must keep to; a run that breaks it ends with exit code 1."""

    megabytes: PositiveFloat | None = None
    """Largest file, in 10^6 bytes."""
    milliseconds: PositiveFloat | None = None
    """Largest p90 latency on this machine, batch 1."""
    kept_quality: Fraction | None = None
    """Smallest share of the teacher's metric (NDCG@10, macro-F1; point estimate, test split)."""
