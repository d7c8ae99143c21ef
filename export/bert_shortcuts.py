"""A BERT without the work and the constants that a deployed one has no use for."""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from export.text_deploy import TextDeploy


class FirstPositionLayer(nn.Module):
    """A `BertLayer` whose answer is `[B, 1, W]`: that of the first piece.

    The pooler looks at no other: with two layers, leaving the others out saves nearly half of the
    work. What the first piece attends to is computed in full.
    """

    def __init__(self, layer: Any) -> None:
        """Take over the parts of `layer`."""
        super().__init__()
        self.layer = layer

    def forward(self, states: Tensor, mask: Tensor, *_: object, **__: object) -> tuple[Tensor]:
        """Return what `BertLayer` does, of the first piece alone.

        Args:
            states: `[B, L, W]`.
            mask: What is added to attention scores, `[B, 1, 1 or L, L]`.
        """
        attention, own = self.layer.attention, self.layer.attention.self
        first = states[:, :1]

        def heads(of: Tensor) -> Tensor:
            split = of.reshape(of.shape[0], -1, own.num_attention_heads, own.attention_head_size)
            return split.transpose(1, 2)

        query, key, value = (
            heads(own.query(first)),
            heads(own.key(states)),
            heads(own.value(states)),
        )
        scores = query @ key.transpose(2, 3) * own.attention_head_size**-0.5
        read = (scores + mask[:, :, :1]).softmax(dim=-1) @ value
        attended = attention.output(read.transpose(1, 2).flatten(2), first)
        return (self.layer.output(self.layer.intermediate(attended), attended),)


class NoTokenTypes(nn.Module):
    """In place of the embeddings of token types: adds nothing."""

    def forward(self, token_type_ids: Tensor) -> Tensor:
        """Return 0."""
        return torch.zeros(())


def with_shortcuts(module: nn.Module, *, is_pair: bool) -> nn.Module:
    """Return an equal copy of a deployed BERT that does less; any other module as it is.

    Args:
        module: In inference mode; a `TextDeploy` or another.
        is_pair: Whether token types differ; else theirs becomes part of the positions' table.
    """
    model = getattr(getattr(module, "network", None), "model", None)
    kind = getattr(getattr(model, "config", None), "model_type", None)
    if not isinstance(module, TextDeploy) or kind != "bert":
        return module
    changed = copy.deepcopy(module)
    bert = changed.network.model.bert
    bert.encoder.layer[-1] = FirstPositionLayer(bert.encoder.layer[-1])
    if not is_pair:
        with torch.no_grad():
            types = bert.embeddings.token_type_embeddings.weight
            bert.embeddings.position_embeddings.weight.add_(types[0])
        bert.embeddings.token_type_embeddings = NoTokenTypes()
    return changed.eval()
