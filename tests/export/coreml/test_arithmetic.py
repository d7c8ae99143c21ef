"""Every operation that computes gives what PyTorch gives."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from export.coreml.arithmetic import ARITHMETIC

RNG = np.random.default_rng(0)


def array(*shape):
    return RNG.normal(size=shape).astype(np.float32)


X, Y, POSITIVE = array(2, 5, 8), array(2, 5, 8), np.abs(array(2, 5, 8)) + 0.1
WEIGHT, BIAS = array(6, 8), array(6)

CASES = {
    "abs": ({"x": X}, torch.abs),
    "add": ({"x": X, "y": Y}, torch.add),
    "clip": ({"x": X, "alpha": -0.5, "beta": 0.5}, lambda x, a, b: x.clamp(a, b)),
    "cos": ({"x": X}, torch.cos),
    "elu": ({"x": X, "alpha": 0.7}, functional.elu),
    "equal": ({"x": X, "y": X.round()}, torch.eq),
    "erf": ({"x": X}, torch.erf),
    "exp": ({"x": X}, torch.exp),
    "floor": ({"x": X}, torch.floor),
    "floor_div": ({"x": X, "y": POSITIVE}, torch.floor_divide),
    "gelu": ({"x": X}, functional.gelu),
    "greater": ({"x": X, "y": Y}, torch.gt),
    "greater_equal": ({"x": X, "y": Y}, torch.ge),
    "inverse": ({"x": POSITIVE, "epsilon": 0.0}, lambda x, e: 1 / x),
    "leaky_relu": ({"x": X, "alpha": 0.1}, functional.leaky_relu),
    "less": ({"x": X, "y": Y}, torch.lt),
    "less_equal": ({"x": X, "y": Y}, torch.le),
    "linear": ({"x": X, "weight": WEIGHT, "bias": BIAS}, functional.linear),
    "log": ({"x": POSITIVE}, torch.log),
    "matmul": ({"x": X, "y": array(2, 8, 3)}, torch.matmul),
    "maximum": ({"x": X, "y": Y}, torch.maximum),
    "minimum": ({"x": X, "y": Y}, torch.minimum),
    "mod": ({"x": X, "y": POSITIVE}, torch.remainder),
    "mul": ({"x": X, "y": Y}, torch.mul),
    "not_equal": ({"x": X, "y": Y}, torch.ne),
    "pow": ({"x": POSITIVE, "y": Y}, torch.pow),
    "real_div": ({"x": X, "y": POSITIVE}, torch.div),
    "reduce_l2_norm": ({"x": X, "axes": np.array([1])}, lambda x, a: x.norm(dim=1)),
    "reduce_max": ({"x": X, "axes": np.array([1, 2])}, lambda x, a: x.amax((1, 2))),
    "reduce_mean": ({"x": X, "axes": np.array([-1])}, lambda x, a: x.mean(-1)),
    "reduce_min": ({"x": X, "axes": np.array([0])}, lambda x, a: x.amin(0)),
    "reduce_prod": ({"x": X, "axes": np.array([2])}, lambda x, a: x.prod(2)),
    "reduce_sum": (
        {"x": X, "axes": np.array([1]), "keep_dims": True},
        lambda x, a, k: x.sum(1, keepdim=True),
    ),
    "relu": ({"x": X}, torch.relu),
    "rsqrt": ({"x": POSITIVE}, torch.rsqrt),
    "sigmoid": ({"x": 20 * X}, torch.sigmoid),
    "silu": ({"x": X}, functional.silu),
    "sin": ({"x": X}, torch.sin),
    "softmax": ({"x": 30 * X, "axis": 1}, lambda x, a: x.softmax(a)),
    "softplus": ({"x": X}, functional.softplus),
    "sqrt": ({"x": POSITIVE}, torch.sqrt),
    "square": ({"x": X}, torch.square),
    "sub": ({"x": X, "y": Y}, torch.sub),
    "tanh": ({"x": X}, torch.tanh),
}
OWN_TESTS = {"conv", "einsum", "layer_norm", "scaled_dot_product_attention"}


def as_torch(value):
    return torch.from_numpy(value) if isinstance(value, np.ndarray) else value


@pytest.mark.parametrize("name", CASES)
def test_it_agrees_with_pytorch(name):
    inputs, function = CASES[name]

    given = ARITHMETIC[name](**inputs)

    expected = function(*(as_torch(value) for value in inputs.values())).numpy()
    assert given.shape == expected.shape
    np.testing.assert_allclose(given, expected, rtol=2e-5, atol=1e-6)


def test_every_operation_is_tested():
    assert set(CASES) | OWN_TESTS == set(ARITHMETIC)


@pytest.mark.parametrize("mode, option", [("TANH_APPROXIMATION", "tanh"), ("EXACT", "none")])
def test_gelu_has_its_modes(mode, option):
    expected = functional.gelu(torch.from_numpy(X), approximate=option).numpy()

    np.testing.assert_allclose(ARITHMETIC["gelu"](X, mode), expected, atol=1e-6)


def test_gelu_by_a_sigmoid_is_x_times_the_sigmoid_of_1_702_x():
    expected = X / (1 + np.exp(-1.702 * X))

    np.testing.assert_allclose(ARITHMETIC["gelu"](X, "SIGMOID_APPROXIMATION"), expected, atol=1e-6)


def test_layer_norm_scales_and_shifts_what_it_normalised():
    gamma, beta = array(8), array(8)

    given = ARITHMETIC["layer_norm"](X, np.array([-1]), gamma, beta, 1e-3)

    expected = functional.layer_norm(
        torch.from_numpy(X), (8,), torch.from_numpy(gamma), torch.from_numpy(beta), 1e-3
    )
    np.testing.assert_allclose(given, expected.numpy(), atol=1e-5)


@pytest.mark.parametrize("transpose_x", [False, True])
@pytest.mark.parametrize("transpose_y", [False, True])
def test_matmul_transposes_on_request(transpose_x, transpose_y):
    x, y = array(2, 4, 3), array(2, 3, 5)
    expected = x @ y

    given = ARITHMETIC["matmul"](
        x.swapaxes(1, 2) if transpose_x else x,
        y.swapaxes(1, 2) if transpose_y else y,
        transpose_x,
        transpose_y,
    )

    np.testing.assert_allclose(given, expected, atol=1e-6)


@pytest.mark.parametrize(
    "stride, padding, dilation, groups", [(1, 0, 1, 1), (2, 1, 1, 1), (1, 2, 2, 1), (2, 2, 1, 2)]
)
@pytest.mark.parametrize("dimensions", [1, 2])
def test_conv_agrees_with_pytorch(dimensions, stride, padding, dilation, groups):
    x = array(2, 4, *(9, 7)[:dimensions])
    weight, bias = array(6, 4 // groups, *(3, 2)[:dimensions]), array(6)

    given = ARITHMETIC["conv"](
        x,
        weight,
        bias,
        strides=np.array([stride] * dimensions),
        pad_type="custom",
        pad=np.array([padding] * 2 * dimensions),
        dilations=np.array([dilation] * dimensions),
        groups=groups,
    )

    function = functional.conv1d if dimensions == 1 else functional.conv2d
    tensors = (torch.from_numpy(one) for one in (x, weight, bias))
    expected = function(*tensors, stride, padding, dilation, groups).numpy()
    np.testing.assert_allclose(given, expected, atol=1e-5)


@pytest.mark.parametrize("length, stride", [(9, 1), (9, 2), (8, 3)])
def test_conv_padded_to_the_same_size_has_one_answer_a_stride(length, stride):
    x, weight = array(1, 2, length), array(3, 2, 3)

    given = ARITHMETIC["conv"](x, weight, strides=np.array([stride]), pad_type="same")
    lower = ARITHMETIC["conv"](x, weight, strides=np.array([stride]), pad_type="same_lower")

    assert given.shape == lower.shape == (1, 3, -(-length // stride))
    if stride == 1:
        expected = functional.conv1d(torch.from_numpy(x), torch.from_numpy(weight), padding="same")
        np.testing.assert_allclose(given, expected.numpy(), atol=1e-5)


@pytest.mark.parametrize("mask", [None, "boolean", "added"])
def test_attention_agrees_with_pytorch(mask):
    query, key, value = array(1, 2, 5, 4), array(1, 2, 6, 4), array(1, 2, 6, 3)
    given = {None: None, "boolean": array(5, 6) > -1, "added": array(1, 1, 5, 6)}[mask]

    answer = ARITHMETIC["scaled_dot_product_attention"](query, key, value, given)

    expected = functional.scaled_dot_product_attention(
        *(torch.from_numpy(one) for one in (query, key, value)), attn_mask=as_torch(given)
    )
    np.testing.assert_allclose(answer, expected.numpy(), atol=1e-6)


def test_einsum_agrees_with_pytorch():
    x, y = array(2, 3, 4, 5), array(2, 5, 4, 6)

    given = ARITHMETIC["einsum"]([x, y], "nchw,nwhu->nchu")

    expected = torch.einsum("nchw,nwhu->nchu", torch.from_numpy(x), torch.from_numpy(y))
    np.testing.assert_allclose(given, expected.numpy(), atol=1e-5)


def test_whole_numbers_are_divided_towards_zero():
    given = ARITHMETIC["real_div"](np.array([7, -7]), np.array([2, 2]))

    assert given.tolist() == [3, -3]
