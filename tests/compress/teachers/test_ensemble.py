import math

import pytest
import torch
from torch import Tensor, nn

from compress.students.transformer import TransformerStudent
from compress.teachers.ensemble import Ensemble
from compress.teachers.text_sequence import TextSequenceTeacher

HISTORIES = torch.tensor([[2, 7, 3, 4], [0, 0, 1, 5], [0, 0, 0, 0]])


class Fixed(nn.Module):
    """Gives the same probabilities after everything."""

    def __init__(self, probabilities: list[float], history_length: int = 4) -> None:
        super().__init__()
        self.items = len(probabilities)
        self.history_length = history_length
        self.bias = nn.Parameter(torch.tensor(probabilities).log() + 3.0)  # logits know no shift

    def states(self, history: Tensor) -> Tensor:
        return torch.ones(*history.shape, 1)

    def last_state(self, history: Tensor) -> Tensor:
        return self.states(history)[:, -1]

    def head(self) -> tuple[Tensor, Tensor]:
        return torch.zeros(self.items, 1), self.bias


def teacher(seed: int) -> TextSequenceTeacher:
    torch.manual_seed(seed)
    model = TextSequenceTeacher(
        width=8,
        layers=2,
        heads=2,
        dropout=0.0,
        text_dropout=0.0,
        items=6,
        history_length=4,
        text_embeddings=torch.randn(6, 5),
    )
    nn.init.normal_(model.table)
    return model.eval()


def test_probabilities_are_averaged_not_logits() -> None:
    ensemble = Ensemble([Fixed([0.9, 0.1]), Fixed([0.5, 0.5])])
    answer = ensemble.log_probabilities(HISTORIES[:1]).exp()
    torch.testing.assert_close(answer, torch.tensor([[0.7, 0.3]]))


def test_seen_items_take_no_part_in_a_members_weight() -> None:
    # Item 2 is seen. Over items 3 and 4 the members say 3/4, 1/4 and 1/4, 3/4: together a half
    # each, although the first has spent 0.6 of its probability on the seen item.
    ensemble = Ensemble([Fixed([0.6, 0.3, 0.1]), Fixed([0.2, 0.2, 0.6])], mask_seen=True)
    history = torch.tensor([[0, 0, 2, 2]])
    for answer in (
        ensemble.log_probabilities(history).exp(),
        ensemble.position_log_probabilities(history)[:, -1].exp(),
    ):
        torch.testing.assert_close(answer[:, 1:], torch.tensor([[0.5, 0.5]]))
    before = ensemble.position_log_probabilities(history)[0, 1].exp()  # nothing seen yet
    torch.testing.assert_close(before, torch.tensor([0.4, 0.25, 0.35]))


def test_one_member_is_itself() -> None:
    answer = Ensemble([Fixed([0.25, 0.75])]).log_probabilities(HISTORIES[:1])
    torch.testing.assert_close(answer, torch.tensor([[math.log(0.25), math.log(0.75)]]))


def test_the_last_position_is_the_same_asked_alone_or_among_all() -> None:
    ensemble = Ensemble([teacher(1), teacher(2), teacher(3)]).eval()
    everywhere = ensemble.position_log_probabilities(HISTORIES)
    assert everywhere.shape == (3, 4, 6)
    torch.testing.assert_close(everywhere.exp().sum(-1), torch.ones(3, 4))
    torch.testing.assert_close(
        ensemble.log_probabilities(HISTORIES), everywhere[:, -1], rtol=0, atol=1e-5
    )


def test_chosen_positions_come_in_their_order() -> None:
    ensemble = Ensemble([teacher(1), teacher(2)]).eval()
    wanted = torch.where(HISTORIES != 0)
    torch.testing.assert_close(
        ensemble.position_log_probabilities(HISTORIES, wanted),
        ensemble.position_log_probabilities(HISTORIES)[wanted],
    )


def test_cached_item_tables_change_no_answer() -> None:
    ensemble = Ensemble([teacher(1), teacher(2)])
    before = ensemble.log_probabilities(HISTORIES)
    ensemble.cache_item_tables()
    torch.testing.assert_close(ensemble.log_probabilities(HISTORIES), before)


def test_members_must_fit_together() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Ensemble([])
    with pytest.raises(ValueError, match="differ"):
        Ensemble([Fixed([0.5, 0.5]), Fixed([0.2, 0.3, 0.5])])
    with pytest.raises(ValueError, match="differ"):
        Ensemble([Fixed([0.5, 0.5]), Fixed([0.5, 0.5], history_length=9)])


def test_students_can_be_members_too() -> None:
    student = TransformerStudent(
        width=8, layers=1, heads=2, dropout=0.0, items=6, history_length=4
    ).eval()
    answer = Ensemble([student, teacher(1)]).log_probabilities(HISTORIES)
    torch.testing.assert_close(answer.exp().sum(-1), torch.ones(3))
