"""The two builders of engines, TensorRT-RTX and TensorRT, driven through Polygraphy.

Polygraphy looks once, when it is imported, which of the two it drives. Where a process needs both,
it is imported anew.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from io import StringIO
from types import ModuleType
from typing import Any

from export.quiet import quietly
from export.tensorrt.description import Range


class BuildError(Exception):
    """The library refuses a graph; the message is its first own error, in one line."""


@dataclass(frozen=True)
class Library:
    """One of the two."""

    name: str
    package: str
    is_rtx: bool

    def load(self) -> Any:
        """Import the library's package.

        Raises:
            ImportError: It is not installed, or its native libraries cannot be loaded.
        """
        return import_module(self.package)

    @property
    def version(self) -> str:
        """Of the installed package."""
        return str(self.load().__version__)

    def polygraphy(self) -> ModuleType:
        """Return `polygraphy.backend.trt`, driving this library.

        Raises:
            ImportError: Polygraphy is not installed.
        """
        config = sys.modules.get("polygraphy.config")
        if config is not None and bool(config.USE_TENSORRT_RTX) != self.is_rtx:
            for name in [one for one in sys.modules if one.partition(".")[0] == "polygraphy"]:
                del sys.modules[name]
        os.environ["POLYGRAPHY_USE_TENSORRT_RTX"] = "1" if self.is_rtx else "0"
        logger = import_module("polygraphy.logger").G_LOGGER
        logger.module_severity = logger.ERROR
        return import_module("polygraphy.backend.trt")


RTX = Library("TensorRT-RTX", "tensorrt_rtx", is_rtx=True)
TENSORRT = Library("TensorRT", "tensorrt", is_rtx=False)


@dataclass(frozen=True)
class Network:
    """A graph as the library's parser reads it."""

    library: Library
    builder: Any
    """`trt.Builder`."""
    network: Any
    """`trt.INetworkDefinition`."""
    parser: Any
    """Holds the weights that the network refers to."""


def parse(library: Library, onnx_path: str) -> Network:
    """Read an ONNX file into a strongly typed network.

    Raises:
        BuildError: The parser refuses it.
    """
    backend = library.polygraphy()
    with own_errors():
        builder, network, parser = backend.network_from_onnx_path(onnx_path, strongly_typed=True)
    return Network(library, builder, network, parser)


def build(
    parsed: Network,
    shapes: Mapping[str, Range],
    *,
    capabilities: tuple[tuple[int, int], ...] | None = None,
    allow_tf32: bool,
    version_compatible: bool = False,
) -> bytes:
    """Build an engine with one optimization profile.

    Args:
        parsed: From `parse`.
        shapes: The profile, by input.
        capabilities: Major and minor compute capabilities; None: portable with TensorRT-RTX, this
            machine's GPU with TensorRT.
        allow_tf32: Whether fp32 products may round their factors to 10 bits.
        version_compatible: Whether later versions of TensorRT load the engine.

    Raises:
        BuildError: There is no kernel for something, or the builder fails.
    """
    backend = parsed.library.polygraphy()
    trt = parsed.library.load()
    profile = backend.Profile()
    for name, (least, best, most) in shapes.items():
        profile.add(name, least, best, most)
    create: Callable[[Any, Any], Any]
    if parsed.library.is_rtx:
        rtx = import_module("polygraphy.backend.tensorrt_rtx")
        create = rtx.CreateConfigRTX(
            profiles=[profile], compute_capabilities=list(capabilities) if capabilities else None
        )
    else:
        create = backend.CreateConfig(profiles=[profile], version_compatible=version_compatible)

    def config(builder: Any, network: Any) -> Any:
        made = create(builder, network)
        (made.set_flag if allow_tf32 else made.clear_flag)(trt.BuilderFlag.TF32)
        return made

    with own_errors():
        return bytes(
            backend.engine_bytes_from_network((parsed.builder, parsed.network), config=config)
        )


def inspect(library: Library, engine: bytes) -> str | None:
    """Return what the library says of an engine's layers, as JSON; None: it is not for this GPU.

    It takes a GPU.
    """
    backend, trt = library.polygraphy(), library.load()
    try:
        with own_errors():
            runtime = trt.Runtime(backend.get_trt_logger())
            runtime.engine_host_code_allowed = True  # it was built here
            loaded = backend.engine_from_bytes(engine, runtime=runtime)
            inspector = loaded.create_engine_inspector()
            return str(inspector.get_engine_information(trt.LayerInformationFormat.JSON))
    except BuildError:
        return None


@contextmanager
def own_errors() -> Iterator[None]:
    """Keep back what Polygraphy prints; of an error, keep the library's own words.

    Raises:
        BuildError: In place of Polygraphy's error, or one of the library's bindings.
        OSError: The disk is full, or the like.
        ImportError: A part of the library is missing.
    """
    said = StringIO()
    try:
        with quietly(), redirect_stdout(said):
            yield
    except (OSError, ImportError):
        raise
    except Exception as error:  # bindings raise of every kind
        first, *_ = str(error).splitlines() or [type(error).__name__]
        raise BuildError(_first_error(said.getvalue()) or first) from error


def _first_error(said: str) -> str | None:
    """Return the first error among Polygraphy's lines, without the places in its source code."""
    for line in said.splitlines():
        if line.startswith("[E]"):
            words = line.removeprefix("[E]").strip()
            words = re.sub(r"\s+In \w+ at /\S+?:\d+\)?", "", words)
            words = re.sub(r"\[[\w./]+:\d+:? ?\w*\] ", "", words)
            return re.sub(r"^I\w+::\w+: Error Code \d+: (Myelin \()?", "", words).rstrip(".")
    return None
