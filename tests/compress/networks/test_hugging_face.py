from typing import Any

import pytest
import torch
import transformers
from torch.testing import assert_close

from compress.networks.hugging_face import HuggingFaceModel

SMALL = {"vocab_size": 30, "num_labels": 3}
USUAL = {
    **SMALL,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": 20,
}
CONFIGS: dict[str, dict[str, Any]] = {
    "Bert": USUAL,
    "Electra": {**USUAL, "embedding_size": 8},
    "DebertaV2": USUAL,
    "Albert": {**USUAL, "embedding_size": 8},
    "MobileBert": {**USUAL, "intra_bottleneck_size": 8, "embedding_size": 8},
    "DistilBert": {
        **SMALL,
        "dim": 16,
        "n_layers": 2,
        "n_heads": 2,
        "hidden_dim": 24,
        "max_position_embeddings": 20,
    },
    # These count positions from the padding's id + 1, and know one token type or none.
    "Roberta": {**USUAL, "type_vocab_size": 1, "max_position_embeddings": 22},
    "MPNet": {**USUAL, "max_position_embeddings": 22},
}
IDS = torch.tensor([[2, 8, 9, 7, 3], [2, 5, 3, 1, 1]])
MASK = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
TYPES = torch.tensor([[0, 0, 1, 1, 1], [0, 0, 0, 0, 0]])


def build(architecture: str) -> HuggingFaceModel:
    torch.manual_seed(0)
    library: Any = transformers
    config = getattr(library, f"{architecture}Config")(**CONFIGS[architecture])
    model = library.AutoModelForSequenceClassification.from_config(
        config, attn_implementation="eager"
    )
    return HuggingFaceModel(model).eval()


@pytest.mark.parametrize("architecture", CONFIGS)
def test_every_architecture_answers_with_logits_states_and_attentions(architecture):
    model = build(architecture)
    answer = model(IDS, MASK, TYPES, features=True)
    assert answer.logits.shape == (2, model.outputs) == (2, 3)
    assert [state.shape for state in answer.hidden_states] == [(2, 5, 16)] * 3
    assert [attention.shape for attention in answer.attentions] == [(2, 2, 5, 5)] * 2
    plain = model(IDS, MASK, TYPES)
    assert plain.hidden_states == plain.attentions == ()
    assert_close(plain.logits, answer.logits)


@pytest.mark.parametrize("architecture", CONFIGS)
def test_layers_and_embeddings_are_found_by_structure(architecture):
    model = build(architecture)
    layers = 1 if architecture == "Albert" else 2  # ALBERT shares one among all depths
    assert len(model.layers()) == layers
    words = model.word_embeddings().weight
    assert words.shape[0] == 30
    assert any(parameter is words for parameter in model.embeddings().parameters())
    inside = {id(one) for layer in model.layers() for one in layer.parameters()}
    assert inside.isdisjoint({id(one) for one in model.embeddings().parameters()})


@pytest.mark.parametrize("architecture", CONFIGS)
def test_the_output_layer_gives_the_logits(architecture):
    model = build(architecture)
    before = model(IDS, MASK, TYPES).logits
    with torch.no_grad():
        model.output_layer().bias += torch.tensor([1.0, 2.0, 3.0])
    after = model(IDS, MASK, TYPES).logits
    assert_close(after - before, torch.tensor([[1.0, 2.0, 3.0]] * 2))


@pytest.mark.parametrize("architecture", CONFIGS)
def test_the_longest_text_can_be_read(architecture):
    model = build(architecture)
    longest = 20 if model.longest is None else model.longest
    assert longest == 20
    ids = torch.full((1, longest), 5)
    assert model(ids, torch.ones_like(ids), torch.zeros_like(ids)).logits.isfinite().all()


@pytest.mark.parametrize("architecture", CONFIGS)
def test_padding_changes_no_answer(architecture):
    model = build(architecture)
    together = model(IDS, MASK, TYPES).logits[1]
    alone = model(IDS[1:, :3], MASK[1:, :3], TYPES[1:, :3]).logits[0]
    if architecture == "MobileBert":
        # It reads the vectors of neighbours (trigrams), of which padding's is zero, like none.
        assert not model.word_embeddings().weight[0].any()
        ids = IDS.masked_fill(MASK == 0, 0)
        together = model(ids, MASK, TYPES).logits[1]
    assert_close(together, alone, atol=1e-5, rtol=1e-4)


def test_token_types_go_to_models_that_know_two():
    bert, roberta = build("Bert"), build("Roberta")
    no_types = torch.zeros_like(TYPES)
    assert not torch.equal(bert(IDS, MASK, TYPES).logits, bert(IDS, MASK, no_types).logits)
    assert torch.equal(roberta(IDS, MASK, TYPES).logits, roberta(IDS, MASK, no_types).logits)
