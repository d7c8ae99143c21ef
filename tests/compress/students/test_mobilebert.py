import torch
from torch.testing import assert_close

from compress.students.mobilebert import mobilebert_student

SIZES = {
    "width": 48,
    "bottleneck": 16,
    "embedding_width": 24,
    "layers": 2,
    "heads": 4,
    "intermediate": 20,
    "feed_forwards": 3,
    "dropout": 0.0,
}
GIVEN = {"pieces": 50, "outputs": 6, "max_length": 20, "padding_id": 0}


def test_sizes_are_as_asked_for():
    model = mobilebert_student(**SIZES, **GIVEN)
    assert model.word_embeddings().weight.shape == (50, 24)
    layers = model.layers()
    assert len(layers) == 2
    shapes = {name: tuple(one.shape) for name, one in layers[0].named_parameters()}
    assert shapes["attention.self.query.weight"] == (16, 16)
    assert shapes["intermediate.dense.weight"] == (20, 16)
    assert shapes["output.bottleneck.dense.weight"] == (48, 16)
    inner = {name.split(".")[1] for name in shapes if name.startswith("ffn.")}
    assert inner == {"0", "1"}  # the third is the layer's own
    assert (model.outputs, model.longest) == (6, 20)


def test_states_are_as_wide_as_the_layers_and_attention_has_the_heads():
    model = mobilebert_student(**SIZES, **GIVEN).eval()
    ids = torch.tensor([[2, 7, 8, 3], [2, 3, 0, 0]])
    answer = model(ids, (ids != 0).long(), torch.zeros_like(ids), features=True)
    assert [state.shape[-1] for state in answer.hidden_states] == [48] * 3
    assert answer.attentions[0].shape == (2, 4, 4, 4)


def test_padding_changes_no_answer():
    torch.manual_seed(0)
    model = mobilebert_student(**SIZES, **GIVEN).eval()
    ids = torch.tensor([[2, 7, 3, 0, 0]])
    padded = model(ids, (ids != 0).long(), torch.zeros_like(ids)).logits
    short = model(ids[:, :3], torch.ones(1, 3).long(), torch.zeros(1, 3).long()).logits
    assert_close(padded, short)


def test_it_learns_from_random_weights():
    """Chance is 1.79 for six classes."""
    torch.manual_seed(0)
    model = mobilebert_student(**SIZES, **GIVEN).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    loss = torch.tensor(0.0)
    for _ in range(100):
        ids = torch.randint(20, 50, (32, 8))
        marks = torch.randint(0, 6, (32,))
        ids[:, 3] = marks + 10
        answer = model(ids, torch.ones_like(ids), torch.zeros_like(ids))
        loss = torch.nn.functional.cross_entropy(answer.logits, marks)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 1.2
