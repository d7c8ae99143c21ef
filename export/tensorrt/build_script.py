"""Builds an engine from student.onnx, on the device that will run it.

    python3 build.py [FOLDER]

It takes TensorRT's Python package (8.6 or later) and the GPU. The graph gives every tensor its
type; flags.json, beside this file, holds the rest. The engine goes into FOLDER, or
../student-engine, and with it a JSON file of its name: what an app must know of it.
"""

import hashlib
import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any


def build(folder: Path, into: Path) -> Path:
    """Build the engine of a folder and return where it is.

    Args:
        folder: Where this file is.
        into: Where the engine goes; made if it is not there.
    """
    into = into.resolve()
    if into == folder:
        raise SystemExit("this folder is checked as it is: choose another folder for the engine")
    flags = json.loads((folder / "flags.json").read_text())
    trt = import_module("tensorrt")
    logger = trt.Logger(trt.Logger.WARNING)
    builder = trt.Builder(logger)
    network = builder.create_network(creation_flags(trt))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse_from_file(str(folder / flags["onnx"])):
        said = "\n".join(str(parser.get_error(place)) for place in range(parser.num_errors))
        raise SystemExit(f"TensorRT {trt.__version__} cannot read {flags['onnx']}:\n{said}")
    engine = builder.build_serialized_network(network, configuration(trt, builder, flags))
    if engine is None:
        raise SystemExit(f"TensorRT {trt.__version__} cannot build {flags['onnx']}; see above")
    into.mkdir(parents=True, exist_ok=True)
    path: Path = into / flags["engine"]
    content = bytes(engine)
    path.write_bytes(content)
    about = {
        **flags["description"],
        "library_version": trt.__version__,
        "engine_bytes": len(content),
        "engine_sha256": hashlib.sha256(content).hexdigest(),
    }
    path.with_name(f"{path.name}.json").write_text(json.dumps(about, indent=2) + "\n")
    return path


def creation_flags(trt: Any) -> int:
    """Types as the graph has them, where this version can be told so; it is always so later."""
    known = trt.NetworkDefinitionCreationFlag.__members__
    wanted = ("EXPLICIT_BATCH", "STRONGLY_TYPED")
    return sum(1 << int(known[name]) for name in wanted if name in known)


def configuration(trt: Any, builder: Any, flags: dict[str, Any]) -> Any:
    """Return the builder's configuration."""
    config = builder.create_builder_config()
    if "STRONGLY_TYPED" not in trt.NetworkDefinitionCreationFlag.__members__:
        known = trt.BuilderFlag.__members__
        for name in flags["weakly_typed_flags"]:
            if name in known:
                config.set_flag(known[name])
    if not flags["tf32"]:
        config.clear_flag(trt.BuilderFlag.TF32)
    if flags["description"]["version_compatible"]:
        config.set_flag(trt.BuilderFlag.VERSION_COMPATIBLE)
    profile = builder.create_optimization_profile()
    for one in flags["description"]["inputs"]:
        profile.set_shape(one["name"], one["least"], one["best"], one["most"])
    config.add_optimization_profile(profile)
    return config


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    print(build(here, Path(sys.argv[1]) if sys.argv[1:] else here.parent / "student-engine"))
