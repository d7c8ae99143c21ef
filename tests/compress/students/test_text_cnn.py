import pytest
import torch
from torch.testing import assert_close

from compress.students.text_cnn import TextCnnStudent

SIZES = {"width": 6, "filters": 5, "kernels": (2, 3, 4), "dropout": 0.5}
GIVEN = {"pieces": 30, "outputs": 3, "max_length": 16, "padding_id": 0}


@pytest.fixture
def model() -> TextCnnStudent:
    torch.manual_seed(0)
    return TextCnnStudent(**SIZES, **GIVEN).eval()


def answer(model, *rows, types=None):
    longest = max(map(len, rows))
    ids = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    return model(ids, mask, torch.zeros_like(ids) if types is None else types).logits


def test_one_filter_by_hand():
    """Word vectors 1, 2, 3 for pieces 1, 2, 3; a filter that adds two neighbours."""
    model = TextCnnStudent(
        width=1, filters=1, kernels=(2,), dropout=0.0, pieces=4, outputs=1, max_length=8,
        padding_id=0,
    ).eval()  # fmt: skip
    with torch.no_grad():
        model.words.weight[:, 0] = torch.tensor([0.0, 1.0, 2.0, 3.0])
        model.segments.weight.zero_()
        model.convolutions[0].weight.fill_(1.0)
        model.convolutions[0].bias.fill_(-1.0)
        model.output.weight.fill_(2.0)
        model.output.bias.fill_(0.5)
    # 1 3 1: pairs 4, 4, and 1 with the zero behind it; the largest less 1 is 3.
    assert answer(model, [1, 3, 1]).item() == pytest.approx(2 * 3 + 0.5)
    assert answer(model, [3, 2]).item() == pytest.approx(2 * 4 + 0.5)
    # A text of one piece is seen too.
    assert answer(model, [3]).item() == pytest.approx(2 * 2 + 0.5)


def test_padding_changes_no_answer(model):
    with torch.no_grad():
        for convolution in model.convolutions:
            convolution.bias += 1.0  # so that a filter over padding alone would answer
    together = answer(model, [4, 5], [6, 7, 8, 9, 4, 5, 6], [3])
    for row, alone in enumerate(([4, 5], [6, 7, 8, 9, 4, 5, 6], [3])):
        assert_close(together[row], answer(model, alone)[0])


def test_order_matters(model):
    assert not torch.allclose(answer(model, [4, 5, 6]), answer(model, [6, 4, 5]))


def test_the_second_text_is_told_from_the_first(model):
    types = torch.tensor([[0, 1, 1]])
    assert not torch.allclose(answer(model, [4, 5, 6]), answer(model, [4, 5, 6], types=types))


def test_there_are_no_features(model):
    ids = torch.tensor([[4, 5]])
    given = model(ids, torch.ones_like(ids), torch.zeros_like(ids), features=True)
    assert given.hidden_states == given.attentions == ()
    assert given.logits.shape == (1, model.outputs)


def test_padding_has_no_vector(model):
    assert not model.word_embeddings().weight[0].any()
    assert model.word_embeddings().weight.shape == (30, 6)
