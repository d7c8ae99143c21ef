import pytest
import torch
from torch.testing import assert_close

from compress.students.mean_pooled import MeanPooledStudent

SIZES = {"width": 6, "hidden": (6, 6, 4), "residual": False, "dropout": 0.5}
GIVEN = {"pieces": 30, "outputs": 3, "max_length": 16, "padding_id": 0}


@pytest.fixture
def model() -> MeanPooledStudent:
    torch.manual_seed(0)
    return MeanPooledStudent(**SIZES, **GIVEN).eval()


def answer(model, *rows, types=None):
    longest = max(map(len, rows))
    ids = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    return model(ids, mask, torch.zeros_like(ids) if types is None else types).logits


def test_a_linear_model_by_hand():
    """Pieces 1 and 2 are (4, 0) and (0, 2): their mean (2, 1) is (1, -1) when normalised."""
    model = MeanPooledStudent(
        width=2, hidden=(), residual=False, dropout=0.0, pieces=3, outputs=1, max_length=8,
        padding_id=0,
    ).eval()  # fmt: skip
    with torch.no_grad():
        model.words.weight.copy_(torch.tensor([[0.0, 0.0], [4.0, 0.0], [0.0, 2.0]]))
        model.output.weight.copy_(torch.tensor([[3.0, 1.0]]))
        model.output.bias.fill_(0.5)
    assert answer(model, [1, 2]).item() == pytest.approx(3 - 1 + 0.5, abs=1e-4)
    assert answer(model, [2, 2]).item() == pytest.approx(-3 + 1 + 0.5, abs=1e-4)


def test_padding_and_order_change_no_answer(model):
    together = answer(model, [4, 5, 6], [7, 8, 9, 4, 5])
    assert_close(together[0], answer(model, [6, 4, 5])[0])
    assert_close(together[1], answer(model, [7, 8, 9, 4, 5])[0])


def test_the_second_text_is_scaled_by_a_vector_of_its_own(model):
    types = torch.tensor([[0, 1]])
    assert_close(answer(model, [4, 5], types=types), answer(model, [4, 5]))  # all 1 at first
    with torch.no_grad():
        model.segments.weight[1] = torch.tensor([1.0, 2.0, 3.0, 0.0, 1.0, 1.0])
    assert not torch.allclose(answer(model, [4, 5], types=types), answer(model, [4, 5]))


def test_residual_adds_a_layers_input_where_widths_are_equal():
    torch.manual_seed(0)
    model = MeanPooledStudent(**{**SIZES, "residual": True}, **GIVEN).eval()
    with torch.no_grad():
        for layer in model.hidden[:2]:
            layer.weight.zero_()
            layer.bias.zero_()
    # The first two layers answer 0 and pass on what they read; the third is narrower.
    normal = model.norm(model.words(torch.tensor([[4, 5]])).mean(dim=1))
    expected = model.output(torch.relu(model.hidden[2](normal)))
    assert_close(answer(model, [4, 5]), expected)


def test_there_are_no_features(model):
    ids = torch.tensor([[4, 5]])
    given = model(ids, torch.ones_like(ids), torch.zeros_like(ids), features=True)
    assert given.hidden_states == given.attentions == ()
    assert given.logits.shape == (1, model.outputs)
