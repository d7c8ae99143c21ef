import math
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from compress.networks.causal_transformer import CausalAttention, CausalTransformer

WIDTH, LENGTH = 8, 6


def transformer(layers: int = 2, dropout: float = 0.0) -> CausalTransformer:
    torch.manual_seed(0)
    network = CausalTransformer(
        width=WIDTH, layers=layers, heads=2, dropout=dropout, history_length=LENGTH
    )
    for parameter in network.parameters():  # Fresh weights are so small that faults would hide.
        nn.init.normal_(parameter, std=0.5)
    return network.eval()


def embed(history: Tensor) -> Tensor:
    table = torch.randn(50, WIDTH, generator=torch.Generator().manual_seed(1))
    return table[history]


def states(network: CausalTransformer, history: Tensor) -> Tensor:
    with torch.no_grad():
        result: Tensor = network(embed(history), history)
        return result


def test_attention_is_the_mean_of_what_it_sees_when_all_scores_are_equal() -> None:
    attention = CausalAttention(width=2, heads=1, dropout=0.0, length=3)
    with torch.no_grad():
        for parameter in attention.parameters():
            nn.init.zeros_(parameter)
        attention.key_value.weight[2:] = torch.eye(2)  # values are the inputs, keys are 0
        attention.output.weight.copy_(torch.eye(2))
    # The distance bias is 0 as well.
    x = torch.tensor([[[3.0, 0.0], [1.0, 2.0], [5.0, 4.0]]])
    mask = torch.ones(1, 1, 3, 3).triu(1) * -1e4
    expected = [[3.0, 0.0], [2.0, 1.0], [3.0, 2.0]]
    torch.testing.assert_close(attention(x, mask)[0], torch.tensor(expected))
    torch.testing.assert_close(
        attention(x, mask[:, :, -1:], last_only=True)[0], torch.tensor(expected[-1:])
    )


def test_a_fresh_attention_prefers_recent_items() -> None:
    attention = CausalAttention(width=2, heads=1, dropout=0.0, length=3)
    with torch.no_grad():
        for linear in (attention.query, attention.key_value, attention.output):
            nn.init.zeros_(linear.weight)
            nn.init.zeros_(linear.bias)
        attention.key_value.weight[2:] = torch.eye(2)
        attention.output.weight.copy_(torch.eye(2))
    x = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]])
    answer = attention(x, torch.zeros(1, 1, 1, 3), last_only=True)[0, 0]
    # Scores -0.5, -0.25, 0 for the distances 2, 1, 0.
    total = math.exp(-0.5) + math.exp(-0.25) + 1
    expected = torch.tensor([math.exp(-0.5), math.exp(-0.25)]) / total
    torch.testing.assert_close(answer, expected)


def test_heads_begin_with_different_memories() -> None:
    attention = CausalAttention(width=6, heads=3, dropout=0.0, length=3)
    # Slopes 0.25, sqrt(0.25 * 0.05), 0.05.
    middle = math.sqrt(0.25 * 0.05)
    expected = torch.tensor([[0.0, -0.25, -0.5], [0.0, -middle, -2 * middle], [0.0, -0.05, -0.1]])
    torch.testing.assert_close(attention.distance_bias.detach(), expected)


def test_attention_weighs_by_scaled_dot_products() -> None:
    attention = CausalAttention(width=4, heads=1, dropout=0.0, length=2)
    with torch.no_grad():
        for parameter in attention.parameters():
            nn.init.zeros_(parameter)
        attention.query.weight.copy_(torch.eye(4))
        attention.key_value.weight.copy_(torch.cat([torch.eye(4), torch.eye(4)]))
        attention.output.weight.copy_(torch.eye(4))
    x = torch.tensor([[[2.0, 0.0, 0.0, 0.0], [0.0, 4.0, 0.0, 0.0]]])
    # The second position's scores: 0 with the first, 16 / sqrt(4) = 8 with itself.
    own = math.exp(8) / (math.exp(8) + 1)
    answer = attention(x, torch.zeros(1, 1, 2, 2))[0, 1]
    torch.testing.assert_close(answer, torch.tensor([2 * (1 - own), 4 * own, 0.0, 0.0]))


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("changed", range(1, LENGTH))
def test_no_state_sees_a_later_item(layers: int, changed: int) -> None:
    network = transformer(layers)
    before = torch.tensor([[7, 3, 9, 4, 8, 5]])
    after = before.clone()
    after[0, changed] = 20
    a, b = states(network, before), states(network, after)
    torch.testing.assert_close(a[:, :changed], b[:, :changed], rtol=0, atol=0)
    assert (a[:, changed:] - b[:, changed:]).abs().amax(-1).min() > 1e-3


