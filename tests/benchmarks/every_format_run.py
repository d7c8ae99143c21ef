"""A next-item run that asks for every format, on a machine without a Mac's or a GPU's runtimes."""

from dataclasses import replace
from typing import Any

from benchmarks.measurement import CheckFigures, EmittedFile, Fidelity, Row
from benchmarks.report.build import Measured, ReportInputs
from export.artifact import NotWritten

from .next_item_run import measured, next_item_inputs

ORT = "ONNX Runtime 1.31.1 on the CPU"
ENGINE_FACTS = {
    "tensorrt_rtx": "1.7.1.14",
    "layers": 118,
    "profile": "history 1..8 × 50",
    "precision": "fp16",
    "engine_bytes": 2_462_332,
    "build_seconds": 9.231,
    "inspector": [f"__myl_FusedLayer{number}_myl0_{number}" for number in range(24)],
    "graph_agreement": 0.9995,
    "graph_max_abs_difference": 0.00214,
}
PACKAGE_FACTS = {
    "coremltools": "9.0",
    "compute_units": ["CPU", "GPU", "Neural Engine"],
    "shapes": ["history 1 × 50"],
    "kept_off_the_neural_engine": ["topk", "scatter_along_axis", "gather"],
    "minimum_system": "iOS17",
    "operations": 214,
    "weight_bytes": 244_480,
    "flexible_shapes": False,
}


def file(
    name: str,
    suffix: str,
    target: str,
    check: CheckFigures,
    *,
    checked: str = "run",
    checked_with: str | None = ORT,
    refused: str | None = None,
    details: dict[str, Any] | None = None,
    sidecars: tuple[str, ...] = (),
) -> EmittedFile:
    form, scheme, *_ = name.split()
    return EmittedFile(
        path=f"export/student.{scheme}.{suffix}",
        format=form,
        scheme=scheme,
        target=target,
        sha256="ef" * 32,
        usable=refused is None and checked != "parsed",
        check=check,
        checked=checked,
        checked_with=checked_with,
        refused_because=refused,
        details=details or {},
        sidecars=sidecars,
    )


def timed(name: str, suffix: str, target: str, *, p50: float, size: int, seed: int, **more: Any):
    """A file that its own runtime ran."""
    agreement = more.pop("agreement")
    difference = more.pop("difference")
    check = CheckFigures(256, agreement, difference, difference / 3, p50 / 900)
    return measured(
        name,
        "artifact",
        found=0.385,
        seed=seed,
        p50=p50,
        size=size,
        file=file(name, suffix, target, check, **more),
        fidelity=Fidelity(0.643, agreement, difference),
    )


def evaluated(name: str, *, size: int, agreement: float, difference: float, **more: Any):
    """A Core ML package off a Mac: quality, no latency."""
    check = CheckFigures(256, agreement, difference, difference / 3, 0.034)
    found = file(
        name,
        "iOS17.mlpackage",
        "iOS17",
        check,
        checked="evaluated",
        checked_with="coremltools 9.0, value inference of its MIL program",
        details=PACKAGE_FACTS,
        **more,
    )
    fidelity = Fidelity(0.642, agreement, difference)
    whole = measured(name, "artifact", found=0.384, seed=5, p50=1.0, size=size, fidelity=fidelity,
                     file=replace(found, checked="run"))  # fmt: skip
    return Measured(replace(whole.row, latency=None, file=found), whole.statistics)


def not_run(name: str, suffix: str, target: str, *, size: int, **more: Any) -> Measured:
    """A file without figures: one that was only parsed, or that broke down."""
    cases = 256 if more.get("checked") == "parsed" else 0
    check = CheckFigures(cases, None, None, None, None)
    found = file(name, suffix, target, check, **more)
    return Measured(Row(name, "artifact", size, None, None, file=found), None)


