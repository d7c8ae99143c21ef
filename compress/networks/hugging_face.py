"""Any Hugging Face sequence classifier, as a network that reads text."""

import inspect
from typing import Any

from torch import Tensor, nn

from compress.networks.text_model import TextAnswer


class HuggingFaceModel(nn.Module):
    """An `AutoModelForSequenceClassification`; its parts are found by structure, not by name.

    The model must compute attention eagerly (`attn_implementation="eager"`): only then does it
    return attention probabilities, and only that graph is fused by ONNX Runtime.
    """

    def __init__(self, model: Any) -> None:
        """Wrap `model`, which stays as it is and is reachable as `self.model`."""
        super().__init__()
        self.model = model
        self.outputs = int(model.config.num_labels)
        # RoBERTa takes token types but knows one only; DeBERTa often none.
        self.takes_token_types = (
            "token_type_ids" in inspect.signature(model.forward).parameters
            and getattr(model.config, "type_vocab_size", 2) > 1
        )

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor,
        *,
        features: bool = False,
    ) -> TextAnswer:
        """Answer a batch of int64 `[B, L]`; `features` adds hidden states and attentions."""
        types = {"token_type_ids": token_type_ids} if self.takes_token_types else {}
        answer = self.model(
            input_ids=input_ids,
            attention_mask=attention_mask,
            output_hidden_states=features,
            output_attentions=features,
            **types,
        )
        if not features:
            return TextAnswer(answer.logits)
        return TextAnswer(answer.logits, tuple(answer.hidden_states), tuple(answer.attentions))

    def layers(self) -> list[nn.Module]:
        """Return the encoder's layers, lowest first.

        ALBERT shares one layer among all depths, so it has one here.
        """
        lists = [one for one in self._encoder.modules() if isinstance(one, nn.ModuleList)]
        depth = getattr(self.model.config, "num_hidden_layers", None)
        fitting = [one for one in lists if len(one) == depth] or lists
        return list(fitting[0]) if fitting else []

    def embeddings(self) -> nn.Module:
        """Return what turns ids into vectors: words, positions, types, and their norm."""
        found: nn.Module = getattr(self._encoder, "embeddings", self.word_embeddings())
        return found

    def word_embeddings(self) -> nn.Embedding:
        """Return the word table, `[pieces, W]`."""
        table: nn.Embedding = self._encoder.get_input_embeddings()
        return table

    def head(self) -> list[nn.Module]:
        """Return what stands behind the encoder: made anew for other classes."""
        return [part for part in self.model.children() if part is not self._encoder]

    def output_layer(self) -> nn.Linear:
        """Return the layer that gives the logits: one row an output.

        Raises:
            ValueError: There is none in the head.
        """
        inside = [part for module in self.head() for part in module.modules()]
        fitting = [
            part
            for part in inside
            if isinstance(part, nn.Linear) and part.out_features == self.outputs
        ]
        if not fitting:
            raise ValueError(f"{type(self.model).__name__} has no linear output layer")
        return fitting[-1]

    @property
    def longest(self) -> int | None:
        """The most pieces that it reads at once; None: any number."""
        table = getattr(self.embeddings(), "position_embeddings", None)
        if not isinstance(table, nn.Embedding):
            return None
        # RoBERTa and MPNet count positions from the padding's id + 1.
        return table.num_embeddings - first_position(table)

    @property
    def _encoder(self) -> Any:
        return self.model.base_model


def first_position(table: nn.Embedding) -> int:
    """Return the row of a table of position embeddings that the first piece has."""
    return 0 if table.padding_idx is None else int(table.padding_idx) + 1
