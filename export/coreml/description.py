"""What a package says of itself, in Xcode and to an app."""

import json
from collections.abc import Mapping
from typing import Any

from export.source import DeploySource

_FEATURES: Mapping[str, str] = {
    "history": "Codes of the items seen so far, the latest last; padded on the left with 0; "
    "1 is an unknown item. limbeck.item_map_sha256 says which item map the codes are of.",
    "item_ids": "Codes of the best next items, best first; 0 where fewer are left.",
    "scores": "Scores (logits) of item_ids, in the same order; -10000 where no item is left.",
    "input_ids": "Ids of word pieces; anything where attention_mask is 0. "
    "limbeck.tokenizer_sha256 says which tokenizer the ids are of.",
    "attention_mask": "1 for a piece of the text, 0 for the padding to its right.",
    "token_type_ids": "0 for pieces of the first text, 1 for pieces of the second.",
    "probabilities": "Probability of each class, in the order of limbeck.classes.",
    "score": "The score of the text.",
}
_DATED = "com.github.apple.coremltools.conversion_date"
"""The same model would have other bytes tomorrow."""


def describe(spec: Any, source: DeploySource) -> None:
    """Write into a model what it is, and the deploy contract.

    Args:
        spec: A `Model` of Core ML's protobuf format, changed in place.
        source: What it was made from.
    """
    description = spec.description
    for feature in (*description.input, *description.output):
        feature.shortDescription = _FEATURES.get(feature.name, "")
    metadata = description.metadata
    metadata.shortDescription = _summary(source)
    metadata.author = source.about.author
    metadata.license = source.about.licence
    metadata.versionString = str(source.signature.fields.get("recipe_sha256", ""))[:12]
    metadata.userDefined.pop(_DATED, None)
    for key, value in source.signature.metadata().items():
        metadata.userDefined[key] = value
    if source.classes:
        classes = json.dumps(list(source.classes), ensure_ascii=False)
        metadata.userDefined["limbeck.classes"] = classes


def _summary(source: DeploySource) -> str:
    fields = source.signature.fields
    if source.signature.task == "next-item":
        what = f"the best {fields['top_k']} of {fields['items']} items to come next"
    elif source.classes:
        what = f"which of {len(source.classes)} classes a text is of"
    else:
        what = "the score of a text"
    return f"{source.about.name}: {what}. Made by limbeck."
