"""In which precision a network's forward pass is computed while it trains."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch

from compress.errors import UserError

Name = Literal["fp32", "bf16", "fp16"]
PluginName = Literal["32-true", "bf16-mixed", "16-mixed"]
_PLUGINS: dict[Name, PluginName] = {"fp32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}


@dataclass(frozen=True)
class Precision:
    """What was chosen: `reason` completes "as ..."."""

    name: Name
    reason: str

    @property
    def plugin(self) -> PluginName:
        """What Lightning calls it; weights and optimizer stay in fp32."""
        return _PLUGINS[self.name]


def choose_precision(wanted: Literal["auto", "fp32", "bf16", "fp16"]) -> Precision:
    """Choose the precision for this machine.

    `auto` is bf16 where the GPU, or without a GPU the CPU, computes in it (avx512_bf16, amx_bf16),
    else fp32: emulated bf16 is slower than fp32.

    Raises:
        UserError: fp16 without a CUDA GPU; it needs gradients to be scaled.
    """
    has_cuda = torch.cuda.is_available()
    if wanted == "fp16" and not has_cuda:
        raise UserError(
            "training.precision: fp16 needs a CUDA GPU, and there is none here; "
            "set training.precision: auto"
        )
    if wanted != "auto":
        return Precision(wanted, "the recipe says")
    if has_cuda:
        has_bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
        return Precision("bf16", "the GPU has it") if has_bf16 else _fp32("GPU")
    if torch.backends.mps.is_available():
        return Precision("fp32", "this GPU is Apple's")
    return cpu_precision(torch.cpu.get_capabilities())


def cpu_precision(capabilities: Mapping[str, Any]) -> Precision:
    """Choose by what a CPU can do, named as `torch.cpu.get_capabilities` does."""
    for name in ("amx_bf16", "avx512_bf16"):
        if capabilities.get(name, False):
            return Precision("bf16", f"the CPU has {name}")
    return _fp32("CPU")


def _fp32(device: str) -> Precision:
    return Precision("fp32", f"the {device} has no bf16")
