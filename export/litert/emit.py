"""Writing the student as a LiteRT file: fp32, weights in fp16, or dynamic int8."""

from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

from compress.recipe.artifacts import LiteRt
from export.quiet import quietly
from export.source import DeploySource, Emitted


def emit(source: DeploySource, wanted: LiteRt, folder: Path) -> Emitted:
    """Write a file that takes one example of `source.length` at a time.

    The conversion to fp32 takes a few seconds and is done once for all schemes. Signature:
    `serving_default`, whose inputs and outputs are called as `source.signature` does.

    Args:
        source: The student.
        wanted: The scheme.
        folder: Where the file goes.

    Raises:
        Unsupported: The converter does not know an operator.
    """
    from export.litert.flatbuffer import pack_model, read_model

    content = _fp32(source).read_bytes()
    if wanted.scheme == "fp32":
        model = read_model(content)
    else:
        model = read_model(_quantized(content, wanted.scheme))
        # Which runtime is new enough was found for the operators in fp32.
        model.metadata = [one for one in model.metadata if one.name != b"min_runtime_version"]
    path = folder / wanted.file_name
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes(pack_model(model))
    temporary.replace(path)
    return Emitted(path, _details(model, source))


def _fp32(source: DeploySource) -> Path:
    """Return the student in fp32 with its metadata, converted unless it has been."""
    path = source.scratch / "litert" / "student.fp32.tflite"
    if path.exists():
        return path
    from export.litert.conversion import convert
    from export.litert.flatbuffer import name_tensors, pack_model, put_metadata, read_model

    path.parent.mkdir(exist_ok=True)
    partial = path.with_name("partial.tflite")
    convert(source, partial)
    model = read_model(partial.read_bytes())
    name_tensors(model)
    about = (source.about.name, source.about.author, source.about.licence)
    put_metadata(model, source.signature.metadata(), ", ".join(filter(None, about)))
    partial.write_bytes(pack_model(model))
    return partial.replace(path)


def _quantized(content: bytes, scheme: str) -> bytes:
    """Quantize every operator that has weights, embeddings among them, by a scale a channel."""
    with quietly():
        from ai_edge_quantizer import quantizer, recipe, recipe_manager
        from ai_edge_quantizer.algorithm_manager import AlgorithmName
        from ai_edge_quantizer.qtyping import TFLOperationName

        if scheme == "int8-dynamic":
            rules = recipe.dynamic_wi8_afp32()
        else:
            manager = recipe_manager.RecipeManager()
            manager.add_weight_only_config(
                regex=".*",
                operation_name=TFLOperationName.ALL_SUPPORTED,
                num_bits=16,
                algorithm_key=AlgorithmName.FLOAT_CASTING,
            )
            rules = manager.get_quantization_recipe()
        result = quantizer.Quantizer(bytearray(content), rules).quantize()
    return bytes(result.quantized_model)


def _details(model: Any, source: DeploySource) -> dict[str, Any]:
    """What a reader of the report wants to know."""
    from ai_edge_litert import schema_py_generated as schema

    types = {number: name for name, number in vars(schema.TensorType).items() if name[0] != "_"}
    tensors = [tensor for graph in model.subgraphs for tensor in graph.tensors]
    sizes: Counter[str] = Counter()
    for buffer, number in {one.buffer: one.type for one in tensors}.items():
        data = model.buffers[buffer].data
        sizes[types[number].lower()] += 0 if data is None else len(data)
    operators = {number: name for name, number in vars(schema.BuiltinOperator).items()}
    used = {
        operators[max(one.builtinCode, one.deprecatedBuiltinCode)] for one in model.operatorCodes
    }
    return {
        "litert_torch": version("litert-torch"),
        "ai_edge_quantizer": version("ai-edge-quantizer"),
        "batch": 1,
        "length": source.length,
        "operators": sorted(used),
        **{f"{name}_bytes": size for name, size in sorted(sizes.items()) if size},
    }
