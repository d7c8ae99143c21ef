"""MobileBERT of any size: thin layers with bottlenecks."""

from typing import Any

from compress.networks.hugging_face import HuggingFaceModel


def mobilebert_student(
    *,
    width: int,
    bottleneck: int,
    embedding_width: int,
    layers: int,
    heads: int,
    intermediate: int,
    feed_forwards: int,
    dropout: float,
    pieces: int,
    outputs: int,
    max_length: int,
    padding_id: int,
) -> HuggingFaceModel:
    """Build a MobileBERT classifier with random weights (Sun et al. 2020).

    Layers are normalised (`layer_norm`), as in the paper's training. Its `no_norm`, made for speed
    after training, learned later from random weights in one trial: on reviews of clothes, 4 layers
    of 128 had a mean loss of 1.98 over steps 250 to 300 of 32 texts, and of 2.27 without norms.

    Args:
        width: Between the layers.
        bottleneck: Inside the layers; divisible by `heads`.
        embedding_width: Of the word table.
        layers: Transformer layers.
        heads: Attention heads.
        intermediate: Width inside a feed-forward network.
        feed_forwards: Feed-forward networks stacked in a layer.
        dropout: On embeddings, attention weights, inside the layers and before the head.
        pieces: Size of the vocabulary.
        outputs: Classes, or 1 for a score.
        max_length: L, the longest text in pieces.
        padding_id: Id of the piece that fills up a batch.
    """
    import transformers

    library: Any = transformers  # its own annotations are incomplete
    config = library.MobileBertConfig(
        vocab_size=pieces,
        hidden_size=width,
        intra_bottleneck_size=bottleneck,
        embedding_size=embedding_width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=intermediate,
        num_feedforward_networks=feed_forwards,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
        max_position_embeddings=max_length,
        pad_token_id=padding_id,
        normalization_type="layer_norm",
        num_labels=outputs,
    )
    classifiers = library.AutoModelForSequenceClassification
    model = classifiers.from_config(config, attn_implementation="eager")
    return HuggingFaceModel(model)
