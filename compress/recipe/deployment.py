"""Which files are written, how they are measured, and what they must keep to."""

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from compress.recipe.section import Fraction, Section


class Onnx(Section):
    """An ONNX file for ONNX Runtime."""

    format: Literal["onnx"]
    scheme: Literal["fp32", "int8-dynamic"] = "fp32"


class Export(Section):
    """Which files to write, and how closely they must agree with the student."""

    artifacts: Annotated[tuple[Onnx, ...], Field(min_length=1)] = (
        Onnx(format="onnx", scheme="fp32"),
        Onnx(format="onnx", scheme="int8-dynamic"),
    )
    verify_cases: Annotated[int, Field(ge=256)] = 256
    """Real inputs (histories, texts) on which every file is compared with the student."""

    @model_validator(mode="after")
    def _each_file_once(self) -> "Export":
        names = [f"{one.format} {one.scheme}" for one in self.artifacts]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"artifacts lists {', '.join(twice)} more than once")
        return self


class OnnxText(Onnx):
    """An ONNX file of a text student."""

    preset: Literal["arm64", "avx2", "avx512_vnni"] = "arm64"
    """Optimum's quantizer preset: the processor that int8 is laid out for."""


class TextExport(Export):
    """Which files to write of a text student."""

    artifacts: Annotated[tuple[OnnxText, ...], Field(min_length=1)] = (
        OnnxText(format="onnx", scheme="fp32"),
        OnnxText(format="onnx", scheme="int8-dynamic"),
    )
    text_input: bool = True
    """Write beside each file one that takes the text itself, tokenized inside the graph."""


class Benchmark(Section):
    """How long each row is measured: at least `queries` and at least `seconds`."""

    queries: Annotated[int, Field(ge=16)] = 1024
    seconds: PositiveFloat = 10.0
    threads: PositiveInt = 1
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