def every_format_inputs() -> ReportInputs:
    """Sixteen files asked for, thirteen written, eleven of them good."""
    plain = next_item_inputs()
    onnx = {"route": "torchscript", "opset": 17, "nodes": 57}
    mobile = {
        "onnxruntime": "1.31.1",
        "mobile_usability": "NNAPI: 3 partitions, 61% of nodes; CoreML: 2, 74% of nodes",
        "operators": [
            f"ai.onnx;17;{name}" for name in ("Add", "Gather", "MatMul", "TopK", "Where")
        ],
        "table_bytes": 109_000,
    }
    parsed = {"checked": "parsed", "details": ENGINE_FACTS}
    files = [
        timed("onnx fp32", "onnx", "onnxruntime-cpu", p50=0.053, size=526_000, seed=5,
              agreement=1.0, difference=2.1e-6, details=onnx),
        timed("onnx fp16", "onnx", "onnxruntime-cpu", p50=0.071, size=271_000, seed=5,
              agreement=0.9992, difference=0.0039, details=onnx),
        timed("onnx int8-dynamic", "onnx", "onnxruntime-cpu", p50=0.054, size=190_000, seed=7,
              agreement=0.972, difference=0.081, details=onnx),
        timed("onnx int8-static", "onnx", "onnxruntime-cpu", p50=0.066, size=204_000, seed=8,
              agreement=0.871, difference=0.71, details=onnx | {"calibration_cases": 512},
              refused="on average 0.871 of the student’s top 10 is in the file’s, at least 0.9 is "
              "wanted; a score differs by 0.71"),
        timed("ort int8-dynamic", "ort", "onnxruntime-mobile", p50=0.052, size=231_000, seed=7,
              agreement=0.972, difference=0.081, details=mobile,
              sidecars=("export/student.int8-dynamic.required_operators.config",)),
        timed("litert int8-dynamic", "tflite", "litert-cpu", p50=0.041, size=168_000, seed=9,
              agreement=0.969, difference=0.094, checked_with="LiteRT 2.3.0 on the CPU",
              details={"litert_torch": "0.10.1", "signature": "history 1 × 50"}),
        evaluated("coreml fp16 iOS17", size=283_000, agreement=0.9988, difference=0.0041),
        evaluated("coreml int8-weight iOS17", size=161_000, agreement=0.991, difference=0.031),
        evaluated("coreml palettized-4 iOS17", size=98_000, agreement=0.842, difference=1.4),
        not_run("tensorrt-rtx fp16 sm86", "sm86.rtx.engine", "sm86", size=2_462_332,
                checked_with=ORT, **parsed),
        not_run("tensorrt-rtx fp16 sm89", "sm89.rtx.engine", "sm89", size=2_494_008,
                checked_with=ORT, **parsed),
        not_run("tensorrt fp16 build-on-device", "build-on-device.tensorrt", "build-on-device",
                size=1_062_000, checked="parsed", checked_with=ORT,
                details={"flags": ["--fp16", "--minShapes=history:1x50"],
                         "graph_agreement": 1.0, "graph_max_abs_difference": 2.1e-6}),
        not_run("litert fp16", "tflite", "litert-cpu", size=275_000, checked_with=None,
                refused="it cannot be run: export/student.fp16.tflite: LiteRT does not know the "
                "operator SCATTER_ND version 7"),
    ]  # fmt: skip
    models = [one for one in plain.measured if one.row.role != "artifact"]
    return replace(
        plain,
        measured=[*models, *files],
        not_written=[
            NotWritten(
                "tensorrt fp16 this-gpu",
                "tensorrt",
                "fp16",
                "takes an NVIDIA GPU, and there is none",
                optional=True,
            ),
            NotWritten(
                "tensorrt-rtx fp16 sm61",
                "tensorrt-rtx",
                "fp16",
                "TensorRT-RTX 1.7.1 knows no compute capability sm61; it builds for sm75, sm80, "
                "sm86, sm89, sm120, sm121 and portable",
                optional=False,
            ),
        ],
    )
