"""The files that a recipe can ask for: one section a format.

A section names what is wanted; whether it can be had is for the format's emitter to say, so that a
file that cannot be written here does not keep the others from being written.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, PositiveInt, model_validator

from compress.recipe.section import Section

WeightScheme = Literal["fp32", "fp16", "int8-dynamic", "int8-static"]
Preset = Literal["arm64", "avx2", "avx512_vnni"]


class ArtifactSection(Section):
    """One file to write."""

    suffix: ClassVar[str]
    """End of the file's name."""

    format: str
    scheme: str
    optional: bool = False
    """Whether a run is good without it: where it cannot be written, that is said and no more."""

    @property
    def device(self) -> str | None:
        """What it is made for, where a name has to tell: `sm86`, `iOS18`."""
        return None

    @property
    def name(self) -> str:
        """What its row of the report is called."""
        return " ".join(part for part in (self.format, self.scheme, self.device) if part)

    @property
    def file_name(self) -> str:
        """Of the file, or of the folder that it is."""
        parts = ("student", self.scheme, self.device, self.suffix)
        return ".".join(part for part in parts if part)


class Onnx(ArtifactSection):
    """An ONNX file for ONNX Runtime."""

    suffix: ClassVar[str] = "onnx"

    format: Literal["onnx"]
    scheme: WeightScheme = "fp32"
    route: Literal["auto", "torchscript", "dynamo"] = "auto"
    """How PyTorch writes the graph; `auto`: the fastest that is right for the kind of model
    (docs/formats.md has the measurement)."""
    opset: Annotated[int, Field(ge=11, le=23)] | None = None
    """Version of ONNX's operators; None: the route's best."""


class OnnxText(Onnx):
    """An ONNX file of a text student."""

    preset: Preset = "arm64"
    """Optimum's quantizer preset: the processor that int8 is laid out for."""


class Ort(ArtifactSection):
    """An ONNX Runtime Mobile file: the graph as ONNX Runtime optimized it, and its operators."""

    suffix: ClassVar[str] = "ort"

    format: Literal["ort"]
    scheme: WeightScheme = "int8-dynamic"


class OrtText(Ort):
    """An ONNX Runtime Mobile file of a text student."""

    preset: Preset = "arm64"
    """Optimum's quantizer preset: the processor that int8 is laid out for."""


class Batch(Section):
    """How many examples an engine answers at once: the range, and what it is tuned for."""

    least: PositiveInt = 1
    best: PositiveInt = 1
    most: PositiveInt = 8

    @model_validator(mode="after")
    def _in_order(self) -> "Batch":
        if not self.least <= self.best <= self.most:
            raise ValueError(f"least {self.least} <= best {self.best} <= most {self.most} is wrong")
        return self


class TensorRtRtx(ArtifactSection):
    """A TensorRT-RTX engine, built ahead of time, without a GPU, for a named GPU generation."""

    suffix: ClassVar[str] = "rtx.engine"

    format: Literal["tensorrt-rtx"]
    scheme: Literal["fp32", "fp16", "int8-weight", "int4-weight"] = "fp16"
    target: Annotated[str, Field(pattern=r"^[a-z0-9]+$")] = "portable"
    """Compute capability (`sm86`: RTX 30, `sm89`: RTX 40, `sm120`: RTX 50), or `portable`."""
    batch: Batch = Batch()

    @property
    def device(self) -> str:
        """The compute capability."""
        return self.target


class TensorRt(ArtifactSection):
    """A TensorRT engine for this machine's GPU, or a folder that builds one on the device."""

    suffix: ClassVar[str] = "tensorrt"

    format: Literal["tensorrt"]
    scheme: Literal["fp32", "fp16", "int8-static"] = "fp16"
    target: Literal["this-gpu", "build-on-device"] = "build-on-device"
    version_compatible: bool = False
    """Build an engine that later TensorRT versions load too; it is larger and may be slower."""
    batch: Batch = Batch()

    @property
    def device(self) -> str:
        """Where it is built."""
        return self.target


class CoreMl(ArtifactSection):
    """A Core ML package for Apple's devices."""

    suffix: ClassVar[str] = "mlpackage"

    format: Literal["coreml"]
    scheme: Literal[
        "fp32", "fp16", "int8-weight", "int4-weight", "palettized-4", "palettized-6"
    ] = "fp16"
    target: Literal["iOS16", "iOS17", "iOS18"] = "iOS17"
    """Oldest system that runs it; macOS of the same year too."""

    @property
    def device(self) -> str | None:
        """The oldest system, where it is not the usual one."""
        usual = type(self).model_fields["target"].default
        return None if self.target == usual else self.target


class CoreMlText(CoreMl):
    """A Core ML package of a text student."""

    lengths: tuple[PositiveInt, ...] = ()
    """Numbers of pieces that it takes; none: the task's `max_length` alone. Shorter texts are
    padded. Several become enumerated shapes; open ranges are never written, as they keep a model
    off the Neural Engine."""


class LiteRt(ArtifactSection):
    """A LiteRT (TensorFlow Lite) file."""

    suffix: ClassVar[str] = "tflite"

    format: Literal["litert"]
    scheme: Literal["fp32", "fp16", "int8-dynamic"] = "int8-dynamic"


NextItemArtifact = Annotated[
    Onnx | Ort | TensorRtRtx | TensorRt | CoreMl | LiteRt, Field(discriminator="format")
]
TextArtifact = Annotated[
    OnnxText | OrtText | TensorRtRtx | TensorRt | CoreMlText | LiteRt, Field(discriminator="format")
]
