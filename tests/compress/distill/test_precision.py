"""In which precision a network trains: as told, or as the machine allows."""

import pytest
import torch

from compress.distill.precision import choose_precision, cpu_precision
from compress.errors import UserError

no_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="for machines without a GPU")


@pytest.mark.parametrize("name", ["amx_bf16", "avx512_bf16"])
def test_a_cpu_that_computes_in_bf16_is_let_do_so(name):
    found = cpu_precision({"avx2": True, name: True})
    assert (found.name, found.plugin) == ("bf16", "bf16-mixed")
    assert found.reason == f"the CPU has {name}"


def test_one_that_would_emulate_it_is_not():
    found = cpu_precision({"avx2": True, "avx512_bf16": False})
    assert (found.name, found.plugin) == ("fp32", "32-true")


def test_the_recipe_decides_if_it_will():
    assert choose_precision("fp32").plugin == "32-true"
    assert choose_precision("bf16").plugin == "bf16-mixed"


@no_gpu
def test_auto_looks_at_this_cpu():
    assert choose_precision("auto") == cpu_precision(torch.cpu.get_capabilities())


@no_gpu
def test_fp16_needs_a_gpu():
    with pytest.raises(UserError, match=r"training\.precision: fp16 needs a CUDA GPU"):
        choose_precision("fp16")