def test_padding_is_never_seen() -> None:
    network = transformer()
    history = torch.tensor([[0, 0, 0, 4, 8, 5]])
    embedded = embed(history)
    other_padding = embedded.clone()
    other_padding[:, :3] = 100.0
    with torch.no_grad():
        a, b = network(embedded, history), network(other_padding, history)
    torch.testing.assert_close(a[:, 3:], b[:, 3:], rtol=0, atol=0)


def test_same_items_have_the_same_state_wherever_they_stand() -> None:
    network = transformer()
    at_the_end = states(network, torch.tensor([[0, 0, 0, 4, 8, 5]]))[:, 3:]
    at_the_start = states(network, torch.tensor([[4, 8, 5, 9, 9, 9]]))[:, :3]
    torch.testing.assert_close(at_the_end, at_the_start)


def test_order_matters() -> None:
    network = transformer(layers=1)
    a = states(network, torch.tensor([[0, 0, 0, 4, 8, 5]]))[:, -1]
    b = states(network, torch.tensor([[0, 0, 0, 8, 4, 5]]))[:, -1]
    assert (a - b).abs().max() > 1e-3


def test_same_items_have_same_state_whatever_the_length_of_the_padding() -> None:
    short = CausalTransformer(width=WIDTH, layers=2, heads=2, dropout=0.0, history_length=3).eval()
    long = transformer()
    weights = long.state_dict()
    for name in weights:
        if name.endswith("distance_bias"):
            weights[name] = weights[name][:, :3]
    short.load_state_dict(weights)
    padded = states(long, torch.tensor([[0, 0, 0, 4, 8, 5]]))[:, -3:]
    torch.testing.assert_close(padded, states(short, torch.tensor([[4, 8, 5]])))


@pytest.mark.parametrize("layers", [1, 2])
@settings(deadline=None, max_examples=25)
@given(
    items=st.lists(
        st.lists(st.integers(1, 49), min_size=0, max_size=LENGTH), min_size=1, max_size=4
    )
)
def test_last_is_the_last_of_all_states(layers: int, items: list[list[int]]) -> None:
    network = transformer(layers)
    history = torch.tensor([[0] * (LENGTH - len(row)) + row for row in items])
    with torch.no_grad():
        last = network.last(embed(history), history)
    torch.testing.assert_close(last, states(network, history)[:, -1], rtol=0, atol=1e-5)


def test_an_empty_history_has_a_finite_state_and_gradient() -> None:
    network = transformer()
    history = torch.zeros(1, LENGTH, dtype=torch.int64)
    embedded = torch.zeros(1, LENGTH, WIDTH, requires_grad=True)
    network.last(embedded, history).sum().backward()
    assert torch.isfinite(states(network, history)).all()
    assert embedded.grad is not None
    assert torch.isfinite(embedded.grad).all()


def test_impossible_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="width: 10 is not divisible by heads: 4"):
        CausalTransformer(width=10, layers=1, heads=4, dropout=0.0, history_length=5)
    with pytest.raises(ValueError, match="layers: 0"):
        CausalTransformer(width=8, layers=0, heads=4, dropout=0.0, history_length=5)


class Deployed(nn.Module):
    def __init__(self, network: CausalTransformer) -> None:
        super().__init__()
        self.network = network
        self.table = nn.Parameter(
            torch.randn(50, WIDTH, generator=torch.Generator().manual_seed(1))
        )

    def forward(self, history: Tensor) -> Tensor:
        return self.network.last(nn.functional.embedding(history, self.table), history)


HISTORIES = torch.tensor(
    [[7, 3, 9, 4, 8, 5], [0, 0, 0, 0, 0, 6], [0, 0, 0, 0, 0, 0]], dtype=torch.int32
)


def test_it_traces_and_the_trace_takes_other_histories_and_batches() -> None:
    model = Deployed(transformer()).eval()
    traced = torch.jit.trace(model, HISTORIES[:1])
    torch.testing.assert_close(traced(HISTORIES), model(HISTORIES))


@pytest.mark.parametrize("dynamo", [False, True])
def test_it_exports_to_onnx_with_a_free_batch_size(dynamo: bool, tmp_path: Path) -> None:
    model = Deployed(transformer()).eval()
    path = tmp_path / "model.onnx"
    names = {"input_names": ["history"], "output_names": ["state"]}
    if dynamo:
        batch = torch.export.Dim("batch")
        torch.onnx.export(
            model, (HISTORIES,), path, dynamo=True, dynamic_shapes=({0: batch},), **names
        )
    else:
        axes = {"history": {0: "batch"}, "state": {0: "batch"}}
        torch.onnx.export(
            model,
            (HISTORIES,),
            str(path),
            dynamo=False,
            opset_version=17,
            dynamic_axes=axes,
            **names,
        )
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for history in (HISTORIES, HISTORIES[:1], HISTORIES.repeat(3, 1)):
        (answer,) = session.run(None, {"history": history.numpy()})
        np.testing.assert_allclose(answer, model(history).detach().numpy(), atol=1e-5)
