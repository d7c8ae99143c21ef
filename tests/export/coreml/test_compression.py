"""Schemes compress tables and matrices, and leave what is small or added."""

import numpy as np
import pytest

from compress.recipe.artifacts import CoreMl
from export.coreml import compression
from export.coreml.emit import emit
from export.coreml.evaluate import load_program
from export.coreml.package import read_package
from export.source import Unsupported


def weights(emitted):
    """Operations that compressed weights come from, by their shapes, and other large constants."""
    found, plain = {}, {}
    for operation in load_program(read_package(emitted.path)).functions["main"].operations:
        output = operation.outputs[0]
        if operation.op_type.startswith("constexpr_"):
            found[tuple(output.shape)] = operation.op_type
        elif operation.op_type == "const" and np.size(output.val) > compression.LEAST_NUMBERS:
            users = {one.op_type for one in output.child_ops}
            if not any(user.startswith("constexpr_") for user in users):
                plain[output.name] = users
    return found, plain


@pytest.mark.parametrize(
    "scheme, target, operation",
    [
        ("int8-weight", "iOS17", "constexpr_affine_dequantize"),
        ("int8-weight", "iOS18", "constexpr_blockwise_shift_scale"),
        ("int4-weight", "iOS18", "constexpr_blockwise_shift_scale"),
        ("palettized-4", "iOS17", "constexpr_lut_to_dense"),
        ("palettized-6", "iOS17", "constexpr_lut_to_dense"),
    ],
)
def test_both_item_tables_and_the_wide_matrices_are_compressed(scheme, target, operation, emitted):
    found, plain = weights(emitted(scheme, target))

    assert found == dict.fromkeys([(302, 16), (64, 16), (16, 64)], operation)
    assert plain == {}


def test_fp16_and_fp32_compress_nothing(emitted):
    assert weights(emitted("fp16"))[0] == weights(emitted("fp32"))[0] == {}
    assert emitted("fp16").details["compressed_share"] == 0.0
    assert 0.8 < emitted("int8-weight").details["compressed_share"] < 1.0


def test_the_fewer_bits_the_smaller(emitted):
    bytes_of = {
        scheme: emitted(scheme, target).details["weights_bytes"]
        for scheme, target in [
            ("fp32", "iOS17"),
            ("fp16", "iOS17"),
            ("int8-weight", "iOS17"),
            ("palettized-6", "iOS17"),
            ("palettized-4", "iOS17"),
        ]
    }

    sizes = list(bytes_of.values())
    assert sizes == sorted(sizes, reverse=True)
    assert bytes_of["fp16"] < 0.55 * bytes_of["fp32"]
    assert bytes_of["int8-weight"] < 0.75 * bytes_of["fp16"]


@pytest.mark.parametrize("target", ["iOS16", "iOS17"])
def test_int4_needs_ios_18_and_the_message_says_what_there_is_instead(
    target, tiny_source, tmp_path
):
    wanted = CoreMl(format="coreml", scheme="int4-weight", target=target)

    with pytest.raises(Unsupported, match="set target: iOS18, or choose scheme: palettized-4"):
        emit(tiny_source, wanted, tmp_path)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "row, block", [(64, 32), (312, 26), (20, 20), (48, 24), (37, None), (6, None)]
)
def test_int4_blocks_divide_the_row(row, block):
    class Weight:
        val = np.zeros((4, row))
        child_ops = ()

    assert compression._block(Weight) == block
