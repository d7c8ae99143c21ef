"""What can be written and run on this machine, and how to enable the rest."""

import platform
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any

from export.formats import FORMATS, Format, format_of
from export.source import Unsupported

_PORTABLE_FROM = 80
"""Compute capability from which portable engines run: Ampere's."""


@dataclass(frozen=True)
class Machine:
    """What of a machine decides."""

    system: str
    """`platform.system()`: Linux, Darwin, Windows."""
    processor: str
    """`platform.machine()`."""
    compute_capability: str | None = None
    """Of the first NVIDIA GPU, `sm89`; None: there is none."""


@cache
def this_machine() -> Machine:
    """Return the machine that this runs on."""
    from export.gpu import compute_capability

    return Machine(platform.system(), platform.machine(), compute_capability())


@dataclass(frozen=True)
class Target:
    """One format on one machine."""

    format: str
    target: str
    schemes: tuple[str, ...]
    can_emit: bool
    can_run: bool
    how: str
    """What stands in the way and how to enable it; empty where nothing does."""

    def to_json(self) -> dict[str, Any]:
        """Plain data for machines."""
        return {**self.__dict__, "schemes": list(self.schemes)}


def targets(machine: Machine | None = None) -> tuple[Target, ...]:
    """Every format that limbeck knows, on `machine` or this one; and the browser of this one."""
    here = machine or this_machine()
    return (*(_target(one, here) for one in FORMATS), _browser(here))


def _browser(machine: Machine) -> Target:
    """Return the row of ONNX files in a browser: no format of its own, another place to run one."""
    from export.browser.page import browser_obstacles

    onnx = _target(format_of("onnx"), machine)
    obstacles = browser_obstacles()
    emit = () if onnx.can_emit else (onnx.how,)
    return Target(
        format=onnx.format,
        target="browser",
        schemes=onnx.schemes,
        can_emit=onnx.can_emit,
        can_run=not obstacles,
        how="; ".join([*emit, *obstacles]),
    )


def _target(one: Format, machine: Machine) -> Target:
    emit, run = list(emit_obstacles(one, machine)), list(run_obstacles(one, machine))
    reasons = list(dict.fromkeys([*emit, *run]))
    if run and not emit and one.instead:
        reasons.append(f"here it is {one.instead}")
    return Target(
        format=one.name,
        target=one.target,
        schemes=one.schemes,
        can_emit=not emit,
        can_run=not run,
        how="; ".join(reasons),
    )


def require(one: Format, machine: Machine | None = None) -> None:
    """See that a format can be written on `machine` or this one.

    Raises:
        Unsupported: It cannot; the message says why not, and what can be had instead.
    """
    obstacles = list(emit_obstacles(one, machine or this_machine()))
    if obstacles:
        otherwise = [f"instead: {one.otherwise}"] if one.otherwise else []
        raise Unsupported("; ".join([*obstacles, *otherwise]))


def emit_obstacles(one: Format, machine: Machine) -> Iterator[str]:
    """What keeps a format from being written, in words."""
    yield from _elsewhere("written", one.emit_systems, machine)
    if one.emit_machines and machine.processor not in one.emit_machines:
        yield f"written on {one.emit_machines[0]} only, this is {machine.processor}"
    if one.gpu_to_emit and machine.compute_capability is None:
        yield "takes an NVIDIA GPU, and there is none"
    yield from _missing(one.emit_needs, one.enable)


def run_obstacles(one: Format, machine: Machine, device: str | None = None) -> Iterator[str]:
    """What keeps a format's own runtime from running a file here, in words.

    Args:
        one: The format.
        machine: Where it would run.
        device: What the file is made for; None: not looked at.
    """
    yield from _elsewhere("run", one.run_systems, machine)
    if one.gpu_to_run:
        yield from _gpu_obstacles(machine.compute_capability, device)
    yield from _missing(one.run_needs, one.enable)


def _gpu_obstacles(found: str | None, device: str | None) -> Iterator[str]:
    if found is None:
        yield "takes an NVIDIA GPU, and there is none"
    elif device == "portable" and int(found[2:]) < _PORTABLE_FROM:
        yield f"made for sm{_PORTABLE_FROM} and later, this GPU is {found}"
    elif device is not None and re.fullmatch(r"sm\d+", device) and device != found:
        yield f"made for {device}, this GPU is {found}"


def _elsewhere(what: str, systems: Sequence[str], machine: Machine) -> Iterator[str]:
    if machine.system not in systems:
        names = " and ".join({"Darwin": "macOS"}.get(one, one) for one in systems)
        yield f"{what} on {names} only"


def _missing(packages: Sequence[str], enable: str) -> Iterator[str]:
    missing = sorted({one for one in packages if find_spec(one) is None})
    if missing:
        yield f"{', '.join(missing)} not installed: {enable}"
