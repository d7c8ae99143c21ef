import pytest
import torch
from torch import Tensor

from compress.networks.sequence_model import catalogue_logits
from compress.teachers.text_sequence import TextSequenceTeacher, standardised

ITEMS, LENGTH = 6, 4
TEXTS = torch.nn.functional.normalize(
    torch.randn(ITEMS, 10, generator=torch.Generator().manual_seed(3)), dim=1
)
HISTORIES = torch.tensor([[2, 7, 3, 4], [0, 0, 1, 5], [0, 0, 0, 0]])


def teacher(
    texts: Tensor | None = TEXTS, *, text_dropout: float = 0.0, seed: int = 0
) -> TextSequenceTeacher:
    torch.manual_seed(seed)
    model = TextSequenceTeacher(
        width=8,
        layers=2,
        heads=2,
        dropout=0.0,
        text_dropout=text_dropout,
        items=ITEMS,
        history_length=LENGTH,
        text_embeddings=texts,
    )
    model.hidden_items = 0.0
    return model.eval()


def test_standardised_texts_by_hand() -> None:
    # Column means 2 and 3; deviations -1, 1 and -2, 2; their mean square is (1+1+4+4)/4 = 2.5.
    result = standardised(torch.tensor([[1.0, 1.0], [3.0, 5.0]]))
    expected = torch.tensor([[-1.0, -2.0], [1.0, 2.0]]) / 2.5**0.5
    torch.testing.assert_close(result, expected)


def test_equal_texts_tell_nothing_apart_and_stay_finite() -> None:
    assert standardised(torch.ones(3, 2)).tolist() == [[0.0, 0.0]] * 3


def test_an_items_vector_is_its_row_plus_its_projected_text() -> None:
    model = teacher()
    assert model.projection is not None
    expected = model.table + standardised(TEXTS) @ model.projection.weight.T
    torch.testing.assert_close(model.item_table(), expected)
    torch.testing.assert_close(model.head()[0], expected)


def test_items_with_like_texts_start_with_like_vectors() -> None:
    texts = TEXTS.clone()
    texts[1] = texts[0]
    table = teacher(texts).item_table() - teacher(texts).table
    torch.testing.assert_close(table[0], table[1])
    assert not torch.allclose(table[0], table[2])


def test_without_texts_the_table_is_the_ids() -> None:
    model = teacher(None)
    assert model.item_table() is model.table
    assert catalogue_logits(model, model.last_state(HISTORIES)).shape == (3, ITEMS)


def test_texts_must_be_one_an_item() -> None:
    with pytest.raises(ValueError, match="5 text embeddings for 6 items"):
        teacher(TEXTS[:5])


def test_last_state_is_the_last_of_all_states() -> None:
    model = teacher()
    torch.testing.assert_close(
        model.last_state(HISTORIES), model.states(HISTORIES)[:, -1], rtol=0, atol=1e-5
    )


def test_the_cached_table_changes_no_answer_and_spares_the_projection() -> None:
    model = teacher(text_dropout=0.5)
    before = catalogue_logits(model, model.last_state(HISTORIES))
    model.cache_item_table()
    model.projection = None  # would raise if it were called
    torch.testing.assert_close(catalogue_logits(model, model.last_state(HISTORIES)), before)


def test_training_forgets_the_cached_table() -> None:
    model = teacher()
    model.cache_item_table()
    model.train()
    with torch.no_grad():
        model.table.add_(1.0)
    model.eval()
    torch.testing.assert_close(model.head()[0], model.item_table())


def test_text_dropout_acts_in_training_only() -> None:
    model = teacher(text_dropout=0.5)
    torch.testing.assert_close(model.item_table(), model.item_table(), rtol=0, atol=0)
    model.train()
    assert not torch.equal(model.item_table(), model.item_table())


def test_a_saved_teacher_brings_its_texts() -> None:
    first, second = teacher(), teacher(torch.zeros_like(TEXTS), seed=9)
    second.load_state_dict(first.state_dict())
    torch.testing.assert_close(
        second.last_state(HISTORIES), first.last_state(HISTORIES), rtol=0, atol=0
    )


def test_gradients_reach_ids_texts_bias_and_layers() -> None:
    model = teacher().train()
    labels = torch.tensor([0, 1, 2])
    loss = torch.nn.functional.cross_entropy(
        catalogue_logits(model, model.last_state(HISTORIES)), labels
    )
    loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
