from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from compress.networks.sequence_model import catalogue_logits
from compress.recipe import TransformerStudent as StudentRecipe
from compress.students.transformer import TransformerStudent

ITEMS, LENGTH = 12, 5


def student(
    *, layers: int = 1, dropout: float = 0.0, hidden_items: float = 0.0
) -> TransformerStudent:
    torch.manual_seed(0)
    model = TransformerStudent(
        width=8,
        layers=layers,
        heads=2,
        dropout=dropout,
        items=ITEMS,
        history_length=LENGTH,
    )
    model.hidden_items = hidden_items
    return model


HISTORIES = torch.tensor([[2, 7, 9, 13, 5], [0, 0, 3, 1, 8], [0, 0, 0, 0, 0]], dtype=torch.int32)


@pytest.mark.parametrize("layers", [1, 2])
def test_last_state_is_the_last_of_all_states(layers: int) -> None:
    model = student(layers=layers).eval()
    torch.testing.assert_close(
        model.last_state(HISTORIES), model.states(HISTORIES)[:, -1], rtol=0, atol=1e-5
    )


def test_the_catalogue_is_scored_without_padding_and_unknown() -> None:
    model = student().eval()
    assert catalogue_logits(model, model.last_state(HISTORIES)).shape == (3, ITEMS)


def test_one_table_embeds_and_scores() -> None:
    model = student()
    table, _ = model.head()
    assert table is model.table
    assert model._embed(torch.tensor([[5]])).squeeze().tolist() == table[3].tolist()


def test_the_demo_student_has_68_thousand_parameters() -> None:
    recipe = StudentRecipe(kind="transformer")
    model = recipe.build(items=1682, history_length=50)
    # Items 1682 * (32 + 1); unknown 32; a layer: norms 2 * 64, attention 4 * (32 * 32 + 32)
    # and 2 * 50 distances, feed-forward 2 * 32 * 128 + 128 + 32; last norm 64.
    expected = 1682 * 33 + 32 + 128 + 4224 + 100 + 8352 + 64
    assert sum(parameter.numel() for parameter in model.parameters()) == expected


def test_training_teaches_a_sequence_by_heart() -> None:
    model = student()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.03)
    sequence = torch.tensor([[2, 9, 4, 11, 6, 3]])
    for _ in range(40):
        states = model.states(sequence[:, :-1])
        loss = functional.cross_entropy(catalogue_logits(model, states)[0], sequence[0, 1:] - 2)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimizer.step()
    best: Tensor = catalogue_logits(model, model.eval().states(sequence[:, :-1]))[0].argmax(-1)
    assert (best + 2).tolist() == [9, 4, 11, 6, 3]


def test_items_are_hidden_in_training_only() -> None:
    model = student(hidden_items=1.0)
    unknown = HISTORIES.clamp(max=1)
    torch.testing.assert_close(model.train().states(HISTORIES), model.states(unknown))
    model.eval()
    assert not torch.allclose(model.states(HISTORIES)[0], model.states(unknown)[0])


def test_the_unknown_code_is_trained_when_items_are_hidden() -> None:
    model = student(hidden_items=0.5)
    loss = model.states(HISTORIES)[:, -1].square().sum()
    loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    assert model.unknown.grad is not None
    assert model.unknown.grad.abs().sum() > 0


def test_a_seed_decides_weights_and_dropout() -> None:
    first, second = student(dropout=0.3), student(dropout=0.3)
    torch.manual_seed(5)
    a = first.states(HISTORIES)
    torch.manual_seed(5)
    torch.testing.assert_close(a, second.states(HISTORIES), rtol=0, atol=0)
    assert not torch.equal(a, second.states(HISTORIES))


def test_saved_weights_give_the_same_answers(tmp_path: Path) -> None:
    first, second = student().eval(), student().eval()
    torch.nn.init.normal_(second.table)
    torch.save(first.state_dict(), tmp_path / "student.pt")
    second.load_state_dict(torch.load(tmp_path / "student.pt", weights_only=True))
    torch.testing.assert_close(
        second.last_state(HISTORIES), first.last_state(HISTORIES), rtol=0, atol=0
    )
