"""Operators that need more than a small graph to be met."""

import pytest

from benchmarks.roofline.cost import Value
from benchmarks.roofline.onnx_operators import onnx_operator_cost


def value(*shape, number="fp32", size=4, is_weight=False):
    count = 1
    for one in shape:
        count *= one
    return Value(shape, count * size, number, is_weight)


def weight(*shape, number="int8", size=1):
    return value(*shape, number=number, size=size, is_weight=True)


def cost(operator, inputs, outputs, domain="com.microsoft", **attributes):
    return onnx_operator_cost(operator, domain, inputs, outputs, attributes)


def test_dynamic_quantize_matmul_takes_floats_and_multiplies_in_int8():
    found = cost(
        "DynamicQuantizeMatMul",
        [value(1, 5, 3), weight(3, 7), weight(7, number="fp32", size=4)],
        [value(1, 5, 7)],
    )
    assert found.multiply_adds == {"int8": 105}
    assert found.weight_bytes == 21 + 28


def test_quantized_attention_projects_in_int8_and_pairs_in_fp32():
    found = cost(
        "QAttention",
        [value(1, 5, 8, number="int8", size=1), weight(8, 24), weight(24), None, None, None],
        [value(1, 5, 8)],
    )
    assert found.multiply_adds == {"int8": 5 * 8 * 24, "fp32": 2 * 5 * 5 * 8}


def test_attention_looks_back_at_the_past():
    past = value(2, 1, 2, 3, 4)
    found = cost(
        "Attention",
        [value(1, 5, 8), value(8, 24), value(24), None, past],
        [value(1, 5, 8)],
    )
    assert found.multiply_adds == {"fp32": 5 * 8 * 24 + 2 * 5 * (5 + 3) * 8}


def test_multi_head_attention_pairs_queries_with_keys():
    found = cost(
        "MultiHeadAttention",
        [value(1, 5, 8), value(1, 9, 8), value(1, 9, 8)],
        [value(1, 5, 8)],
    )
    assert found.multiply_adds == {"fp32": 2 * 5 * 9 * 8}


def test_packed_attention_is_not_understood_and_says_so():
    found = cost("MultiHeadAttention", [value(1, 5, 2, 3, 4)], [value(1, 5, 8)])
    assert not found.is_understood
    assert found.operator == "com.microsoft.MultiHeadAttention"
    assert found.activation_bytes == (120 + 40) * 4


@pytest.mark.parametrize(("level", "number"), [(0, "fp32"), (4, "int8")])
def test_weights_of_four_bits_multiply_as_the_accuracy_level_says(level, number):
    found = cost(
        "MatMulNBits",
        [value(2, 64), weight(10, 2, 16)],
        [value(2, 10)],
        N=10,
        K=64,
        accuracy_level=level,
    )
    assert found.multiply_adds == {number: 2 * 64 * 10}
    assert found.weight_bytes == 320


def test_a_fused_embedding_reads_the_rows_of_its_three_tables():
    tables = [weight(one, 8, number="fp32", size=4) for one in (1000, 64, 2)]
    ids = value(1, 5, number=None)
    norm = weight(8, number="fp32", size=4)
    found = cost("EmbedLayerNormalization", [ids, ids, *tables, norm, norm], [value(1, 5, 8)])
    assert found.weight_bytes == (5 + 5 + 2) * 8 * 4 + 2 * 8 * 4  # a table of 2 rows has no 5
    assert found.multiply_adds == {}


def test_a_transposed_convolution_sends_each_number_through_one_filter():
    found = cost(
        "ConvTranspose",
        [value(1, 4, 5, 5), value(4, 3, 2, 2, is_weight=True)],
        [value(1, 3, 10, 10)],
        domain="",
    )
    assert found.multiply_adds == {"fp32": 4 * 25 * 3 * 4}


def test_an_einsum_of_two_factors_multiplies_over_all_letters():
    found = cost("Einsum", [value(2, 3, 4), value(2, 4, 5)], [value(2, 3, 5)],
                 domain="", equation="bij,bjk->bik")  # fmt: skip
    assert found.multiply_adds == {"fp32": 2 * 3 * 4 * 5}


@pytest.mark.parametrize(
    ("operator", "domain"), [("WordpieceTokenizer", "ai.onnx.contrib"), ("LabelEncoder", "")]
)
def test_a_tokenizer_multiplies_nothing_and_is_marked(operator, domain):
    found = cost(operator, [value(3, number=None)], [value(3, number=None)], domain=domain)
    assert found.reads_text
    assert found.is_understood
    assert found.multiply_adds == {}
