"""The machine and the software that a measurement was made with.

Only what explains a figure: no host name, user name, path or address.
"""

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

PACKAGES = (
    "limbeck",
    "torch",
    "transformers",
    "optimum",
    "onnx",
    "onnxruntime",
    "onnxruntime-extensions",
    "coremltools",
    "tensorrt-rtx",
    "litert-torch",
    "ai-edge-litert",
    "openvino",
    "numpy",
    "scipy",
    "mlcommons-loadgen",
)
"""What writes files and answers queries, by the names that pip knows."""
SPEED_FLAGS = frozenset(
    {
        "avx2", "fma", "f16c", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_int8",
        "amx_bf16", "asimd", "asimddp", "i8mm", "bf16", "sve", "sve2",
    }
)  # fmt: skip
"""CPU features that change how fast, or how exactly, small networks run."""


@dataclass(frozen=True)
class Environment:
    """What a latency or an answer may depend on."""

    cpu: str
    cores: int
    """Logical cores that this process may use."""
    memory_gb: float
    """10^9 bytes."""
    system: str
    architecture: str
    python: str
    cpu_flags: tuple[str, ...]
    """Those of `SPEED_FLAGS` that the CPU has, sorted."""
    packages: dict[str, str]
    """Version of each of `PACKAGES`; what is not installed is missing."""
    kernel: str = ""
    """Release of the system's kernel."""
    is_virtual: bool | None = None
    """Whether it is a virtual machine; None: the processor does not say."""


def current_environment() -> Environment:
    """Return the environment of this process."""
    facts = dict(_cpu_facts())
    flags = facts.get("flags", "") or facts.get("Features", "")
    return Environment(
        cpu=facts.get("model name") or platform.processor() or platform.machine(),
        cores=_usable_cores(),
        memory_gb=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        system=_system(),
        architecture=platform.machine(),
        python=platform.python_version(),
        cpu_flags=tuple(sorted(SPEED_FLAGS.intersection(flags.split()))),
        packages=dict(_versions()),
        kernel=platform.release(),
        is_virtual="hypervisor" in facts["flags"].split() if "flags" in facts else None,
    )


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cpu_facts() -> Iterator[tuple[str, str]]:
    """Yield what /proc/cpuinfo says of the first core; nothing where there is no such file."""
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.exists():
        return
    for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
        if not line.strip():
            return
        name, _, value = line.partition(":")
        yield name.strip(), value.strip()


def _system() -> str:
    if platform.system() == "Darwin":
        return f"macOS {platform.mac_ver()[0]}"
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


def _versions() -> Iterator[tuple[str, str]]:
    for package in PACKAGES:
        try:
            yield package, metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
