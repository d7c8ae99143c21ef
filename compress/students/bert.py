"""A small BERT of any width, depth and heads."""

from typing import Any

from compress.networks.hugging_face import HuggingFaceModel


def bert_student(
    *,
    width: int,
    layers: int,
    heads: int,
    intermediate: int | None,
    dropout: float,
    pieces: int,
    outputs: int,
    max_length: int,
    padding_id: int,
) -> HuggingFaceModel:
    """Build a BERT classifier with random weights (Devlin et al. 2019).

    Args:
        width: Of a hidden state; divisible by `heads`.
        layers: Transformer layers.
        heads: Attention heads.
        intermediate: Width inside a layer's feed-forward network; None: four times `width`.
        dropout: On embeddings, attention weights, inside the layers and before the head.
        pieces: Size of the vocabulary.
        outputs: Classes, or 1 for a score.
        max_length: L, the longest text in pieces.
        padding_id: Id of the piece that fills up a batch.
    """
    import transformers

    library: Any = transformers  # its own annotations are incomplete
    config = library.BertConfig(
        vocab_size=pieces,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=4 * width if intermediate is None else intermediate,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
        max_position_embeddings=max_length,
        pad_token_id=padding_id,
        num_labels=outputs,
    )
    classifiers = library.AutoModelForSequenceClassification
    model = classifiers.from_config(config, attn_implementation="eager")
    return HuggingFaceModel(model)
