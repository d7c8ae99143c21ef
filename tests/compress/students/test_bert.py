import torch
from torch.testing import assert_close

from compress.students.bert import bert_student

SIZES = {"width": 24, "layers": 3, "heads": 4, "intermediate": 40, "dropout": 0.2}
GIVEN = {"pieces": 50, "outputs": 5, "max_length": 20, "padding_id": 1}


def test_sizes_are_as_asked_for():
    model = bert_student(**SIZES, **GIVEN)
    config = model.model.config
    assert len(model.layers()) == 3
    assert model.word_embeddings().weight.shape == (50, 24)
    assert (config.num_attention_heads, config.intermediate_size) == (4, 40)
    assert (model.outputs, model.longest, config.pad_token_id) == (5, 20, 1)
    assert {one.p for one in model.modules() if isinstance(one, torch.nn.Dropout)} == {0.2}
    wide = bert_student(**{**SIZES, "intermediate": None}, **GIVEN)
    assert wide.model.config.intermediate_size == 4 * 24


def test_attention_is_computed_eagerly():
    model = bert_student(**SIZES, **GIVEN).eval()
    ids = torch.tensor([[2, 7, 8, 3]])
    answer = model(ids, torch.ones_like(ids), torch.zeros_like(ids), features=True)
    assert len(answer.attentions) == 3
    assert_close(answer.attentions[0].sum(dim=-1), torch.ones(1, 4, 4))


def test_the_second_text_and_the_mask_are_read():
    torch.manual_seed(0)
    model = bert_student(**SIZES, **GIVEN).eval()
    ids, ones, zeros = torch.tensor([[2, 7, 3, 1]]), torch.ones(1, 4).long(), torch.zeros(1, 4)
    types = torch.tensor([[0, 0, 1, 1]])
    mask = torch.tensor([[1, 1, 1, 0]])
    plain = model(ids, ones, zeros.long()).logits
    assert not torch.allclose(model(ids, ones, types).logits, plain)
    short = model(ids[:, :3], ones[:, :3], zeros.long()[:, :3]).logits
    assert_close(model(ids, mask, zeros.long()).logits, short)


def test_the_same_seed_gives_the_same_weights():
    torch.manual_seed(3)
    first = bert_student(**SIZES, **GIVEN).state_dict()
    torch.manual_seed(3)
    assert_close(first, bert_student(**SIZES, **GIVEN).state_dict(), atol=0, rtol=0)
